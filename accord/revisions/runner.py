"""Runner: takes the operations of one revision through apply or revert, from where the ledger says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from accord.errors import AccordError, ChecksumMismatch, IrreversibleStep, StepFailed
from accord.events import Reporter, StepNoted
from accord.revisions.entry import EntryState, Facts, StepEntry
from accord.revisions.ledger import RevisionLedger
from accord.revisions.loader import LoadedRevision
from accord.revisions.operation import irreversible
from accord.revisions.progress import Progress
from accord.seam import checksum
from accord.seam.types import Direction, Lease, Origin, StepKey, StepOutcome

_ATTEMPTS = 3


class Host(Protocol):
    """What a runner asks of its store; see :class:`accord.revisions.store.RevisionStore`."""

    def admit(self, operations: Sequence[Any]) -> None: ...
    def context(self, progress: Progress) -> Any: ...
    def digest(self, key: StepKey, operation: Any) -> str: ...
    def failure(self, exc: Exception, place: str) -> Exception: ...
    def take_back(self, context: Any, facts: Facts) -> bool: ...
    def was_answer_lost(self, exc: Exception) -> bool: ...
    def was_refused(self, exc: Exception) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Runner:
    """
    Applies and reverts one revision.

    Attributes:
        store: Builds what operations work with, and knows the driver's errors.
        revision: What is run.
        ledger: Where it is recorded.
        lease: The right to write.
        report: Receives the progress events.
    """

    store: Host
    revision: LoadedRevision
    ledger: RevisionLedger
    lease: Lease
    report: Reporter

    @property
    def key(self) -> StepKey:
        """Return the key of the step."""
        return self.revision.step.key

    def apply(self) -> StepOutcome:
        """Apply the revision; see :meth:`accord.seam.stores.Store.apply`."""
        entry = self.ledger.entry(self.key, self.lease)
        if entry is not None and entry.state is EntryState.APPLIED:
            return StepOutcome(key=self.key, direction=Direction.APPLY, already=True)
        self.store.admit(self.revision.operations)
        progress = self._progress(self._settled(entry).signed(self.revision.step))
        self._take_back_removed(progress)
        for number in range(progress.entry.operations_done, len(self.revision.operations)):
            self._run(progress, number, Direction.APPLY)
        progress.complete()
        return StepOutcome(key=self.key, direction=Direction.APPLY, changed=progress.entry.changed)

    def revert(self) -> StepOutcome:
        """Revert the revision; see :meth:`accord.seam.stores.Store.revert`."""
        entry = self.ledger.entry(self.key, self.lease)
        if entry is None:
            return StepOutcome(key=self.key, direction=Direction.REVERT, already=True)
        self._refuse_irreversible(entry)
        self.store.admit(self.revision.operations)
        return self._revert(entry)

    def _settled(self, entry: StepEntry | None) -> StepEntry:
        """Bring what an earlier run left behind to a point from which applying can go on."""
        if entry is not None and entry.state is EntryState.APPLYING:
            self._refuse_edited(entry)
            done, total = entry.operations_done, len(self.revision.operations)
            self._note(f"Continues an interrupted run: {done} of {total} operations are done.")
            return entry
        if entry is not None:
            self._note("An interrupted revert is completed first.")
            self._revert(entry)
        return StepEntry(key=self.key)

    def _revert(self, entry: StepEntry) -> StepOutcome:
        if entry.state is not EntryState.APPLIED:
            self._refuse_edited(entry)
        self._refuse_unsaved(entry)
        progress = self._progress(entry)
        if entry.state is EntryState.APPLYING:
            self._undo_unfinished(progress)
        for number in reversed(range(progress.entry.operations_done)):
            if self._was_found(entry, number):
                progress.leave(self.revision.operations[number].title)
            else:
                self._run(progress, number, Direction.REVERT)
        self.lease.check()
        self.ledger.strike(self.key, self.lease)
        changed = progress.entry.changed - entry.changed
        return StepOutcome(
            key=self.key, direction=Direction.REVERT, changed=changed, detail=_left(progress.left)
        )

    def _was_found(self, entry: StepEntry, number: int) -> bool:
        """Check whether a baseline found what an operation would have brought about, or a person said so."""
        return entry.how is not Origin.APPLIED and str(number) not in entry.saved

    def _undo_unfinished(self, progress: Progress) -> None:
        """Undo the operation that was under way when applying stopped, so that whole ones are left."""
        number = progress.entry.operations_done
        if progress.entry.checkpoint is not None:
            raise StepFailed(
                f"{self.key} stopped in the middle of operation {number + 1}, "
                "with a part of its documents changed.",
                hint=self._ways_on,
            )
        if number == len(self.revision.operations):
            return
        progress.turn_to(number, Direction.REVERT)
        operation = self.revision.operations[number]
        begun = str(number) in progress.entry.saved
        self._refuse_another(progress.entry, number)
        with self._failing_as(number):
            left = operation.left_something(self.store.context(progress), begun=begun)
        if left:
            self._refuse(operation.irreversible, self._ways_on)
            self._run(progress, number, Direction.REVERT)

    def _run(self, progress: Progress, number: int, direction: Direction) -> None:
        """Apply or revert one operation: intent, effect, outcome."""
        progress.check()
        progress.turn_to(number, direction)
        if direction is Direction.APPLY:
            self._capture(progress, number)
        progress.begin()
        with self._failing_as(number):
            try:
                progress.finish(self._act(progress, number, direction))
            except Exception as exc:
                self._withdraw(progress, number, direction, exc)
                raise

    def _withdraw(self, progress: Progress, number: int, direction: Direction, exc: Exception) -> None:
        """Take back the intent of an operation that was refused, if a look shows nothing of it."""
        under_way = progress.finished or progress.entry.checkpoint is not None
        if direction is Direction.REVERT or under_way or not self.store.was_refused(exc):
            return
        operation = self.revision.operations[number]
        # Whatever comes up here, the step stays begun, and the refusal is what people have to read.
        with suppress(Exception):
            if not operation.left_something(self.store.context(progress), begun=True):
                progress.withdraw()

    def _capture(self, progress: Progress, number: int) -> None:
        """Keep what stood before the operation first began; never what another one kept in its place."""
        operation = self.revision.operations[number]
        kept = progress.entry.saved.get(str(number))
        # Entries of earlier versions don't record whose facts they are.
        if kept is not None and kept.get("title", operation.title) == operation.title:
            return
        if kept is not None:
            self._take_back(progress, kept)
        progress.keep(None)
        try:
            with self._failing_as(number):
                facts = operation.capture(self.store.context(progress))
        except AccordError:
            if progress.entry.operations_done:
                progress.begin()  # what is done stays on record
            raise
        progress.keep({"title": operation.title, **facts})

    def _take_back_removed(self, progress: Progress) -> None:
        """Take back what an operation began that the edited file doesn't have any more."""
        for number in map(int, progress.entry.saved):
            if number >= len(self.revision.operations):
                self._take_back(progress, progress.entry.facts(number))

    def _take_back(self, progress: Progress, facts: Facts) -> None:
        """Leave nothing in people's way of an operation that another one replaced in the file."""
        progress.check()
        if self.store.take_back(self.store.context(progress), facts):
            self._note(
                f"“{facts.get('title', '')}” was begun, and the file has it no more: it was taken back."
            )

    def _act(self, progress: Progress, number: int, direction: Direction) -> int:
        """Apply or revert; again when an answer was lost, for each operation looks before it acts."""
        operation, context = self.revision.operations[number], self.store.context(progress)
        verb = operation.apply if direction is Direction.APPLY else operation.revert
        for _ in range(_ATTEMPTS - 1):
            try:
                return verb(context)
            except Exception as exc:
                if not self.store.was_answer_lost(exc):
                    raise
            self._note(f"{operation.title}: an answer was lost; looking again.")
            progress.check()
        return verb(context)

    def _progress(self, entry: StepEntry) -> Progress:
        return Progress(entry, self._digests, self.ledger, self.lease, self.report)

    @property
    def _digests(self) -> Sequence[str]:
        return [self.store.digest(self.key, operation) for operation in self.revision.operations]

    def _refuse_edited(self, entry: StepEntry) -> None:
        """Raise unless the operations that are done are still the first ones of the file."""
        if self._stand_as_declared(entry):
            return
        raise ChecksumMismatch(
            f"{self.key} was edited after {entry.operations_done} of its operations had been applied, "
            "and the file says something else in their place.",
            hint="Restore those operations as they were; later ones may change. Then run again. If they are "
            f"lost, undo by hand what stands, and strike its line: {self._striking}",
        )

    def _stand_as_declared(self, entry: StepEntry) -> bool:
        known = len(entry.finished)
        if tuple(self._digests[:known]) != entry.finished:
            return False
        # Where not each operation was written down, the file as a whole has to be the one that began.
        recorded = entry.checksum or ""
        return entry.operations_done <= known or checksum.same_content(
            recorded, self.revision.step.source.text
        )

    def _refuse_irreversible(self, entry: StepEntry) -> None:
        """Raise when something that stands can't be undone: of a begun step a part, of a found one none."""
        if entry.state is EntryState.APPLYING:
            self._refuse(irreversible(self.revision.operations[: entry.operations_done]), self._ways_on)
            return
        if all(self._was_found(entry, number) for number in range(entry.operations_done)):
            return
        forward = "Write a new revision that brings about what you want instead."
        self._refuse(self.revision.step.irreversible, forward)

    def _refuse(self, why: str, hint: str) -> None:
        if why:
            raise IrreversibleStep(f"{self.key} can't be undone: {why.rstrip('.')}.", hint=hint)

    @property
    def _ways_on(self) -> str:
        """Return what can be done with a begun step that can't be undone."""
        return (
            "Apply the step to its end first; or undo by hand what stands, and strike its line: "
            f"{self._striking}"
        )

    @property
    def _striking(self) -> str:
        return f'migrate_all --forget {self.key} --reason "WHY"'

    def _refuse_another(self, entry: StepEntry, number: int) -> None:
        """Raise when the operation that was under way is another one in the file by now."""
        title = self.revision.operations[number].title
        begun = entry.facts(number).get("title", title)
        if begun != title:
            raise ChecksumMismatch(
                f"{self.key} was edited: “{begun}” was under way, and “{title}” stands in its place.",
                hint="Restore that operation, then revert; or apply the step as it is now: "
                f"migrate_all --to {self.key}",
            )

    def _refuse_unsaved(self, entry: StepEntry) -> None:
        if entry.how is not Origin.APPLIED:
            return
        for number, operation in enumerate(self.revision.operations[: entry.operations_done]):
            if operation.needs_saved and str(number) not in entry.saved:
                raise IrreversibleStep(
                    f"{self.key} was only recorded: “{operation.title}” has nothing to put back.",
                    hint="Write a new revision that brings about what you want. Nothing was changed.",
                )

    def _note(self, text: str) -> None:
        self.report(StepNoted(key=str(self.key), note=text))

    @contextmanager
    def _failing_as(self, number: int) -> Iterator[None]:
        """Add to errors of servers and of users' functions the place where they happened."""
        try:
            yield
        except Exception as exc:
            title = self.revision.operations[number].title
            error = self.store.failure(exc, f"{self.key}, operation {number + 1}, {title}")
            if error is exc:
                raise
            raise error from exc


def _left(found: Sequence[str]) -> str:
    return f"left, because it was found there: {', '.join(reversed(found))}" if found else ""
