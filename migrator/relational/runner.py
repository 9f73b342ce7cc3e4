"""Takes one migration up or down, in one transaction with its ledger rows wherever the database can."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState

from accord.events import Reporter, StepNoted
from accord.locks.trying import Tries
from accord.seam.assertions import Moment, refuse_broken
from accord.seam.origins import left_alone, was_found
from accord.seam.rewriting import AS_EVER, Rewriting
from accord.seam.types import Direction, Lease, Origin, Step, StepOutcome
from migrator.relational import asserting
from migrator.relational.chain import IN_PARTS
from migrator.relational.entries import LedgerEntry, Progress, RowState
from migrator.relational.ledger import Ledger
from migrator.relational.loader import Name, name_of
from migrator.relational.locking import limit, tries_of
from migrator.relational.refusals import refuse_irreversible
from migrator.relational.safety.rewriter import has_parts, locks_large
from migrator.relational.states import Project
from migrator.relational.substeps import Resumable
from migrator.relational.unrolled import all_to_undo


class Runner:
    """
    The hands of one run on one database.

    Args:
        alias: The database.
        ledger: Its ledger.
        project: Graph and states.
        rewriting: Which steps may be sent in parts.

    Build it after :func:`adopt`: then no run with an earlier token can write any more.
    """

    def __init__(
        self, alias: str, *, ledger: Ledger, project: Project, rewriting: Rewriting = AS_EVER
    ) -> None:
        self._alias = alias
        self._ledger = ledger
        self._rewriting = rewriting
        self.project = project
        self._unfinished = ledger.unfinished()

    @property
    def _connection(self) -> BaseDatabaseWrapper:
        return connections[self._alias]

    # --- forward ---------------------------------------------------------------------

    def apply(self, step: Step, lease: Lease, report: Reporter) -> StepOutcome:
        """Apply a step and record it."""
        migration = self.project.migration(name_of(step))
        in_parts = self._is_sent_in_parts(step, migration, self.project.state(), Direction.APPLY)
        self._tell(step, report)
        if self._is_one_transaction(migration) and not in_parts:
            return self._tries(step, migration, lease, report).through(
                lambda seconds: self._apply_at_once(step, migration, lease, seconds),
                afresh=self.project.forget_states,
            )
        resumable = self._resumable(step, migration, lease, report, in_parts=in_parts)
        return self._apply_resumably(step, migration, resumable, lease)

    def _apply_at_once(
        self, step: Step, migration: Migration, lease: Lease, seconds: float | None
    ) -> StepOutcome:
        state = self.project.state()
        with self._connection.schema_editor(atomic=True) as editor:
            clock = self._ledger.claim(lease)
            limit(self._connection, seconds)
            if self._is_applied(migration):
                self.project.learn(_rows_of(migration))
                return _already(step, Direction.APPLY)
            state = migration.apply(state, editor)
            _flush(editor)
            refuse_broken(
                asserting.broken(self._alias, step, migration, Moment.AFTER),
                "It was rolled back: nothing of it stands, and it is pending.",
            )
            lease.check()
            self._record_replacements(step, migration)
            # The row of a squashed migration may have stayed behind from an earlier time.
            is_known = bool(migration.replaces)
            self._ledger.write_applied(_rows_of(migration), step, lease, clock, is_known=is_known)
        self.project.advance(_rows_of(migration), state)
        return StepOutcome(key=step.key, direction=Direction.APPLY, verified=True)

    def _apply_resumably(
        self, step: Step, migration: Migration, resumable: Resumable, lease: Lease
    ) -> StepOutcome:
        entry = self._ledger.entry(name_of(step))
        applied = self._is_applied(migration)
        if applied and (entry is None or entry.state != RowState.REVERTING):
            self.project.learn(_rows_of(migration))
            return self._healed(step, entry, lease)
        state = self.project.state_before(name_of(step)) if applied else self.project.state()
        state = resumable.apply(state, _progress(entry))
        with self._ledger.transaction():
            clock = self._ledger.claim(lease)
            self._record_replacements(step, migration)
            self._ledger.write_applied(_rows_of(migration), step, lease, clock)
        self._unfinished.discard(name_of(step))
        self.project.advance(_rows_of(migration), state)
        return StepOutcome(key=step.key, direction=Direction.APPLY)

    def _healed(self, step: Step, entry: LedgerEntry | None, lease: Lease) -> StepOutcome:
        """Finish the row of a migration that was applied and killed before our own row said so."""
        if entry is not None and entry.state == RowState.APPLYING:
            with self._ledger.transaction():
                clock = self._ledger.claim(lease)
                self._ledger.write_applied([name_of(step)], step, lease, clock)
        return _already(step, Direction.APPLY)

    def _record_replacements(self, step: Step, migration: Migration) -> None:
        """Record squashed migrations that are applied now that their last replaced one is."""
        applied = {*self.project.applied, *_rows_of(migration)}
        for name, replacement in self.project.replaced_by(name_of(step)):
            if applied.issuperset(replacement.replaces):
                self._ledger.record_replacement(name)

    # --- back ------------------------------------------------------------------------

    def revert(self, step: Step, lease: Lease, report: Reporter) -> StepOutcome:
        """Undo a step and strike it from the ledger; of one that was found, strike alone."""
        migration = self.project.migration(name_of(step))
        if was_found(step, self._ledger.recorded().applied):
            self._strike(self._rows_to_strike(step, migration), lease)
            return left_alone(step)
        state = self.project.state_before(name_of(step))
        in_parts = self._is_sent_in_parts(step, migration, state, Direction.REVERT)
        self._tell(step, report)
        if self._is_one_transaction(migration) and not in_parts:
            return self._tries(step, migration, lease, report).through(
                lambda seconds: self._revert_at_once(step, migration, state, lease, seconds),
                afresh=self.project.forget_states,
            )
        resumable = self._resumable(step, migration, lease, report, in_parts=in_parts)
        return self._revert_resumably(step, resumable, state, lease)

    def _revert_at_once(
        self, step: Step, migration: Migration, state: ProjectState, lease: Lease, seconds: float | None
    ) -> StepOutcome:
        with self._connection.schema_editor(atomic=True) as editor:
            self._ledger.claim(lease)
            limit(self._connection, seconds)
            if not self._ledger.is_applied(name_of(step)):
                return _already(step, Direction.REVERT)
            refuse_irreversible(step, step.irreversible)
            all_to_undo(migration).unapply(state, editor)
            _flush(editor)
            lease.check()
            self._ledger.strike(self._rows_to_strike(step, migration))
        self.project.retreat(self._rows_to_strike(step, migration))
        return StepOutcome(key=step.key, direction=Direction.REVERT)

    def _revert_resumably(
        self, step: Step, resumable: Resumable, state: ProjectState, lease: Lease
    ) -> StepOutcome:
        entry = self._ledger.entry(name_of(step))
        applied = self._ledger.is_applied(name_of(step))
        if not applied and (entry is None or RowState(entry.state).is_whole):
            return _already(step, Direction.REVERT)
        # A row that says "applying" beside Django's own row was killed after its last operation.
        found = (
            None if applied and entry is not None and entry.state == RowState.APPLYING else _progress(entry)
        )
        if applied:
            refuse_irreversible(step, step.irreversible)
        resumable.revert(state, found)
        self._strike(self._rows_of_line(step), lease)
        self._unfinished.discard(name_of(step))
        return StepOutcome(key=step.key, direction=Direction.REVERT)

    def _rows_of_line(self, step: Step) -> Sequence[Name]:
        """Name the rows that a line of the ledger stands for: its own alone, unless it is applied."""
        name = name_of(step)
        whole = self.project.knows(name) and name in self.project.applied
        return self._rows_to_strike(step, self.project.migration(name)) if whole else [name]

    def _rows_to_strike(self, step: Step, migration: Migration) -> Sequence[Name]:
        return [*_rows_of(migration), *(name for name, _ in self.project.replaced_by(name_of(step)))]

    # --- rows alone --------------------------------------------------------------------

    def record(self, step: Step, lease: Lease, how: Origin) -> None:
        """Record a step as applied without acting."""
        migration = self.project.migration(name_of(step))
        with self._ledger.transaction():
            clock = self._ledger.claim(lease)
            self._record_replacements(step, migration)
            self._ledger.write_applied(_rows_of(migration), step, lease, clock, state=RowState(how.value))
        self.project.learn(_rows_of(migration))

    def forget(self, step: Step, lease: Lease) -> None:
        """Strike a step without acting, be it applied or begun, and whether or not a file declares it."""
        self._strike(self._rows_of_line(step), lease)
        self._unfinished.discard(name_of(step))
        self.project.forget_states()

    def _strike(self, rows: Sequence[Name], lease: Lease) -> None:
        with self._ledger.transaction():
            self._ledger.claim(lease)
            self._ledger.strike(rows)
        self.project.retreat(rows)

    # --- inside ------------------------------------------------------------------------

    def _is_applied(self, migration: Migration) -> bool:
        """Ask Django's table, whose row of a squashed migration counts with those of its parts alone."""
        own = (migration.app_label, migration.name)
        return all(self._ledger.is_applied(name) for name in migration.replaces or [own])

    def _is_one_transaction(self, migration: Migration) -> bool:
        unfinished = (migration.app_label, migration.name) in self._unfinished
        return bool(self._connection.features.can_rollback_ddl) and migration.atomic and not unfinished

    def _is_sent_in_parts(
        self, step: Step, migration: Migration, state: ProjectState, direction: Direction
    ) -> bool:
        """Decide it when the step begins; one that was begun goes on the way it was."""
        if name_of(step) in self._unfinished:
            entry = self._ledger.entry(name_of(step))
            return entry is not None and entry.done.startswith(IN_PARTS)
        if not locks_large(self._connection, migration, state, self._rewriting.extent_for(step.key)):
            return False
        if direction is Direction.APPLY and self._is_applied(migration):
            return False
        return has_parts(self._connection, migration, state)

    def _tell(self, step: Step, report: Reporter) -> None:
        """Say why a step is sent as it stands, where a person wanted that."""
        why = self._rewriting.plainly.get(step.key)
        if why is not None:
            report(StepNoted(key=str(step.key), note=f"sent as its migration says, whatever it locks: {why}"))

    def _resumable(
        self, step: Step, migration: Migration, lease: Lease, report: Reporter, *, in_parts: bool
    ) -> Resumable:
        return Resumable(
            step,
            migration,
            ledger=self._ledger,
            lease=lease,
            report=report,
            tries=self._tries(step, migration, lease, report),
            in_parts=in_parts,
        )

    def _tries(self, step: Step, migration: Migration, lease: Lease, report: Reporter) -> Tries:
        return tries_of(self._connection, migration, step, lease, report)


