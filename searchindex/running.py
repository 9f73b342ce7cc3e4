"""
One step on its way: intent into the ledger, effect, the next intent, and at last the outcome.

The ledger is written before each operation. That write says how many operations stand and
what stood before the next one, and it is refused when a later run holds the lease; so a
holder who slept through its lease's end is stopped before it acts.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from accord.errors import AccordError, IrreversibleStep, StepFailed
from accord.events import Reporter, StepNoted
from accord.types import Direction, Lease, Step, StepOutcome
from searchindex.ledger import APPLIED, APPLYING, REVERTING, Entry, Ledger
from searchindex.operations.base import Context, Operation
from searchindex.transport import ReplyLost, RequestRefused

_ATTEMPTS = 3
_MADE_MEANWHILE = frozenset({"resource_already_exists_exception", "index_already_exists_exception"})

MakeContext = Callable[[Mapping[str, Any]], Context]
"""Builds an operation's context out of what the ledger kept for it."""


@dataclass(frozen=True, kw_only=True)
class StepRun:
    """
    A step and all that it takes to apply or to revert it.

    Attributes:
        step: The step.
        operations: What it does.
        ledger: Where it is recorded.
        lease: The right to write.
        report: Hears what happens.
        context: Builds the context of an operation.
    """

    step: Step
    operations: Sequence[Operation]
    ledger: Ledger
    lease: Lease
    report: Reporter
    context: MakeContext

    def apply(self) -> StepOutcome:
        """Apply what isn't applied yet, and record it."""
        found = self.ledger.entry(self.step, self.lease)
        if found is not None and found.state == APPLIED:
            return StepOutcome(key=self.step.key, direction=Direction.APPLY, already=True)
        entry = self._resumed(found)
        changed = 0
        for number in range(entry.operations_done, len(self.operations)):
            entry = self._begin(entry, number)
            changed += self._act(entry, number, self.operations[number].apply)
            entry = replace(entry, operations_done=number + 1)
        self._write(recorded(entry, len(self.operations), self.ledger.now()))
        return StepOutcome(key=self.step.key, direction=Direction.APPLY, changed=changed)

    def revert(self) -> StepOutcome:
        """Undo what stands, from the last operation to the first, and strike the entry."""
        self._refuse_irreversible()
        entry = self.ledger.entry(self.step, self.lease)
        if entry is None:
            return StepOutcome(key=self.step.key, direction=Direction.REVERT, already=True)
        standing = min(_standing(entry), len(self.operations))
        self._refuse_unsaved(entry, standing)
        changed = 0
        for number in reversed(range(standing)):
            entry = replace(entry, state=REVERTING, operations_done=number + 1, applied_at="")
            self._write(entry)
            changed += self._act(entry, number, self.operations[number].revert)
        self.lease.check()
        self.ledger.remove(self.step, self.lease)
        return StepOutcome(key=self.step.key, direction=Direction.REVERT, changed=changed)

    def _resumed(self, found: Entry | None) -> Entry:
        """Continue an interrupted entry; an edited revision begins again at its first operation."""
        fresh = new_entry(self.step, self.lease)
        if found is None:
            return fresh
        self._note("it was interrupted before; continuing")
        if found.checksum == fresh.checksum:
            return replace(found, operations_done=min(found.operations_done, len(self.operations)))
        return replace(fresh, saved=found.saved)

    def _begin(self, entry: Entry, number: int) -> Entry:
        """Record that an operation begins, with what stood before it first began."""
        operation, saved = self.operations[number], dict(entry.saved)
        self.lease.check()
        if saved.get(str(number), {}).get("title") != operation.title:
            with self._failing(operation):
                facts = operation.capture(self.context({}))
            saved[str(number)] = {"title": operation.title, **facts}
        begun = replace(entry, state=APPLYING, operations_done=number, saved=saved)
        self._write(begun)
        return begun

    def _write(self, entry: Entry) -> None:
        self.lease.check()
        self.ledger.write(self.step, entry, self.lease)

    def _act(self, entry: Entry, number: int, verb: Callable[[Context], int]) -> int:
        """Do or undo an operation; again when an answer was lost, for each looks before it acts."""
        context = self.context(entry.saved.get(str(number), {}))
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._failing(self.operations[number]):
                    return verb(context)
            except (ReplyLost, RequestRefused):
                if attempt == _ATTEMPTS:
                    raise
            self._note(f"{self.operations[number].title}: an answer was lost; looking again")
            self.lease.check()
        return 0

    @contextmanager
    def _failing(self, operation: Operation) -> Iterator[None]:
        """Turn what goes wrong into an error that names the step and the operation."""
        place = f"{self.step.key}: {operation.title}"
        try:
            yield
        except RequestRefused as exc:
            if exc.kind in _MADE_MEANWHILE:  # a first, unanswered try of the same request made it
                raise
            raise StepFailed(
                f"{place}: the server refuses it: {exc.reason or exc.kind}.", hint=_hint(exc)
            ) from exc
        except AccordError:
            raise
        except Exception as exc:
            # The text of a foreign exception may hold a document; its kind and its place do not.
            raise StepFailed(
                f"{place}: {type(exc).__name__} at {_where(exc)}.",
                hint="Correct the revision, then run again: what is done stays done.",
            ) from exc

    def _note(self, text: str) -> None:
        self.report(StepNoted(key=str(self.step.key), note=f"{text}."))

    def _refuse_irreversible(self) -> None:
        if self.step.irreversible:
            raise IrreversibleStep(
                f"{self.step.key} can't be undone: {self.step.irreversible}.",
                hint="Write a new revision that brings about what you want. Nothing was changed.",
            )

    def _refuse_unsaved(self, entry: Entry, standing: int) -> None:
        for number, operation in enumerate(self.operations[:standing]):
            if operation.needs_saved and str(number) not in entry.saved:
                raise IrreversibleStep(
                    f"{self.step.key} was only recorded: “{operation.title}” has nothing to put back.",
                    hint="Write a new revision that brings about what you want. Nothing was changed.",
                )


def new_entry(step: Step, lease: Lease) -> Entry:
    """Begin an entry."""
    return Entry(
        state=APPLYING,
        checksum=step.source.checksum,
        fingerprint=step.source.fingerprint,
        run_id=lease.run_id,
        fence=lease.fence,
    )


def recorded(entry: Entry, operations: int, now: str) -> Entry:
    """Turn an entry into that of an applied step."""
    return replace(entry, state=APPLIED, operations_done=operations, applied_at=now)


def _standing(entry: Entry) -> int:
    """Count the operations that stand in whole or in part."""
    begun = entry.state == APPLYING and str(entry.operations_done) in entry.saved
    return entry.operations_done + int(begun)


def _hint(exc: RequestRefused) -> str:
    if exc.status == HTTPStatus.BAD_REQUEST:
        return "Correct the revision; analyzers and field types depend on the server's version and plugins."
    return "Look at the server's log, then run again."


def _where(exc: Exception) -> str:
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else "an unknown place"
