"""Runner: takes the operations of one revision through apply or revert, from where the ledger says."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accord.errors import AccordError, ChecksumMismatch, IrreversibleStep, StepFailed
from accord.events import Reporter, StepNoted
from accord.types import Direction, Lease, Presence, StepKey, StepOutcome
from mongo_migrations.client import Place, plain_message, replica_set_missing
from mongo_migrations.ledger import Entry, Ledger, State
from mongo_migrations.loader import LoadedRevision
from mongo_migrations.operations.base import Context

if TYPE_CHECKING:
    from pymongo.database import Database


@dataclass(frozen=True, kw_only=True)
class Runner:
    """
    Applies and reverts one revision.

    Attributes:
        db: The database.
        ledger: Its ledger.
        place: For messages.
        revision: What is run.
        lease: The right to write.
        report: Hears of progress.
    """

    db: Database[dict[str, Any]]
    ledger: Ledger
    place: Place
    revision: LoadedRevision
    lease: Lease
    report: Reporter

    @property
    def key(self) -> StepKey:
        """The step."""
        return self.revision.step.key

    def apply(self) -> StepOutcome:
        """Apply the revision; see :meth:`accord.stores.Store.apply`."""
        entry = self.ledger.entry(self.key, self.lease)
        if entry is not None and entry.state is State.APPLIED:
            return StepOutcome(key=self.key, direction=Direction.APPLY, already=True)
        self._refuse_without_transactions()
        if entry is not None:
            entry = self._settle(entry)
        entry = self.ledger.begin(self.revision.step, self.lease, State.APPLYING)
        for index in range(entry.operations_done, len(self.revision.operations)):
            entry = self._run(entry, index, Direction.APPLY)
        self.ledger.complete(self.revision.step, self.lease, len(self.revision.operations))
        return StepOutcome(key=self.key, direction=Direction.APPLY, changed=entry.changed)

    def revert(self) -> StepOutcome:
        """Revert the revision; see :meth:`accord.stores.Store.revert`."""
        entry = self.ledger.entry(self.key, self.lease)
        if entry is None:
            return StepOutcome(key=self.key, direction=Direction.REVERT, already=True)
        if self.revision.step.irreversible:
            raise IrreversibleStep(
                f"{self.key} can't be undone: {self.revision.step.irreversible}",
                hint="Write a new revision that brings about what you want instead.",
            )
        self._refuse_without_transactions()
        return self._revert(entry)

    def _revert(self, entry: Entry) -> StepOutcome:
        if entry.state is State.APPLYING:
            entry = self._take_in_unfinished(entry)
        before = entry.changed
        entry = self.ledger.begin(self.revision.step, self.lease, State.REVERTING)
        for index in reversed(range(entry.operations_done)):
            entry = self._run(entry, index, Direction.REVERT)
        self.ledger.strike(self.key, self.lease)
        return StepOutcome(key=self.key, direction=Direction.REVERT, changed=entry.changed - before)

    def _settle(self, entry: Entry) -> Entry | None:
        """Bring what an earlier run left behind to a point from which applying can go on."""
        if entry.state is State.REVERTING:
            self._note("An interrupted revert is completed first.")
            self._revert(entry)
            return None
        self._refuse_edited(entry)
        total = len(self.revision.operations)
        self._note(f"Continues an interrupted run: {entry.operations_done} of {total} operations are done.")
        return entry

    def _run(self, entry: Entry, index: int, direction: Direction) -> Entry:
        context = self._context(entry, index, direction)
        operation = self.revision.operations[index]
        context.check()
        with self._failing_as(f"operation {index + 1}, {type(operation).__name__}"):
            changed = operation.apply(context) if direction is Direction.APPLY else operation.revert(context)
            context.finish(changed)
        return context.entry

    def _context(self, entry: Entry, index: int, direction: Direction) -> Context:
        return Context(
            db=self.db,
            ledger=self.ledger,
            entry=entry,
            index=index,
            direction=direction,
            digests=self._digests,
            lease=self.lease,
            report=self.report,
        )

    @property
    def _digests(self) -> Sequence[str]:
        return [operation.digest() for operation in self.revision.operations]

    def _refuse_without_transactions(self) -> None:
        needy = any(operation.needs_transactions for operation in self.revision.operations)
        if needy and not self.ledger.transactional:
            raise replica_set_missing(self.place)

    def _refuse_edited(self, entry: Entry) -> None:
        """Operations that are done must still be the first ones of the file."""
        if tuple(self._digests[: len(entry.finished)]) == entry.finished:
            return
        raise ChecksumMismatch(
            f"{self.key} was edited after {entry.operations_done} of its operations had been applied, "
            "and these are other ones now.",
            hint="Restore those operations; later ones may change. Then run again.",
        )

    def _take_in_unfinished(self, entry: Entry) -> Entry:
        """Undo the operation that was under way when applying stopped, so that whole ones are left."""
        self._refuse_edited(entry)
        if entry.checkpoint is not None:
            raise StepFailed(
                f"{self.key} stopped in the middle of operation {entry.operations_done + 1}, "
                "with a part of its documents changed.",
                hint="Apply the step to its end first, then revert it.",
            )
        index = entry.operations_done
        if index == len(self.revision.operations):
            return entry
        # Only what stands exactly as declared can be ours; anything else stopped us and stays.
        if self.revision.operations[index].probe(self.db, self.key) is Presence.DONE:
            entry = self._run(entry, index, Direction.REVERT)
        return entry

    def _note(self, text: str) -> None:
        self.report(StepNoted(key=str(self.key), note=text))

    @contextmanager
    def _failing_as(self, operation: str) -> Iterator[None]:
        """Give errors of servers and of users' functions the place where they happened."""
        from pymongo.errors import ConnectionFailure, PyMongoError

        try:
            yield
        except (AccordError, ConnectionFailure):
            raise
        except PyMongoError as exc:
            raise StepFailed(
                f"{self.key}, {operation}: {plain_message(exc)}.",
                hint="Correct the revision or the data and run again; what is done is recorded.",
            ) from exc
        except Exception as exc:
            raise self._function_failed(exc, operation) from exc

    def _function_failed(self, exc: Exception, operation: str) -> StepFailed:
        # The exception's own words may quote a document, so only its kind and place are told.
        return StepFailed(
            f"{self.key}, {operation}: the function raised {type(exc).__name__} at {_place(exc)}.",
            hint="Correct the function or the data and run again; what is done is recorded.",
        )


def _place(exc: Exception) -> str:
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "an unknown line"
