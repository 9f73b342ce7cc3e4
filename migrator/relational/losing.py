"""What migrations would drop where their statements are no SQL: told by the operations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db import connections
from django.db.migrations import operations as django_operations
from django.db.models import Model

from accord.seam.losses import Held, HowMany, Loss
from accord.seam.types import Direction, Step, StepKey
from migrator.relational.loader import DiskLoader
from migrator.relational.moves import move_of
from migrator.relational.statements import Explanation
from migrator.relational.unrolled import Substep
from migrator.relational.vendors import vendor_of

_DROPS: Mapping[Direction, Any] = {
    Direction.APPLY: django_operations.DeleteModel,
    Direction.REVERT: django_operations.CreateModel,
}
_UNSETS: Mapping[Direction, Any] = {
    Direction.APPLY: django_operations.RemoveField,
    Direction.REVERT: django_operations.AddField,
}
_RENAMES = (
    django_operations.RenameModel,
    django_operations.AlterModelTable,
    django_operations.RenameField,
)


def losses(
    alias: str, disk: DiskLoader, steps: Sequence[Step], direction: Direction, found: Collection[StepKey]
) -> Iterator[Loss]:
    """
    Count what steps would drop.

    Args:
        alias: The database.
        disk: Migrations as read from disk.
        steps: The steps in their order.
        direction: Which way they would go.
        found: Keys of those that are left where they are.
    """
    connection = connections[alias]
    today = _Today()
    for step, substeps in Explanation(alias, disk, steps).substeps(direction):
        for substep in substeps if step.key not in found else ():
            for table, column in _dropped(step.key.app, substep, direction):
                place = today.of(table, column)
                yield _loss(step.key, *place, vendor_of(connection).held(connection, *place))
            today.follow(step.key.app, substep, direction)


class _Today:
    """Knows what is called how now that will have another name by then."""

    def __init__(self) -> None:
        self._tables: dict[str, str] = {}
        self._columns: dict[tuple[str, str], str] = {}

    def of(self, table: str, column: str) -> tuple[str, str]:
        """Return table and column as they are called now."""
        now = self._tables.get(table, table)
        return now, self._columns.get((now, column), column)

    def follow(self, app: str, substep: Substep, direction: Direction) -> None:
        """Take note of an operation that gives another name."""
        if not isinstance(substep.operation, _RENAMES) and not move_of(app, substep.operation):
            return
        names = [_named(app, substep, old=True), _named(app, substep, old=False)]
        (table, column), (new_table, new_column) = names if direction is Direction.APPLY else names[::-1]
        now, column_now = self.of(table, column)
        if new_table != table:
            self._tables.pop(table, None)
            self._tables[new_table] = now
        elif new_column != column:
            self._columns.pop((now, column), None)
            self._columns[now, new_column] = column_now


def _dropped(app: str, substep: Substep, direction: Direction) -> Iterator[tuple[str, str]]:
    """Yield table and column, as they are called at that point, of what an operation takes away."""
    operation: Any = substep.operation
    standing = substep.before if direction is Direction.APPLY else substep.after
    if isinstance(operation, _DROPS[direction]):
        model = standing.apps.get_model(app, operation.name)
        if model._meta.managed and not model._meta.proxy:
            yield model._meta.db_table, ""
    elif isinstance(operation, _UNSETS[direction]):
        model = standing.apps.get_model(app, operation.model_name)
        field = model._meta.get_field(operation.name)
        if column := getattr(field, "column", None):
            yield model._meta.db_table, column


def _named(app: str, substep: Substep, *, old: bool) -> tuple[str, str]:
    """Return the table, and the column if it is one that is renamed, as they are called before or after."""
    operation: Any = substep.operation
    model_of = (substep.before if old else substep.after).apps.get_model
    if isinstance(operation, django_operations.RenameField):
        model: type[Model] = model_of(app, operation.model_name)
        field: Any = model._meta.get_field(operation.old_name if old else operation.new_name)
        return model._meta.db_table, getattr(field, "column", None) or ""
    if move := move_of(app, operation):
        moved = model_of(*(move.old_key if old else move.new_key))
        return moved._meta.db_table, ""
    renamed = isinstance(operation, django_operations.RenameModel)
    name = (operation.old_name if old else operation.new_name) if renamed else operation.name
    return model_of(app, name)._meta.db_table, ""


def _loss(key: StepKey, table: str, column: str, count: HowMany) -> Loss:
    if column:
        return Loss(key=key, what=f"field {table}.{column}", held=Held.VALUES, count=count)
    return Loss(key=key, what=f"collection {table}", held=Held.DOCUMENTS, count=count)
