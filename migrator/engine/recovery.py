"""The way on and the way back after a run that did not end well, over all of its stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accord.errors import ExitCode
from accord.seam.stores import by_store
from accord.seam.types import Direction, Step
from migrator.engine.request import RunReport
from migrator.models import RunKind


@dataclass(frozen=True, kw_only=True)
class Share:
    """
    What became of one store's part of a plan.

    Attributes:
        store: Alias of the store.
        done: Its steps that the run ended, in order.
        failed: Those that failed.
        left: Those that were not tried.
    """

    store: str
    done: tuple[Step, ...]
    failed: tuple[Step, ...]
    left: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """
    Where a run left the stores, and the commands that lead out of it.

    Attributes:
        direction: Whether the run applied or reverted.
        shares: Each store of the plan, in the plan's order.
        go_on: The command that does the rest.
        go_back: The command that undoes what the run applied; empty where there is none.
        irreversible: Steps that the run applied and nothing can undo: why there is no way back.
    """

    direction: Direction
    shares: tuple[Share, ...]
    go_on: str
    go_back: str
    irreversible: tuple[Step, ...]


def recovery_of(report: RunReport) -> Recovery | None:
    """
    Return the plan of recovery of a run; None for one that did all of it, or had nothing to do.

    Args:
        report: What the run came to.
    """
    acted = report.kind in (RunKind.APPLY, RunKind.REVERT)
    if not acted or not report.run_id or report.exit_code is ExitCode.DONE:
        return None
    applied = _applied(report)
    irreversible = tuple(step for step in applied if step.irreversible)
    way_back = f"migrate_all --revert --run {report.run_id}"
    return Recovery(
        direction=report.plan.direction,
        shares=tuple(_share(report, alias, steps) for alias, steps in by_store(report.plan.steps).items()),
        go_on=report.command,
        go_back=way_back if applied and not irreversible else "",
        irreversible=irreversible,
    )


def _applied(report: RunReport) -> Sequence[Step]:
    if report.plan.direction is not Direction.APPLY:
        return ()
    done = {outcome.key for outcome in report.execution.outcomes}
    return [step for step in report.plan.steps if step.key in done]


def _share(report: RunReport, alias: str, steps: Sequence[Step]) -> Share:
    done = {outcome.key for outcome in report.execution.outcomes}
    failed = {failure.step.key for failure in report.execution.failures}
    return Share(
        store=alias,
        done=tuple(step for step in steps if step.key in done),
        failed=tuple(step for step in steps if step.key in failed),
        left=tuple(step for step in steps if step.key not in done | failed),
    )