def adopt(ledger: Ledger, lease: Lease) -> None:
    """
    Make a database ready for a run: tables, and the fence, so that what is read next stays true.

    Raises:
        StaleFence: A later token was seen.
    """
    ledger.ensure()
    with ledger.transaction():
        ledger.claim(lease)


def _rows_of(migration: Migration) -> Sequence[Name]:
    """Name the rows of Django's table that stand for a migration: a squashed one brings those it replaces."""
    replaced = [(app, name) for app, name in migration.replaces]
    return [*replaced, (migration.app_label, migration.name)]


def _progress(entry: LedgerEntry | None) -> Progress | None:
    if entry is None or RowState(entry.state).is_whole:
        return None
    return Progress(
        state=RowState(entry.state), position=entry.position, in_flight=entry.in_flight, done=entry.done
    )


def _already(step: Step, direction: Direction) -> StepOutcome:
    return StepOutcome(key=step.key, direction=direction, already=True)


def _flush(editor: BaseDatabaseSchemaEditor) -> None:
    """
    Send what Django puts off to the end of the schema transaction: foreign keys, most indexes.

    Django records the migration after that, in a transaction of its own; a kill between the
    two leaves tables that no ledger knows. Sent from here, everything is one transaction.
    """
    for statement in editor.deferred_sql:
        editor.execute(statement, None)
    editor.deferred_sql.clear()
