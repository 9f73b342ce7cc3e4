"""What a ledger holds of one step: how far it came, and what its operations put away."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from accord.errors import LedgerNotUnderstood
from accord.seam.types import AppliedStep, BegunStep, Direction, Lease, Origin, Recorded, Step, StepKey

Facts = Mapping[str, Any]
"""What an operation put away for a rerun or a revert, by name."""


class EntryState(enum.StrEnum):
    """How far a step has come."""

    APPLYING = "applying"
    """Begun; its effects may be there in part."""
    APPLIED = "applied"
    """All of its effects are there."""
    REVERTING = "reverting"
    """Being undone; the ledger reports it as applied, and half gone, until nothing of it is left."""


@dataclass(frozen=True, kw_only=True)
class StepEntry:
    """
    What the ledger says of a step.

    Attributes:
        key: The step.
        state: How far it has come.
        checksum: Of the revision, when it was begun; None when that is not known.
        fingerprint: Of the file's bytes, when it was begun; None as above.
        run_id: Run that wrote it last.
        fence: Fencing token of that run.
        applied_at: When it was applied; None before.
        operations_done: How many of its operations stand, from the first.
        finished: Digest of each of those operations, to notice an edited file.
        checkpoint: Where an operation in batches continues; None when none is under way.
        saved: What operations put away, by the operation's number.
        changed: Documents and objects changed so far, by killed runs too.
        how: How the step came to stand there, once it is applied.
    """

    key: StepKey
    state: EntryState = EntryState.APPLYING
    checksum: str | None = None
    fingerprint: str | None = None
    run_id: str = ""
    fence: int = 0
    applied_at: datetime | None = None
    operations_done: int = 0
    finished: tuple[str, ...] = ()
    checkpoint: Mapping[str, Any] | None = None
    saved: Mapping[str, Facts] = field(default_factory=dict)
    changed: int = 0
    how: Origin = Origin.APPLIED

    def facts(self, number: int) -> Facts:
        """Return what an operation put away; nothing for one that put nothing away."""
        return self.saved.get(str(number), {})

    def keeping(self, number: int, facts: Facts | None) -> StepEntry:
        """Replace the facts that an operation put away; None removes them."""
        saved = {name: kept for name, kept in self.saved.items() if name != str(number)}
        return replace(self, saved=saved if facts is None else {**saved, str(number): facts})

    def standing(self, digests: Sequence[str], done: int, changed: int = 0) -> StepEntry:
        """Return an entry in which this many of these operations stand, and none is under way."""
        return replace(
            self,
            operations_done=done,
            finished=tuple(digests[:done]),
            checkpoint=None,
            changed=self.changed + changed,
        )

    def signed(self, step: Step) -> StepEntry:
        """Return the entry with the checksum and the fingerprint of the revision as it is now."""
        return replace(self, checksum=step.source.checksum, fingerprint=step.source.fingerprint)

    def stamped(self, lease: Lease) -> StepEntry:
        """Return the entry with the run that writes it."""
        return replace(self, run_id=lease.run_id, fence=lease.fence)

    def applied(self) -> AppliedStep:
        """Return the entry as the engine sees it."""
        return AppliedStep(
            key=self.key,
            checksum=self.checksum,
            fingerprint=self.fingerprint,
            applied_at=self.applied_at,
            run_id=self.run_id,
            fence=self.fence,
            reverting=self.state is EntryState.REVERTING,
            how=self.how,
        )

    def begun(self) -> BegunStep:
        """Return the entry of a step that was begun and not ended as the engine sees it."""
        back = self.state is EntryState.REVERTING
        return BegunStep(
            key=self.key,
            direction=Direction.REVERT if back else Direction.APPLY,
            done=self.operations_done,
            partly=not back,
            run_id=self.run_id,
        )


def recorded(entries: Iterable[StepEntry]) -> Recorded:
    """Return what a ledger of these entries says, as the engine sees it."""
    known = {entry.key: entry for entry in entries}
    return Recorded(
        applied={
            key: entry.applied() for key, entry in known.items() if entry.state is not EntryState.APPLYING
        },
        begun={key: entry.begun() for key, entry in known.items() if entry.state is not EntryState.APPLIED},
    )


def not_understood(key: StepKey, state: object) -> LedgerNotUnderstood:
    """Return the error for a state that this version has no word for."""
    return LedgerNotUnderstood(
        f"The ledger of “{key.store}” says of {key} that it is “{state}”, which this version doesn't know.",
        hint="Was it written by a newer version, or by hand? Run the version that wrote it, or restore it.",
    )


def origin_of(key: StepKey, word: str | None) -> Origin:
    """
    Read the word for how a step came to be applied.

    Args:
        key: The step.
        word: As the ledger has it; none in a line that an earlier version wrote.

    Raises:
        LedgerNotUnderstood: It is none of those that this version knows.
    """
    try:
        return Origin(word or Origin.APPLIED)
    except ValueError as exc:
        raise not_understood(key, word) from exc


def to_json(entry: StepEntry) -> dict[str, Any]:
    """Write an entry as JSON can hold it, for ledgers that are documents."""
    document = {name: value for name, value in vars(entry).items() if name not in ("key", "how")}
    at = entry.applied_at.isoformat() if entry.applied_at else ""
    written = {**document, "state": entry.state.value, "applied_at": at, "finished": list(entry.finished)}
    # Left out where it says nothing new, so that an earlier version can read what it could write.
    return written if entry.how is Origin.APPLIED else {**written, "how": entry.how.value}


def from_json(key: StepKey, document: Mapping[str, Any]) -> StepEntry:
    """
    Read what :func:`to_json` wrote, now or in an earlier version.

    Raises:
        TypeError: It holds a field that this version does not know.
        ValueError: It holds a value that this version does not know.
    """
    at = document.get("applied_at")
    parsed: dict[str, Any] = {
        "state": EntryState(document["state"]),
        "applied_at": datetime.fromisoformat(at) if at else None,
        "finished": tuple(document.get("finished", ())),
        "how": Origin(document.get("how", Origin.APPLIED)),
    }
    return StepEntry(key=key, **{**document, **parsed})
