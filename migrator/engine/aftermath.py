"""What a run left that did not do everything, told from the journal, for whoever looks at it later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from accord.errors import AccordError
from accord.seam.registry import opened
from accord.seam.types import Direction, Step
from migrator.models import Run, RunKind, RunOutcome, StepRun

_ENDED_EARLY = (RunOutcome.FAILED, RunOutcome.INTERRUPTED)


@dataclass(frozen=True, kw_only=True)
class Stand:
    """
    What became of one store's part of a run, by the names of steps.

    Attributes:
        store: Alias of the store.
        done: Steps that the run ended, in order.
        failed: Those that failed, or that the run broke off in.
        left: Those that were left out because of one that failed.
    """

    store: str
    done: Sequence[str]
    failed: Sequence[str]
    left: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """
    Where a run left the stores, and the commands that lead out of it.

    Attributes:
        stands: Each store that the run came to.
        not_begun: How many steps of the plan it never came to.
        later: The run that came next, if one did: what is told here is of the past then.
        go_on: The command that does the rest; empty where only the caller's own words say it.
        go_back: The command that undoes what the run applied; empty where there is none.
        irreversible: Why there is no way back: steps with their reasons.
        unknown: Steps that it applied and no file declares any more.
    """

    stands: Sequence[Stand]
    not_begun: int
    later: str
    go_on: str
    go_back: str
    irreversible: Mapping[str, str]
    unknown: Sequence[str]


def aftermath_of(run: Run) -> Aftermath | None:
    """
    Return what a run left; None for one that did everything, goes on, or only wrote records.

    No server but the journal's is asked; files are read to tell what can be undone.

    Args:
        run: The run.
    """
    if run.outcome not in _ENDED_EARLY or run.kind not in (RunKind.APPLY, RunKind.REVERT):
        return None
    rows = list(run.steps.order_by("position"))
    applied = [str(row) for row in rows if _is_applied(row)]
    files = _files({row.store for row in rows if _is_applied(row)})
    irreversible = {
        key: files[key].irreversible for key in applied if key in files and files[key].irreversible
    }
    unknown = [key for key in applied if key not in files]
    reversible = bool(applied) and not irreversible and not unknown
    later = Run.objects.filter(started_at__gt=run.started_at).order_by("started_at").first()
    return Aftermath(
        stands=[_stand(store, list(some)) for store, some in groupby(sorted(rows, key=_by_store), _by_store)],
        not_begun=run.planned - len(rows),
        later="" if later is None else later.pk,
        go_on="migrate_all" if run.kind == RunKind.APPLY else "",
        go_back=f"migrate_all --revert --run {run.pk}" if reversible else "",
        irreversible=irreversible,
        unknown=unknown,
    )


def _by_store(row: StepRun) -> str:
    return row.store


def _is_applied(row: StepRun) -> bool:
    return row.outcome == RunOutcome.SUCCEEDED and row.direction == Direction.APPLY


def _stand(store: str, rows: Sequence[StepRun]) -> Stand:
    def of(*outcomes: RunOutcome) -> Sequence[str]:
        return [f"{row.app}.{row.name}" for row in rows if row.outcome in outcomes]

    return Stand(
        store=store,
        done=of(RunOutcome.SUCCEEDED),
        failed=of(RunOutcome.FAILED, RunOutcome.INTERRUPTED),
        left=of(RunOutcome.SKIPPED),
    )


def _files(aliases: Iterable[str]) -> Mapping[str, Step]:
    """Read the steps of stores from disk; what can't be read is not known."""
    found: dict[str, Step] = {}
    with opened() as stores:
        for alias in sorted(aliases):
            try:
                found.update({str(step.key): step for step in stores[alias].steps()})
            except AccordError:
                continue
    return found
