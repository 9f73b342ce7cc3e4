"""Drift: where files and ledgers disagree. Pure: looks at what was read, decides nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from accord.errors import ChecksumMismatch, DriftError, InconsistentLedger
from accord.seam import checksum as checksums
from accord.seam.types import AppliedStep, Step, StepKey
from migrator.engine.graph import Graph
from migrator.engine.squashes import with_replacements
from migrator.errors import LedgerOrphan


@dataclass(frozen=True, kw_only=True)
class Drift:
    """
    One disagreement.

    Attributes:
        error: What a command raises about it.
        key: The step that it is about.
        missing: The step that `key` needs and that is not applied, where that is the disagreement.
        tolerable: True when the project can't mend it (an upgraded package edited
            its own history), so that it is told and doesn't stop a run.
    """

    error: DriftError
    key: StepKey
    missing: StepKey | None = None
    tolerable: bool = False


def find_drift(
    graph: Graph, steps: Iterable[Step], applied: Mapping[StepKey, AppliedStep]
) -> Sequence[Drift]:
    """
    Compare the ledgers with the files.

    Args:
        graph: The steps that take part.
        steps: Every step on disk, squashed and replaced ones included.
        applied: The ledgers of all stores.

    Returns:
        Edited files, ledger entries without a file, and steps applied before what they need.
    """
    on_disk = {step.key: step for step in steps}
    replaced = {key for step in on_disk.values() for key in step.replaces}
    return [
        *_edited(on_disk, applied),
        *_orphans(on_disk, replaced, applied),
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


def _orphans(
    on_disk: Mapping[StepKey, Step], replaced: Collection[StepKey], applied: Mapping[StepKey, AppliedStep]
) -> Iterator[Drift]:
    for key, entry in applied.items():
        # An entry without a checksum was written by another tool; that it outlives its file is normal there.
        if key not in on_disk and key not in replaced and entry.checksum is not None:
            error = LedgerOrphan(
                f"The ledger of “{key.store}” holds {key}, and its file is gone.",
                hint=f"Restore the file, or strike the entry: migrate_all --revert --fake --step {key}",
            )
            yield Drift(error=error, key=key)


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
