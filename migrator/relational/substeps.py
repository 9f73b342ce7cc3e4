"""
A migration that can't be one transaction, cut into substeps that a rerun can take up again.

Each substep is one operation. Three kinds, by what a kill in the middle may leave:

- *transactional*: the operation and the note of its end are one transaction; nothing is left;
- *concurrent*: an index in PostgreSQL's way without a transaction; probed, so it can be repeated;
- *plain*: everything else, Python code and SQL above all. It is begun anew, as in Django.

Where a database can't roll back DDL, an operation's begin is noted too, after a look whether its
table is there: what is found when it is taken up again is then known to be its own work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial

from django.db import DatabaseError, IntegrityError, connections, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex, Migration, RemoveIndex
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from accord.errors import ChecksumMismatch
from accord.events import Reporter, StepNoted
from accord.locks.patience import Behind
from accord.locks.trying import Tries
from accord.seam.types import Direction, Lease, Step
from accord.words import counted
from migrator.relational.chain import IN_PARTS, WHOLE, Chain, recognises
from migrator.relational.entries import Progress, RowState
from migrator.relational.hearing import Hearing, heard
from migrator.relational.indexes import ConcurrentIndex, index_plan
from migrator.relational.ledger import Ledger
from migrator.relational.live_indexes import clear_leftovers
from migrator.relational.locking import limit, limited, who_waits_behind
from migrator.relational.refusals import (
    SubstepKind,
    left_nothing,
    refuse_existing,
    refuse_irreversible,
    sent_at_once,
)
from migrator.relational.remains import refuse_gone
from migrator.relational.safety.parts import Part
from migrator.relational.safety.rewriter import unrolling
from migrator.relational.unrolled import Substep, Unroll, backwards, forwards, to_undo, whole
from migrator.relational.vendors import fits_a_transaction, is_concurrent, vendor_of


class Resumable:
    """
    Takes one migration forwards or backwards, substep by substep.

    Args:
        step: The step.
        migration: Its migration.
        ledger: Where the progress is noted.
        lease: Whose right it is.
        report: Whom to tell of recoveries.
        tries: How substeps come by their locks.
        in_parts: Operations that would lock a table for long are sent in parts.
    """

    def __init__(
        self,
        step: Step,
        migration: Migration,
        *,
        ledger: Ledger,
        lease: Lease,
        report: Reporter,
        tries: Tries,
        in_parts: bool = False,
    ) -> None:
        self._step = step
        self._migration = migration
        self._ledger = ledger
        self._lease = lease
        self._report = report
        self._tries = tries
        self._connection = connections[step.key.store]
        self._hearing = Hearing(step.key, lease, report)
        self._in_parts = in_parts
        self._form = IN_PARTS if in_parts else WHOLE

    def apply(self, state: ProjectState, found: Progress | None) -> ProjectState:
        """
        Do what is left of the migration.

        Args:
            state: State before it.
            found: How far an earlier run came; None for a first begin.

        Returns:
            The state after the migration. It isn't recorded as applied yet.
        """
        done, behind = Chain(self._form), list[tuple[Substep, str]]()
        progress = self._taken_up(found, Direction.APPLY, state)
        for place, substep in enumerate(forwards(self._migration, state, self._unroll())):
            behind = behind if substep.part else []
            if place >= progress.position:
                is_first = place == len(behind)
                with (
                    self._withdrawing(substep, is_first=is_first, is_new=found is None),
                    self._giving_up(place, behind),
                ):
                    progress = self._advance(substep, progress, done)
            behind.append((substep, done.text))
            done.add(substep.operation)
        return state

    def revert(self, state: ProjectState, found: Progress | None) -> None:
        """
        Undo what is done of the migration, the last substep first.

        Args:
            state: State before the migration.
            found: How far an earlier run came; None when it is applied as a whole.
        """
        substeps = self._unrolled(state)
        if found is not None and found.state is RowState.APPLYING:
            self._refuse_stuck(substeps[: found.position + found.in_flight])
        every = Progress(state=RowState.APPLIED, position=len(substeps), done=self._chain_of(substeps))
        progress = self._taken_up(found or every, Direction.REVERT, state)
        for place in range(progress.position - 1, -1, -1):
            progress = self._retreat(substeps, place, progress)

    def _refuse_stuck(self, substeps: Sequence[Substep]) -> None:
        """Raise when one of those that stand, or may stand, can't be undone."""
        stuck = (substep.operation for substep in substeps if not substep.operation.reversible)
        refuse_irreversible(self._step, next((operation.describe() for operation in stuck), ""), begun=True)

    @contextmanager
    def _withdrawing(self, substep: Substep, *, is_first: bool, is_new: bool) -> Iterator[None]:
        """Take the intent back when the first substep is refused and nothing of it can stand."""
        try:
            yield
        except Exception as exc:
            kind = self._kind(substep.operation)
            nothing = left_nothing(self._connection, substep.operation, kind, exc, is_new=is_new)
            # Whatever comes up here, the step stays begun, and the refusal is what people have to read.
            if is_first and nothing:
                with suppress(Exception), self._ledger.transaction():
                    self._ledger.claim(self._lease)
                    self._ledger.strike_unbegun((self._step.key.app, self._step.key.name))
            raise

    @contextmanager
    def _giving_up(self, place: int, behind: Sequence[tuple[Substep, str]]) -> Iterator[None]:
        """Take back what is done of an operation in parts that the rows refuse: all or nothing stands."""
        try:
            yield
        except IntegrityError:
            try:
                for part, done in reversed(behind):
                    place -= 1
                    until = Progress(state=RowState.APPLYING, position=place, done=done)
                    self._act(part, Direction.REVERT, until, until)
            except DatabaseError:
                note = "what was done of the refused operation could not be taken back, and stands"
                self._report(StepNoted(key=str(self._step.key), note=note))
            raise

    def _unroll(self) -> Unroll:
        return unrolling(self._connection, self._migration.app_label) if self._in_parts else whole

    def _taken_up(self, found: Progress | None, direction: Direction, before: ProjectState) -> Progress:
        state = RowState.APPLYING if direction is Direction.APPLY else RowState.REVERTING
        if found is None:
            progress = Progress(state=state, done=Chain(self._form).text)
            self._note_parts(before)
        else:
            substeps = self._unrolled(before)
            self._refuse_edited(found, substeps)
            if not found.state.is_whole:
                # On the way back, the last of them may be undone, and only the note of that be missing.
                back = found.state is RowState.REVERTING
                sure = max(found.position - back, 0)
                refuse_gone(self._step, substeps[:sure], substeps[sure:][: back or found.in_flight])
            progress = self._turned(found, state, substeps)
            self._note_recovery(found, direction)
        self._write(progress)
        return progress

    def _note_parts(self, before: ProjectState) -> None:
        parts = [each for each in self._unrolled(before) if each.part is not None] if self._in_parts else ()
        if parts:
            note = f"{counted(len(parts), 'part')}: nobody waits long for a large table"
            self._report(StepNoted(key=str(self._step.key), note=note))

    def _unrolled(self, before: ProjectState) -> Sequence[Substep]:
        return backwards(self._migration, before, self._unroll())

    def _turned(self, found: Progress, state: RowState, substeps: Sequence[Substep]) -> Progress:
        """
        Place ourselves where a run that was killed stopped, which may have gone the other way.

        The substep that was under way counts as done when we go back over it and as not done
        when we go forward, if it can be repeated; its probe finds out what there is.
        """
        if not found.in_flight or found.state in (state, RowState.APPLIED):
            return replace(found, state=state)
        at = found.position + (1 if state == RowState.REVERTING else -1)
        return replace(found, state=state, position=at, done=self._chain_of(substeps[:at]))

    def _refuse_edited(self, found: Progress, substeps: Sequence[Substep]) -> None:
        operations = [substep.operation for substep in substeps[: found.position]]
        if found.done and not recognises(found.done, operations):
            raise ChecksumMismatch(
                f"Step {self._step.key} is half done, and what is done of it was edited since.",
                hint=f"Restore its first {found.position} operations; those after them may be changed. If "
                "they are lost, undo by hand what stands, and strike its line: "
                f'migrate_all --forget {self._step.key} --reason "WHY"',
            )

    def _note_recovery(self, found: Progress, direction: Direction) -> None:
        if found.state != RowState.APPLIED:
            note = f"continues after {found.position} operations of a run that was cut off ({direction})"
            self._report(StepNoted(key=str(self._step.key), note=note))

    # --- one substep -------------------------------------------------------------------

    def _advance(self, substep: Substep, progress: Progress, done: Chain) -> Progress:
        self._lease.check()
        after = Progress(
            state=RowState.APPLYING, position=progress.position + 1, done=done.with_(substep.operation)
        )
        self._act(substep, Direction.APPLY, progress, after)
        return after

    def _retreat(self, substeps: Sequence[Substep], place: int, progress: Progress) -> Progress:
        self._lease.check()
        after = Progress(state=RowState.REVERTING, position=place, done=self._chain_of(substeps[:place]))
        self._act(substeps[place], Direction.REVERT, replace(progress, position=place + 1), after)
        return after

    def _act(self, substep: Substep, direction: Direction, now: Progress, after: Progress) -> None:
        kind = self._kind(substep.operation)
        if kind is SubstepKind.TRANSACTIONAL:
            self._tries.through(partial(self._act_whole, substep, direction, after))
            return
        if kind is SubstepKind.CONCURRENT:
            self._write(replace(now, in_flight=True))
            self._tries.through(partial(self._act_beside, substep, direction), behind=Behind.NOBODY)
        else:
            self._clear_leftovers(substep, direction)
            if substep.goes_on:
                self._write(replace(now, in_flight=True))
            self._act_plainly(substep, direction, now)
        self._write(after)

    def _act_whole(
        self, substep: Substep, direction: Direction, after: Progress, seconds: float | None
    ) -> None:
        with transaction.atomic(using=self._connection.alias):
            clock = self._ledger.claim(self._lease)
            # Noted first: from its lock on, others wait for the end of the transaction.
            self._ledger.write_progress(self._step, self._lease, after, clock)
            limit(self._connection, seconds)
            self._run(substep, direction, self._connection.schema_editor(atomic=False))

    def _act_beside(self, substep: Substep, direction: Direction, seconds: float | None) -> None:
        with limited(self._connection, seconds):
            self._run_concurrent(substep, direction)

    def _act_plainly(self, substep: Substep, direction: Direction, now: Progress) -> None:
        def act(seconds: float | None) -> None:
            with limited(self._connection, seconds), heard(self._hearing):
                self._run_plain(substep, direction, now)

        # Of anything else, a part may stand when a lock isn't free in its middle.
        if substep.goes_on:
            behind = getattr(substep.operation, "behind", Behind.EVERYBODY)
            self._tries.through(act, behind=behind, goes_on=True)
        elif sent_at_once(self._connection, substep.operation):
            self._tries.through(act)
        else:
            self._tries.once(act, behind=who_waits_behind(substep.operation))

    def _clear_leftovers(self, substep: Substep, direction: Direction) -> None:
        app, wait = self._migration.app_label, self._lease.check
        for note in clear_leftovers(self._connection, app, substep.operation, direction, wait):
            if note:
                self._report(StepNoted(key=str(self._step.key), note=note))

    def _kind(self, operation: Operation) -> SubstepKind:
        if isinstance(operation, Part):
            return operation.kind
        if is_concurrent(operation) and isinstance(operation, AddIndex | RemoveIndex):
            return SubstepKind.CONCURRENT
        # What was one transaction in the file is one for each operation: code runs exactly once, as before.
        was_one = self._in_parts and self._migration.atomic
        in_transaction = operation.atomic or was_one or fits_a_transaction(operation)
        if self._connection.features.can_rollback_ddl and in_transaction:
            return SubstepKind.TRANSACTIONAL
        return SubstepKind.PLAIN

    def _run_plain(self, substep: Substep, direction: Direction, now: Progress) -> None:
        if self._connection.features.can_rollback_ddl or not fits_a_transaction(substep.operation):
            self._run(substep, direction, self._connection.schema_editor(atomic=False))
            return
        if now.in_flight:
            self._run(substep, direction, vendor_of(self._connection).resuming_editor(self._connection))
            return
        if direction is Direction.APPLY:
            refuse_existing(self._connection, self._step, substep)
        self._write(replace(now, in_flight=True))
        self._run(substep, direction, self._connection.schema_editor(atomic=False))

    def _run(self, substep: Substep, direction: Direction, editor: BaseDatabaseSchemaEditor) -> None:
        app = self._migration.app_label
        with self._transaction_of(substep.operation), editor:
            if direction is Direction.APPLY:
                substep.operation.database_forwards(app, editor, substep.before, substep.after)
            else:
                to_undo(substep.operation).database_backwards(app, editor, substep.after, substep.before)

    def _transaction_of(self, operation: Operation) -> AbstractContextManager[object]:
        """Return an operation the transaction that Django would give it."""
        if operation.atomic or (self._migration.atomic and operation.atomic is not False):
            return transaction.atomic(using=self._connection.alias)
        return nullcontext()

    def _run_concurrent(self, substep: Substep, direction: Direction) -> None:
        plan = index_plan(
            self._migration.app_label, substep.operation, substep.before, substep.after, direction
        )
        if not substep.operation.allow_migrate_model(self._connection.alias, plan.model):
            return
        with self._connection.schema_editor(atomic=False) as editor:
            index = ConcurrentIndex(editor, plan.model, plan.index, self._lease.check)
            if plan.builds:
                sent = self._connection.schema_editor(atomic=False)
                note = index.build(lambda: self._run(substep, direction, sent))
            else:
                note = index.remove()
        if note:
            self._report(StepNoted(key=str(self._step.key), note=note))

    def _write(self, progress: Progress) -> None:
        with self._ledger.transaction():
            clock = self._ledger.claim(self._lease)
            self._ledger.write_progress(self._step, self._lease, progress, clock)

    def _chain_of(self, substeps: Iterable[Substep]) -> str:
        return Chain.of((substep.operation for substep in substeps), self._form)
