"""Drift: where files and ledgers disagree. Pure: looks at what was read, decides nothing else."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from accord.errors import ChecksumMismatch, DriftError, InconsistentLedger
from accord.seam import checksum as checksums
from accord.seam.types import AppliedStep, BegunStep, Step, StepKey
from accord.words import counted
from migrator.engine.graph import Graph
from migrator.engine.squashes import with_replacements
from migrator.errors import LedgerOrphan

if TYPE_CHECKING:
    from migrator.governance.acceptances import Acceptance

NOTHING_BEGUN: Mapping[StepKey, BegunStep] = {}
NOTHING_ABSENT: Mapping[StepKey, str] = {}


class DriftKind(enum.StrEnum):
    """What disagrees."""

    EDITED = "edited"
    """The file of an applied step isn't what was applied."""
    MISSING = "missing"
    """The file of an applied step is gone."""
    ORDER = "order"
    """A step is applied, and one that it needs is not."""
    BEGUN = "begun"
    """Another release began a step."""
    ABSENT = "absent"
    """An app has no files here, as the settings want it."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """
    One disagreement.

    Attributes:
        kind: What disagrees.
        error: What a command raises about it.
        key: The step that it is about.
        held: What stands in ledger and files, by which the disagreement is known again.
        missing: The step that `key` needs and that is not applied, where that is the disagreement.
        tolerable: True when it is told and doesn't stop a run: an upgraded package edited its own
            history, which the project can't mend, another release began a step, or an app is not
            installed here; or people accepted it.
        acceptance: What people said to it, if it counts.
    """

    kind: DriftKind
    error: DriftError
    key: StepKey
    held: Callable[[], Sequence[str]] = field(default=tuple, repr=False, compare=False)
    missing: StepKey | None = None
    tolerable: bool = False
    acceptance: Acceptance | None = None

    @cached_property
    def digest(self) -> str:
        """What an acceptance binds: with another content of ledger or file it is another disagreement."""
        return checksums.digest([self.kind.value, str(self.key), str(self.missing or ""), *self.held()])

    def judged(self, acceptances: Mapping[str, Acceptance]) -> Drift:
        """
        Return this with what people said to it.

        Args:
            acceptances: By digest.
        """
        found = acceptances.get(self.digest) if acceptances and not self.tolerable else None
        if found is None:
            return self
        if found.holds:
            return replace(self, tolerable=True, acceptance=found)
        words = f"{self.error.message} {found.refusal}"
        return replace(self, error=type(self.error)(words, hint=found.way_on or self.error.hint))


def find_drift(
    graph: Graph,
    steps: Iterable[Step],
    applied: Mapping[StepKey, AppliedStep],
    begun: Mapping[StepKey, BegunStep] = NOTHING_BEGUN,
    absent: Mapping[StepKey, str] = NOTHING_ABSENT,
) -> Sequence[Drift]:
    """
    Compare the ledgers with the files.

    Args:
        graph: The steps that take part.
        steps: Every step on disk, squashed and replaced ones included.
        applied: The ledgers of all stores.
        begun: What they hold that was begun and not ended.
        absent: Steps in the ledgers of which no file is expected here, each with a clause why.

    Returns:
        Edited files, ledger entries without a file, and steps applied before what they need.
    """
    on_disk = {step.key: step for step in steps}
    replaced = {key for step in on_disk.values() for key in step.replaces}
    return [
        *_edited(on_disk, applied),
        *_orphans(on_disk.keys() | replaced | absent.keys(), applied),
        *_not_here(applied, {key: why for key, why in absent.items() if key not in replaced}),
        *_begun_elsewhere(on_disk, begun),
        *_inconsistent(graph, applied, with_replacements(on_disk.values(), applied)),
    ]


def _edited(on_disk: Mapping[StepKey, Step], applied: Mapping[StepKey, AppliedStep]) -> Iterator[Drift]:
    for key, entry in applied.items():
        step = on_disk.get(key)
        # A revert that failed in the middle may need a mended file to go on.
        if step is None or entry.checksum is None or entry.reverting:
            continue
        if entry.fingerprint == step.source.fingerprint:
            continue
        if not checksums.same_content(entry.checksum, step.source.text):
            error = ChecksumMismatch(
                f"{key} was edited after it was applied ({step.source.path}).",
                hint="Restore the file as it was, and put the change into a new revision. If the edit may "
                f"stay, have it accepted: {accepting(key)}",
            )
            yield Drift(
                kind=DriftKind.EDITED,
                error=error,
                key=key,
                held=partial(_held, entry, step),
                tolerable=step.third_party,
            )


def _orphans(known: Collection[StepKey], applied: Mapping[StepKey, AppliedStep]) -> Iterator[Drift]:
    for key, entry in applied.items():
        if key not in known and _is_ours(entry):
            error = LedgerOrphan(
                f"The ledger of “{key.store}” holds {key}, and its file is gone.",
                hint="Restore the file. If it may be away, as in a release that was taken back, have that "
                f"accepted: {accepting(key)}. If it is gone for good, strike the entry: {forgetting(key)}",
            )
            yield Drift(kind=DriftKind.MISSING, error=error, key=key, held=partial(_held, entry))


def _is_ours(entry: AppliedStep) -> bool:
    # An entry without a checksum was written by another tool; that it outlives its file is normal there.
    return entry.checksum is not None and not entry.reverting


def _not_here(applied: Mapping[StepKey, AppliedStep], absent: Mapping[StepKey, str]) -> Iterator[Drift]:
    """Name the apps that other settings install, or that were taken out; `migrate` goes on there, too."""
    by_app: dict[tuple[str, str], list[StepKey]] = {}
    for key in sorted(absent):
        if _is_ours(applied[key]):
            by_app.setdefault((key.store, key.app), []).append(key)
    for (store, app), keys in by_app.items():
        steps, why = counted(len(keys), "step"), absent[keys[-1]]
        error = LedgerOrphan(
            f"The ledger of “{store}” holds {steps} of “{app}”, which {why}.",
            hint="Where other settings of this database have it, leave it. If it is gone for good, strike "
            f"its lines: {forgetting(f'{store}:{app}')}",
        )
        yield Drift(kind=DriftKind.ABSENT, error=error, key=keys[-1], tolerable=True)


def _begun_elsewhere(on_disk: Mapping[StepKey, Step], begun: Mapping[StepKey, BegunStep]) -> Iterator[Drift]:
    """Name what another release began: everything that this one declares may stand nevertheless."""
    for key in sorted(begun.keys() - on_disk.keys()):
        error = LedgerOrphan(
            f"The ledger of “{key.store}” holds {key}, which no file here declares: {begun[key].words}.",
            hint="Run the release that declares it, or undo by hand what stands, and strike the entry: "
            f"{forgetting(key)}",
        )
        yield Drift(kind=DriftKind.BEGUN, error=error, key=key, tolerable=True)


def forgetting(key: StepKey | str) -> str:
    """Return the command that strikes a step, or an app that isn't installed, from its ledger."""
    return f'migrate_all --forget {key} --reason "WHY"'


