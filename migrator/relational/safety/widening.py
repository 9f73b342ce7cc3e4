"""A primary key of whole numbers gets another width, and so does whatever refers to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.migrations import AlterField
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from migrator.relational.safety import django_sql
from migrator.relational.safety.alterations import OF_MODELS
from migrator.relational.safety.case import Case, reversed_parts
from migrator.relational.safety.tables import sizes
from migrator.relational.safety.twins import exchange_parts, twin_parts
from migrator.relational.safety.widths import RANGES, Wide

_AUTO = {"AutoField", "BigAutoField", "SmallAutoField"}


def widening(case: Case) -> Sequence[Operation]:
    """Rewrite a primary key that changes its width, and nothing else."""
    if type(case.operation) is not AlterField:
        return ()
    old: Any = case.before._meta.get_field(case.operation.name)
    new: Any = case.after._meta.get_field(case.operation.name)
    if not (case.has_column(old) and case.has_column(new)) or not is_widened(old, new, case.connection):
        return ()
    relations = sorted(
        ((was.field, becomes.field) for was, becomes in django_sql.related(old, new)), key=_place
    )
    columns = list(dict.fromkeys(_columns([(old, new), *relations], case.connection)))
    if not _are_ordinary(columns, case.connection):
        return ()
    exchange = exchange_parts(columns, _naming([field for _, field in relations]))
    # The old columns go as the twins came, so that the way back fills them again.
    return [*twin_parts(columns), *exchange, *reversed_parts([*twin_parts([wide.back for wide in columns])])]


def is_widened(old: Any, new: Any, connection: Any) -> bool:
    """Return whether a field is a primary key before and after, and its width alone differs."""
    kinds = [field.db_type(connection) for field in (old, new)]
    if not (old.primary_key and new.primary_key) or old.remote_field or new.remote_field:
        return False
    if kinds[0] == kinds[1] or not set(kinds) <= RANGES.keys() or old.column != new.column:
        return False
    if len({field.get_internal_type() in _AUTO for field in (old, new)}) > 1:
        return False
    was, becomes = old.deconstruct()[3], new.deconstruct()[3]
    differs = {name for name in was.keys() | becomes.keys() if was.get(name) != becomes.get(name)}
    return not differs - set(new.non_db_attrs) - OF_MODELS - {"serialize"}


def widened(
    connection: Any, app: str, model: str, operation: AlterField, state: ProjectState
) -> Iterator[str]:
    """
    Name the tables, beside its own, of which an operation changes the width of a column.

    Args:
        connection: Of the database.
        app: Label of its app.
        model: Name of its model before the migration.
        operation: The operation.
        state: State before it; stays as it is.
    """
    field: Any = state.models[app, model].fields.get(operation.name)
    if field is None or not (field.primary_key and operation.field.primary_key):
        return
    if field.db_type(connection) == operation.field.db_type(connection):
        return
    bound: Any = state.clone().apps.get_model(app, model)._meta.get_field(operation.name)
    yield from (was.related_model._meta.db_table for was, _ in django_sql.related(bound, bound))


def _place(pair: tuple[Any, Any]) -> tuple[str, str]:
    """Tell where a relation stands: Django gives those of one name in any order, a rerun needs the same."""
    return pair[1].model._meta.db_table, pair[1].column


def _columns(fields: Sequence[tuple[Any, Any]], connection: Any) -> Iterator[Wide]:
    for old, new in fields:
        kinds = [field.db_parameters(connection)["type"] for field in (old, new)]
        if kinds[0] != kinds[1]:
            yield Wide(new.model._meta.db_table, new.column, kinds[0], kinds[1], null=bool(new.null))


def _are_ordinary(columns: Sequence[Wide], connection: Any) -> bool:
    tables = {wide.table for wide in columns}
    found = sizes(connection, tables)
    known = {wide.old for wide in columns} | {wide.new for wide in columns}
    return (
        found.keys() == tables and all(size.is_ordinary for size in found.values()) and known <= RANGES.keys()
    )


def _naming(fields: Sequence[Any]) -> Any:
    def names(editor: Any) -> Sequence[tuple[str, str, str]]:
        bound = [field for field in fields if field.db_constraint]
        return [
            (
                field.model._meta.db_table,
                field.column,
                django_sql.name_of(django_sql.rebuilt_reference(field.model, editor, field)),
            )
            for field in bound
        ]

    return names
