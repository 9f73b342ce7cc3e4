"""
Where a run is within a step: the entry as it stands, the operation under way, and what it put away.

Intent is written before an operation acts, together with the outcome of the one before. The last write
of a step is its outcome, or its removal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accord.events import Reporter, StepNoted, StepProgressed
from accord.revisions.entry import EntryState, Facts, StepEntry
from accord.revisions.ledger import RevisionLedger, Work, nothing_else
from accord.seam.types import Direction, Lease, StepKey


@dataclass(frozen=True, kw_only=True)
class Batch:
    """
    What one piece of work in a transaction came to.

    Attributes:
        changed: Documents changed.
        checkpoint: Where the next piece continues; None when the operation is finished.
    """

    changed: int = 0
    checkpoint: Mapping[str, Any] | None = None


class Progress:
    """
    A run's place in the ledger.

    Args:
        entry: What the ledger holds of the step, or would hold at its beginning.
        digests: Digest of each operation of the step.
        ledger: Records it.
        lease: The right to write.
        report: Receives the events.
    """

    def __init__(
        self, entry: StepEntry, digests: Sequence[str], ledger: RevisionLedger, lease: Lease, report: Reporter
    ) -> None:
        self.entry = entry
        self.lease = lease
        self.report = report
        self.finished = False
        self.left: list[str] = []
        self._written: StepEntry | None = None
        self._digests = digests
        self._ledger = ledger
        self._number = 0
        self._direction = Direction.APPLY

    @property
    def key(self) -> StepKey:
        """Return the key of the step."""
        return self.entry.key

    @property
    def transactional(self) -> bool:
        """Return whether work and its ledger write can be one transaction."""
        return self._ledger.transactional

    def check(self) -> None:
        """Raise unless the lease is still ours."""
        self.lease.check()

    def note(self, text: str) -> None:
        """Report something that an operator should read."""
        self.report(StepNoted(key=str(self.key), note=text))

    def progressed(self, done: int, total: int | None) -> None:
        """Report how far a long operation has come."""
        self.report(StepProgressed(key=str(self.key), done=done, total=total))

    def leave(self, what: str) -> None:
        """Note that something is left where it is, because it was found there and not made."""
        self.left.append(what)

    # --- the machine's own moves ---------------------------------------------------------------

    def turn_to(self, number: int, direction: Direction) -> None:
        """Switch to the next operation."""
        self._number, self._direction, self.finished = number, direction, False

    def begin(self) -> None:
        """Record the intent, unless the ledger holds just that; refused where a later run took over."""
        forward = self._direction is Direction.APPLY
        state = EntryState.APPLYING if forward else EntryState.REVERTING
        done = self._number + (0 if forward else 1)
        self.entry = replace(self.entry, state=state, operations_done=done)
        if self.entry != self._written:
            self._commit()

    def keep(self, facts: Facts | None) -> None:
        """Store the facts of the operation under way in the entry; the next write carries them."""
        self.entry = self.entry.keeping(self._number, facts)

    def finish(self, changed: int) -> None:
        """Count the operation as finished, unless its own work did; the next write carries it."""
        if not self.finished:
            self.entry = self._after(self.entry, Batch(changed=changed))

    def withdraw(self) -> None:
        """Take the intent back: the operation under way changed nothing, and a step without others none."""
        self.keep(None)
        if self.entry.operations_done:
            self._commit()
        else:
            self._ledger.strike(self.key, self.lease)

    def complete(self) -> None:
        """Record that the step is applied."""
        self.entry = replace(self.entry, state=EntryState.APPLIED)
        self._commit()

    # --- what a rerun or a revert has to know ----------------------------------------------------

    @property
    def facts(self) -> Facts:
        """Return what the operation under way put away."""
        return self.entry.facts(self._number)

    def saved(self, name: str) -> Any:
        """Return what the operation put away under a name, None if nothing."""
        return self.facts.get(name)

    def save(self, name: str, value: object) -> None:
        """Write a value to the ledger, before the effect that would make it unreadable."""
        self.keep({**self.facts, name: value})
        self._commit()

    def saved_once(self, name: str, value: Callable[[], object]) -> Any:
        """Return what was put away before, or put away what the function returns."""
        if self.saved(name) is None:
            self.save(name, value())
        return self.saved(name)

    def checkpoint(self) -> Mapping[str, Any] | None:
        """Return where the operation continues, None to begin."""
        return self.entry.checkpoint

    def exactly_once(self, work: Callable[[Any], Batch]) -> Batch:
        """
        Run a piece of work in the same transaction as its record in the ledger.

        Args:
            work: Called with the store's transaction, again if the server asks for a retry.

        Returns:
            What the work came to.
        """
        results: list[Batch] = []

        def recorded(entry: StepEntry, transaction: Any) -> StepEntry:
            results.append(work(transaction))
            return self._after(entry, results[-1])

        self._commit(recorded)
        self.finished = results[-1].checkpoint is None
        return results[-1]

    def _after(self, entry: StepEntry, batch: Batch) -> StepEntry:
        if batch.checkpoint is not None:
            return replace(entry, checkpoint=batch.checkpoint, changed=entry.changed + batch.changed)
        done = self._number + (1 if self._direction is Direction.APPLY else 0)
        return entry.standing(self._digests, done, batch.changed)

    def _commit(self, work: Work = nothing_else) -> None:
        self.lease.check()
        self.entry = self._written = self._ledger.commit(self.entry, self.lease, work)
