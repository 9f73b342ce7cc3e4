"""
Which operations are sent in parts, and in which.

Pure, but for one look at the catalog: what a migration becomes hangs on its file and its states, not
on how large a table happens to be, so that a run that was killed is taken up the way it was begun.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.db.migrations import Migration, RenameModel, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from accord.seam.rewriting import LARGE_BYTES, Extent
from migrator.relational.moves import Move, move_of, renamed_tables
from migrator.relational.safety import alterations, checks, columns, indexes, keys, uniques, widening
from migrator.relational.safety.case import Case, Rule, model_name_of
from migrator.relational.safety.tables import Names, Size, are_ordinary, sizes
from migrator.relational.unrolled import Substep, Unroll, backwards, whole
from migrator.relational.vendors import vendor_of

_RULES: Sequence[Rule] = (
    indexes.adding,
    indexes.removing,
    checks.adding,
    checks.removing,
    uniques.adding,
    uniques.removing,
    columns.adding,
    columns.removing,
    alterations.altering,
    keys.becoming,
    widening.widening,
    alterations.together,
)
_KNOWN = (
    operations.AddIndex,
    operations.RemoveIndex,
    operations.AddConstraint,
    operations.RemoveConstraint,
    operations.AddField,
    operations.RemoveField,
    operations.AlterField,
    operations.AlterUniqueTogether,
)
"""Operations of which any is rewritten."""


def unrolling(connection: Any, app: str) -> Unroll:
    """
    Return how the operations of a migration are sent in parts. Goes through one migration once.

    Args:
        connection: Of the database.
        app: Label of the migration's app.
    """
    names = Names(app, connection.ops.max_name_length())

    def parts(substep: Substep) -> Sequence[Substep]:
        names.follow(substep)
        table = _table(names, substep)
        if not table or not _is_ours(connection, app, substep):
            return whole(substep)
        first = names.first(table)
        if not first or not are_ordinary(connection, {table, first}):
            return whole(substep)
        return list(_numbered(substep, _rewritten(connection, app, substep))) or whole(substep)

    return parts


def locks_large(connection: Any, migration: Migration, state: ProjectState, extent: Extent) -> bool:
    """
    Return whether a migration may lock a table that is large; cheap where it is about new tables alone.

    Args:
        connection: Of the database.
        migration: The migration.
        state: State before it; stays as it is.
        extent: Which tables count as large.
    """
    if extent is Extent.OFF or not vendor_of(connection).describes_tables:
        return False
    found = _tables(connection, migration, state)
    return bool(found) and any(_counts(size, extent) for size in sizes(connection, found).values())


def has_parts(connection: Any, migration: Migration, state: ProjectState) -> bool:
    """Return whether any operation of a migration is sent in parts; arguments as above."""
    unroll = unrolling(connection, migration.app_label)
    return any(substep.part is not None for substep in backwards(migration, state, unroll))


def _counts(size: Size, extent: Extent) -> bool:
    return size.is_ordinary and (extent is Extent.EVERY or size.bytes >= LARGE_BYTES)


def _tables(connection: Any, migration: Migration, state: ProjectState) -> Collection[str]:
    """Name the tables that stand before a migration and that an operation is about which may be rewritten."""
    names = Names(migration.app_label, connection.ops.max_name_length())
    first: dict[str, str] = {}
    moved: dict[str, set[str]] = {}
    found = set()
    for operation in _flat(migration.operations):
        if move := move_of(migration.app_label, operation):
            moved[move.name.lower()] = set(_moved(move, state))
        elif isinstance(operation, RenameModel):
            old = operation.old_name_lower
            first[operation.new_name_lower] = first.get(old, old)
        elif isinstance(operation, _KNOWN):
            now = model_name_of(operation).lower()
            model = first.get(now, now)
            found |= moved.get(model, set())
            if (migration.app_label, model) in state.models:
                # On the way back it has its later name.
                found |= {names.table(state, model), names.usual(now)}
                found |= _beside(connection, migration.app_label, model, operation, state)
    return found


def _beside(connection: Any, app: str, model: str, operation: Any, state: ProjectState) -> set[str]:
    """Name the tables beside a model's own that an operation is about."""
    if type(operation) is not operations.AlterField:
        return set()
    return set(widening.widened(connection, app, model, operation, state))


def _moved(move: Move, state: ProjectState) -> Iterator[str]:
    """Yield the names of a table, before and after its model enters the app."""
    if move.old_key in state.models:
        yield from next(renamed_tables(move, state))


def _flat(listed: Sequence[Any]) -> Iterator[Any]:
    for operation in listed:
        yield operation
        yield from _flat(getattr(operation, "database_operations", ()))


def _table(names: Names, substep: Substep) -> str:
    """Return the table that an operation is about; empty for one that is never rewritten."""
    operation: Any = substep.operation
    known = isinstance(operation, _KNOWN)
    return names.table(substep.before, model_name_of(operation).lower()) if known else ""


def _is_ours(connection: Any, app: str, substep: Substep) -> bool:
    """Ask the routers, and whether Django looks after the table at all."""
    operation: Any = substep.operation
    model = substep.before.apps.get_model(app, model_name_of(operation))
    return bool(operation.allow_migrate_model(connection.alias, model))


def _rewritten(connection: Any, app: str, substep: Substep) -> Sequence[Operation]:
    case = Case(connection, app, substep)
    return next((parts for rule in _RULES if (parts := rule(case))), ())


def _numbered(substep: Substep, parts: Sequence[Operation]) -> Iterator[Substep]:
    """Give each part the states that Django would: what is added is there from the first part on."""
    for number, operation in enumerate(parts):
        ends = number == len(parts) - 1
        yield replace(substep, operation=operation, part=number, of=substep.operation, ends=ends)
