"""Django's operations as acts: what each does to which table. No server is asked, no model is rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import models
from django.db.migrations import operations as ops
from django.db.migrations.operations.base import Operation

from migrator.foretelling.acts import Act, Kind
from migrator.lint.reading.columns import (
    Columns,
    default_of,
    has_index,
    has_small_key,
    is_computed,
)
from migrator.lint.reading.tables import (
    Table,
    Tables,
    column_of,
    has_column,
    is_of_postgres,
    is_relation,
)
from migrator.operations import BeginBatches, MoveModel, RequireBatches


class Operations:
    """
    Reads operations.

    Args:
        tables: What stands before each; whoever reads moves it on.
        columns: What fields become.
    """

    def __init__(self, tables: Tables, columns: Columns) -> None:
        self.tables = tables
        self.columns = columns

    def acts(self, app: str, operation: Operation) -> Iterator[Act] | None:
        """Return what an operation does; None where it isn't known."""
        for kind, reader in _READERS.items():
            if isinstance(operation, kind):
                return reader(self, app, operation)
        if type(operation).__module__ == "django.contrib.postgres.operations":
            return self._of_postgres(app, operation)
        return None

    def _of_postgres(self, app: str, operation: Any) -> Iterator[Act]:
        if is_of_postgres(operation, "ValidateConstraint"):
            yield Act(kind=Kind.VALIDATE, table=self._table(app, operation.model_name), name=operation.name)
        elif hasattr(operation, "extension_exists"):
            yield Act(kind=Kind.EXTENSION, name=operation.name)

    def _table(self, app: str, model: str) -> str:
        return self.tables.get(app, model).name

    # --- models ---------------------------------------------------------------------------------

    def create(self, app: str, operation: Any) -> Iterator[Act]:
        """Read CreateModel: the table, and the keys that end early."""
        options = operation.options
        if not options.get("managed", True) or options.get("proxy", False):
            return
        table = options.get("db_table") or self.tables.default_name(app, operation.name)
        yield Act(kind=Kind.CREATE_TABLE, table=table, name=table)
        for name, field in operation.fields:
            if has_small_key(field):
                kind = self.columns.type_of(field, app, operation.name)
                yield Act(
                    kind=Kind.ADD_COLUMN,
                    table=table,
                    columns=(name,),
                    type=kind,
                    unique=True,
                    not_null=True,
                    valid=False,
                )

    def delete(self, app: str, operation: Any) -> Iterator[Act]:
        """Read DeleteModel."""
        table = self.tables.get(app, operation.name)
        if table.managed:
            yield Act(kind=Kind.DROP_TABLE, table=table.name, name=table.name)

    def rename(self, app: str, operation: Any) -> Iterator[Act]:
        """Read RenameModel; a table that was named by hand keeps its name."""
        table = self.tables.get(app, operation.old_name)
        if table.managed and table.name == self.tables.default_name(app, operation.old_name):
            yield from self._renamed(table.name, self.tables.default_name(app, operation.new_name))

    def move(self, app: str, operation: Any) -> Iterator[Act]:
        """Read MoveModel, which leaves the table alone unless its name is to follow."""
        table = self.tables.get(operation.from_app, operation.name)
        if operation.rename_table and table.managed:
            yield from self._renamed(table.name, self.tables.default_name(app, operation.name))

    def rename_table(self, app: str, operation: Any) -> Iterator[Act]:
        """Read AlterModelTable."""
        new = operation.table or self.tables.default_name(app, operation.name)
        yield from self._renamed(self._table(app, operation.name), new)

    def _renamed(self, old: str, new: str) -> Iterator[Act]:
        if old != new:
            yield Act(kind=Kind.RENAME, table=old, target=new)

    def unique_together(self, app: str, operation: Any) -> Iterator[Act]:
        """Read AlterUniqueTogether: what is new."""
        table = self.tables.get(app, operation.name)
        new = {tuple(one) for one in operation.option_value or ()}
        for columns in sorted(new - table.unique_together):
            yield Act(kind=Kind.UNIQUE, table=table.name, columns=columns)
        for columns in sorted(table.unique_together - new):
            yield Act(kind=Kind.DROP_INDEX, table=table.name, columns=columns)

    # --- fields -----------------------------------------------------------------------------------

    def add_field(self, app: str, operation: Any) -> Iterator[Act]:
        """Read AddField."""
        table = self.tables.get(app, operation.model_name)
        name, field = operation.name, operation.field
        if field.many_to_many:
            yield from self._many_to_many(table, name, field)
            return
        if not table.managed or not has_column(field):
            return
        column = column_of(name, field)
        yield Act(
            kind=Kind.ADD_COLUMN,
            table=table.name,
            columns=(column,),
            type=self.columns.type_of(field, app, operation.model_name),
            default=default_of(field),
            not_null=not field.null,
            unique=field.primary_key,
            generated=is_computed(field),
        )
        if field.unique and not field.primary_key:
            yield Act(kind=Kind.UNIQUE, table=table.name, columns=(column,))
        if is_relation(field) and field.db_constraint:
            filled = not field.null or bool(default_of(field)) or field.has_default()
            yield self._foreign_key(table, column, field, app, operation.model_name, valid=filled)
        if has_index(field):
            yield Act(kind=Kind.INDEX, table=table.name, columns=(column,))

    def _many_to_many(self, table: Table, name: str, field: Any) -> Iterator[Act]:
        if field.remote_field.through is None:
            made = field.db_table or f"{table.name}_{name}"
            yield Act(kind=Kind.CREATE_TABLE, table=made, name=made)

    def _foreign_key(
        self, table: Table, column: str, field: Any, app: str, model: str, *, valid: bool
    ) -> Act:
        target = self.tables.get(*self.tables.target(field.remote_field.model, app, model)).name
        return Act(kind=Kind.FOREIGN_KEY, table=table.name, columns=(column,), target=target, valid=valid)

    def remove_field(self, app: str, operation: Any) -> Iterator[Act]:
        """Read RemoveField."""
        table = self.tables.get(app, operation.model_name)
        field = table.fields.get(operation.name)
        if field is not None and field.many_to_many:
            if field.remote_field.through is None:
                made = field.db_table or f"{table.name}_{operation.name}"
                yield Act(kind=Kind.DROP_TABLE, table=made, name=made)
        elif table.managed:
            column = column_of(operation.name, field) if field is not None else operation.name
            yield Act(kind=Kind.DROP_COLUMN, table=table.name, columns=(column,))

    def rename_field(self, app: str, operation: Any) -> Iterator[Act]:
        """Read RenameField; a column that was named by hand keeps its name."""
        table = self.tables.get(app, operation.model_name)
        field = table.fields.get(operation.old_name)
        old, new = operation.old_name, operation.new_name
        if field is not None:
            old, new = column_of(old, field), column_of(new, field)
        if table.managed and old != new:
            yield Act(kind=Kind.RENAME, table=table.name, columns=(old, new))

    def alter_field(self, app: str, operation: Any) -> Iterator[Act]:
        """Read AlterField: what differs between the field before and the one after."""
        table, model = self.tables.get(app, operation.model_name), operation.model_name
        old, new = table.fields.get(operation.name), operation.field
        if old is None or not table.managed or not (has_column(old) and has_column(new)):
            return
        column = column_of(operation.name, new)
        yield from self._changed_shape(table, column, operation.name, old, new, app, model)
        yield from self._changed_keys(table, column, old, new, app, model)

    def _changed_shape(
        self, table: Table, column: str, name: str, old: Any, new: Any, app: str, model: str
    ) -> Iterator[Act]:
        if column_of(name, old) != column:
            yield Act(kind=Kind.RENAME, table=table.name, columns=(column_of(name, old), column))
        types = [self.columns.type_of(field, app, model) for field in (old, new)]
        if types[0] != types[1]:
            yield Act(kind=Kind.TYPE, table=table.name, columns=(column,), type=types[1] or "unknown")
        if old.null and not new.null:
            yield Act(kind=Kind.NOT_NULL, table=table.name, columns=(column,))
        elif new.null and not old.null:
            yield Act(kind=Kind.NULLABLE, table=table.name, columns=(column,))
        if default_of(old) != default_of(new):
            yield Act(kind=Kind.DEFAULT, table=table.name, columns=(column,))

    def _changed_keys(
        self, table: Table, column: str, old: Any, new: Any, app: str, model: str
    ) -> Iterator[Act]:
        if new.unique and not old.unique:
            yield Act(kind=Kind.UNIQUE, table=table.name, columns=(column,), not_null=bool(new.primary_key))
        was_bound = is_relation(old) and old.db_constraint
        if is_relation(new) and new.db_constraint and not was_bound:
            yield self._foreign_key(table, column, new, app, model, valid=True)
        if has_index(new) and not has_index(old) and not old.unique:
            yield Act(kind=Kind.INDEX, table=table.name, columns=(column,))
        if (has_index(old) and not new.db_index) or (old.unique and not new.unique):
            yield Act(kind=Kind.DROP_INDEX, table=table.name, columns=(column,))

    # --- indexes and constraints ------------------------------------------------------------------

    def add_index(self, app: str, operation: Any) -> Iterator[Act]:
        """Read AddIndex, and the one that builds beside writers."""
        table, index = self.tables.get(app, operation.model_name), operation.index
        named = [(name, table.fields.get(name)) for name, _order in index.fields_orders]
        yield Act(
            kind=Kind.INDEX,
            table=table.name,
            name=index.name,
            columns=tuple(column_of(name, field) if field is not None else name for name, field in named),
            expression="expression" if index.expressions else "",
            method="hash" if type(index).__name__ == "HashIndex" else "btree",  # whose module loads a driver
            concurrently=is_of_postgres(operation, "AddIndexConcurrently"),
        )

    def remove_index(self, app: str, operation: Any) -> Iterator[Act]:
        """Read RemoveIndex, and the one that waits beside writers."""
        yield Act(
            kind=Kind.DROP_INDEX,
            table=self._table(app, operation.model_name),
            name=operation.name,
            concurrently=is_of_postgres(operation, "RemoveIndexConcurrently"),
        )

    def add_constraint(self, app: str, operation: Any) -> Iterator[Act]:
        """Read AddConstraint, and the one that leaves old rows alone."""
        constraint: Any = operation.constraint
        table = self._table(app, operation.model_name)
        valid = not is_of_postgres(operation, "AddConstraintNotValid")
        if isinstance(constraint, models.CheckConstraint):
            yield Act(kind=Kind.CHECK, table=table, name=constraint.name, valid=valid)
        elif type(constraint).__name__ == "ExclusionConstraint":  # whose module loads a driver
            yield Act(kind=Kind.EXCLUDE, table=table, name=constraint.name)
        elif issubclass(type(constraint), models.UniqueConstraint):
            plain = constraint.fields and not (
                constraint.condition or constraint.include or constraint.opclasses
            )
            kind = Kind.UNIQUE if plain else Kind.INDEX
            yield Act(kind=kind, table=table, name=constraint.name, columns=constraint.fields, unique=True)
        else:
            yield Act(kind=Kind.UNREAD, table=table, name=constraint.name)

    def remove_constraint(self, app: str, operation: Any) -> Iterator[Act]:
        """Read RemoveConstraint."""
        yield Act(
            kind=Kind.DROP_INDEX,
            table=self._table(app, operation.model_name),
            name=operation.name,
            valid=False,
        )

    def nothing(self, app: str, operation: Any) -> Iterator[Act]:
        """Read what changes no table, or only what it is called."""
        return iter(())

    def ordered(self, app: str, operation: Any) -> Iterator[Act]:
        """Read AlterOrderWithRespectTo, which adds a column."""
        if operation.order_with_respect_to:
            table = self._table(app, operation.name)
            yield Act(kind=Kind.ADD_COLUMN, table=table, columns=("_order",), type="integer", not_null=True)


_READERS: Mapping[type, Callable[[Operations, str, Any], Iterator[Act]]] = {
    ops.CreateModel: Operations.create,
    ops.DeleteModel: Operations.delete,
    ops.RenameModel: Operations.rename,
    MoveModel: Operations.move,
    ops.AlterModelTable: Operations.rename_table,
    ops.AlterUniqueTogether: Operations.unique_together,
    ops.AddField: Operations.add_field,
    ops.RemoveField: Operations.remove_field,
    ops.RenameField: Operations.rename_field,
    ops.AlterField: Operations.alter_field,
    ops.AddIndex: Operations.add_index,
    ops.RemoveIndex: Operations.remove_index,
    ops.AddConstraint: Operations.add_constraint,
    ops.RemoveConstraint: Operations.remove_constraint,
    ops.AlterOrderWithRespectTo: Operations.ordered,
    **dict.fromkeys(
        (
            *(ops.AlterModelOptions, ops.AlterModelManagers, ops.AlterModelTableComment),
            *(ops.AlterIndexTogether, ops.RenameIndex, ops.AlterConstraint),
            *(BeginBatches, RequireBatches),
        ),
        Operations.nothing,
    ),
}
