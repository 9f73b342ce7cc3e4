"""Drift: where files and ledgers disagree. Pure: looks at what was read, decides nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from accord.errors import ChecksumMismatch, DriftError, InconsistentLedger
from accord.seam import checksum as checksums
from accord.seam.types import AppliedStep, BegunStep, Step, StepKey
from accord.words import counted
from migrator.engine.graph import Graph
from migrator.engine.squashes import with_replacements
from migrator.errors import LedgerOrphan

NOTHING_BEGUN: Mapping[StepKey, BegunStep] = {}
NOTHING_ABSENT: Mapping[StepKey, str] = {}


@dataclass(frozen=True, kw_only=True)
class Drift:
    """
    One disagreement.

    Attributes:
        error: What a command raises about it.
        key: The step that it is about.
        missing: The step that `key` needs and that is not applied, where that is the disagreement.
        tolerable: True when it is told and doesn't stop a run: an upgraded package edited its own
            history, which the project can't mend, another release began a step, or an app is not
            installed here.
    """

    error: DriftError
    key: StepKey
    missing: StepKey | None = None
    tolerable: bool = False


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
        *_inconsistent(graph, with_replacements(on_disk.values(), applied)),
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
                hint="Restore the file as it was, and put the change into a new revision.",
            )
            yield Drift(error=error, key=key, tolerable=step.third_party)


def _orphans(known: Collection[StepKey], applied: Mapping[StepKey, AppliedStep]) -> Iterator[Drift]:
    for key, entry in applied.items():
        if key not in known and _is_ours(entry):
            error = LedgerOrphan(
                f"The ledger of “{key.store}” holds {key}, and its file is gone.",
                hint=f"Restore the file, or strike the entry: {forgetting(key)}",
            )
            yield Drift(error=error, key=key)


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
        yield Drift(error=error, key=keys[-1], tolerable=True)


def _begun_elsewhere(on_disk: Mapping[StepKey, Step], begun: Mapping[StepKey, BegunStep]) -> Iterator[Drift]:
    """Name what another release began: everything that this one declares may stand nevertheless."""
    for key in sorted(begun.keys() - on_disk.keys()):
        error = LedgerOrphan(
            f"The ledger of “{key.store}” holds {key}, which no file here declares: {begun[key].words}.",
            hint="Run the release that declares it, or undo by hand what stands, and strike the entry: "
            f"{forgetting(key)}",
        )
        yield Drift(error=error, key=key, tolerable=True)


def forgetting(key: StepKey | str) -> str:
    """Return the command that strikes a step, or an app that isn't installed, from its ledger."""
    return f'migrate_all --forget {key} --reason "WHY"'


def _inconsistent(graph: Graph, applied: Collection[StepKey]) -> Iterator[Drift]:
    for key in sorted(graph.steps):
        if key not in applied:
            continue
        for parent in sorted(graph.parents[key]):
            if parent not in applied:
                error = InconsistentLedger(
                    f"{key} is applied, and {parent}, which it needs, is not.", hint=_way_back(key, parent)
                )
                yield Drift(error=error, key=key, missing=parent)


def _way_back(key: StepKey, parent: StepKey) -> str:
    """Name what mends a step that is applied before one that it needs."""
    adopt = f"If its effect stands there, adopt it: migrate_all --baseline --to {parent}"
    if parent.store == key.store:
        return f"{adopt}. If not, the order of the files was changed after they ran: restore it."
    return (
        f"If “{parent.store}” is new, or was lost or restored, apply its steps again: "
        f"migrate_all --rebuild {parent.store}. {adopt}"
    )