def accepting(key: StepKey) -> str:
    """Return the command that asks whether a disagreement about a step may stay."""
    return f"manage.py migration_approval request --kind drift {key} --as USERNAME --reason TEXT"


def _held(entry: AppliedStep | None, *steps: Step) -> Sequence[str]:
    recorded = entry.checksum if entry is not None else None
    return [recorded or "", *(step.source.checksum for step in steps)]


def _inconsistent(
    graph: Graph, applied: Mapping[StepKey, AppliedStep], done: Collection[StepKey]
) -> Iterator[Drift]:
    for key in sorted(graph.steps):
        if key not in done:
            continue
        for parent in sorted(graph.parents[key]):
            if parent not in done:
                error = InconsistentLedger(
                    f"{key} is applied, and {parent}, which it needs, is not.", hint=_way_back(key, parent)
                )
                both = [graph.steps[one] for one in (key, parent) if one in graph.steps]
                held = partial(_held, applied.get(key), *both)
                yield Drift(kind=DriftKind.ORDER, error=error, key=key, held=held, missing=parent)


def _way_back(key: StepKey, parent: StepKey) -> str:
    """Name what mends a step that is applied before one that it needs."""
    adopt = f"If its effect stands there, adopt it: migrate_all --baseline --to {parent}"
    late = f"If it may run after that step, have that accepted: {accepting(key)}"
    if parent.store == key.store:
        return f"{adopt}. {late}. If not, the order of the files was changed after they ran: restore it."
    return (
        f"If “{parent.store}” is new, or was lost or restored, apply its steps again: "
        f"migrate_all --rebuild {parent.store}. {adopt}. {late}"
    )
