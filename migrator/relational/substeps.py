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

from django.db import connections, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex, CreateModel, Migration, RemoveIndex, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from accord.errors import ChecksumMismatch, ConflictingState
from accord.events import Reporter, StepNoted
from accord.locks.patience import Behind
from accord.locks.trying import Tries
from accord.seam.types import Direction, Lease, Step
from migrator.relational.chain import Chain, recognises
from migrator.relational.entries import Progress, RowState
from migrator.relational.indexes import ConcurrentIndex, index_plan
from migrator.relational.ledger import Ledger
from migrator.relational.live_indexes import clear_leftovers
from migrator.relational.locking import limit, limited, who_waits_behind
from migrator.relational.refusals import SubstepKind, left_nothing, refuse_irreversible, sent_at_once
from migrator.relational.remains import refuse_gone
from migrator.relational.unrolled import Substep, backwards, forwards
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
    ) -> None:
        self._step = step
        self._migration = migration
        self._ledger = ledger
        self._lease = lease
        self._report = report
        self._tries = tries
        self._connection = connections[step.key.store]

    def apply(self, state: ProjectState, found: Progress | None) -> ProjectState:
        """
        Do what is left of the migration.

        Args:
            state: State before it.
            found: How far an earlier run came; None for a first begin.

        Returns:
            The state after the migration. It isn't recorded as applied yet.
        """
        done = Chain()
        progress = self._taken_up(found, Direction.APPLY, state)
        for place, substep in enumerate(forwards(self._migration, state)):
            if place >= progress.position:
                with self._withdrawing(substep, is_first=place == 0, is_new=found is None):
                    progress = self._advance(substep, progress, done)
            done.add(substep.operation)
        return state

    def revert(self, state: ProjectState, found: Progress | None) -> None:
        """
        Undo what is done of the migration, the last substep first.

        Args:
            state: State before the migration.
            found: How far an earlier run came; None when it is applied as a whole.
        """
        substeps = backwards(self._migration, state)
        if found is not None and found.state is RowState.APPLYING:
            self._refuse_stuck(substeps[: found.position + found.in_flight])
        whole = Progress(state=RowState.APPLIED, position=len(substeps), done=_chain_of(substeps))
        progress = self._taken_up(found or whole, Direction.REVERT, state)
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

    # --- taking up -------------------------------------------------------------------

    def _taken_up(self, found: Progress | None, direction: Direction, before: ProjectState) -> Progress:
        state = RowState.APPLYING if direction is Direction.APPLY else RowState.REVERTING
        if found is None:
            progress = Progress(state=state)
        else:
            self._refuse_edited(found)
            if not found.state.is_whole:
                # On the way back, the last of them may be undone, and only the note of that be missing.
                sure = found.position - (found.state is RowState.REVERTING)
                refuse_gone(self._step, backwards(self._migration, before)[: max(sure, 0)])
            progress = self._turned(found, state)
            self._note_recovery(found, direction)
        self._write(progress)
        return progress

    def _turned(self, found: Progress, state: RowState) -> Progress:
        """
        Place ourselves where a run that was killed stopped, which may have gone the other way.

        The substep that was under way counts as done when we go back over it and as not done
        when we go forward, if it can be repeated; its probe finds out what there is.
        """
        if not found.in_flight or found.state in (state, RowState.APPLIED):
            return replace(found, state=state)
        moved = 1 if state == RowState.REVERTING else -1
        return replace(found, state=state, position=found.position + moved)

    def _refuse_edited(self, found: Progress) -> None:
        operations = [leaf for operation in self._migration.operations for leaf in _flat(operation)]
        if found.done and not recognises(found.done, operations[: found.position]):
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
        after = Progress(state=RowState.REVERTING, position=place, done=_chain_of(substeps[:place]))
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
            self._act_plainly(substep, direction, now)
        self._write(after)

    def _act_whole(
        self, substep: Substep, direction: Direction, after: Progress, seconds: float | None
    ) -> None:
        with transaction.atomic(using=self._connection.alias):
            clock = self._ledger.claim(self._lease)
            limit(self._connection, seconds)
            self._run(substep, direction, self._connection.schema_editor(atomic=False))
            self._ledger.write_progress(self._step, self._lease, after, clock)

    def _act_beside(self, substep: Substep, direction: Direction, seconds: float | None) -> None:
        with limited(self._connection, seconds):
            self._run_concurrent(substep, direction)

    def _act_plainly(self, substep: Substep, direction: Direction, now: Progress) -> None:
        def act(seconds: float | None) -> None:
            with limited(self._connection, seconds):
                self._run_plain(substep, direction, now)

        # Of anything else, a part may stand when a lock isn't free in its middle.
        if sent_at_once(self._connection, substep.operation):
            self._tries.through(act)
        else:
            self._tries.once(act, behind=who_waits_behind(substep.operation))

    def _clear_leftovers(self, substep: Substep, direction: Direction) -> None:
        app, wait = self._migration.app_label, self._lease.check
        for note in clear_leftovers(self._connection, app, substep.operation, direction, wait):
            if note:
                self._report(StepNoted(key=str(self._step.key), note=note))

    def _kind(self, operation: Operation) -> SubstepKind:
        if is_concurrent(operation) and isinstance(operation, AddIndex | RemoveIndex):
            return SubstepKind.CONCURRENT
        in_transaction = operation.atomic or fits_a_transaction(operation)
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
        self._refuse_existing(substep, direction)
        self._write(replace(now, in_flight=True))
        self._run(substep, direction, self._connection.schema_editor(atomic=False))

    def _refuse_existing(self, substep: Substep, direction: Direction) -> None:
        operation = substep.operation
        if direction is Direction.REVERT or not isinstance(operation, CreateModel):
            return
        model = substep.after.apps.get_model(self._migration.app_label, operation.name)
        if not operation.allow_migrate_model(self._connection.alias, model):
            return
        table = model._meta.db_table
        if vendor_of(self._connection).standing(self._connection, [table]):
            raise ConflictingState(
                f"Step {self._step.key} would create {table}, which exists already.",
                hint="Rename it; or, if it is what the migration describes, adopt it: "
                f"migrate_all --baseline --step {self._step.key}",
            )

    def _run(self, substep: Substep, direction: Direction, editor: BaseDatabaseSchemaEditor) -> None:
        app = self._migration.app_label
        with self._transaction_of(substep.operation), editor:
            if direction is Direction.APPLY:
                substep.operation.database_forwards(app, editor, substep.before, substep.after)
            else:
                substep.operation.database_backwards(app, editor, substep.after, substep.before)

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


def _flat(operation: Operation) -> Iterator[Operation]:
    if type(operation) is not SeparateDatabaseAndState:
        yield operation
        return
    for inner in operation.database_operations:
        yield from _flat(inner)


def _chain_of(substeps: Iterable[Substep]) -> str:
    return Chain.of(substep.operation for substep in substeps)
