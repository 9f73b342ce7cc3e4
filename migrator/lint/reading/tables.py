"""
The tables of a project as its migrations leave them, one after the other; enough to tell what one changes.

Django's own state renders models, which takes longer than everything else here. This one keeps names and
fields.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.migrations import operations as ops
from django.db.migrations.operations.base import Operation
from django.db.migrations.utils import resolve_relation

from migrator.operations import MoveModel
from migrator.operations.base import ColumnOperation
from migrator.relational.loader import Name
from migrator.relational.moves import Move

ModelName = tuple[str, str]
"""App label and name of a model in small letters."""
_LONGEST = 63


@dataclass(kw_only=True)
class Table:
    """
    A table.

    Attributes:
        name: Its name in the database.
        fields: By name, as migrations declare them.
        managed: Whether Django makes it.
        proved: Columns of which a validated CHECK says that they hold no NULL.
        pending: Of the CHECKs that are not validated yet, by name, the columns that they say so of.
        unique_together: Sets of fields, as the option has them.
    """

    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    managed: bool = True
    proved: set[str] = field(default_factory=set)
    pending: dict[str, frozenset[str]] = field(default_factory=dict)
    unique_together: frozenset[tuple[str, ...]] = frozenset()


class Tables:
    """
    All tables; migrations move it on.

    Args:
        cut: How the database cuts a name that is too long.
    """

    def __init__(self, cut: Callable[[str], str] = lambda name: name[:_LONGEST]) -> None:
        self._tables: dict[ModelName, Table] = {}
        self._moved: dict[ModelName, ModelName] = {}
        self._cut = cut
        self.made: dict[str, Name] = {}

    def get(self, app: str, model: str) -> Table:
        """Return a table; an empty one where its migration wasn't read."""
        return self._tables.get(self._now(app, model)) or Table(name=self.default_name(app, model))

    def _now(self, app: str, model: str) -> ModelName:
        """Return how a model is labelled now; what points at it was written with its label of before."""
        label = app, model.lower()
        return label if label in self._tables else self._moved.get(label, label)

    def default_name(self, app: str, model: str) -> str:
        """Return what Django calls the table of a model."""
        return self._cut(f"{app}_{model.lower()}")

    def make(self, table: str, by: Name) -> None:
        """Keep which migration made a table."""
        self.made[table] = by

    def is_fresh(self, table: str, release: Collection[Name]) -> bool:
        """Return whether a table comes with one of some migrations."""
        return self.made.get(table.rpartition(".")[2]) in release

    def column(self, table: str, column: str) -> tuple[str, str, Any] | None:
        """Return the app, the model and the field that a column belongs to; None where no model is known."""
        name = table.rpartition(".")[2]
        for (app, model), found in self._tables.items():
            for field_name, one in found.fields.items() if found.name == name else ():
                if has_column(one) and column_of(field_name, one) == column:
                    return app, model, one
        return None

    def key_of(self, app: str, model: str) -> Any:
        """Return the field that is a model's primary key; None where it isn't known."""
        found = self._tables.get(self._now(app, model))
        keys = (one for one in found.fields.values() if one.primary_key) if found else iter(())
        return next(keys, None)

    def target(self, related: Any, app: str, model: str) -> ModelName:
        """Return the model that a relation points at."""
        found: ModelName = resolve_relation(related, app, model.lower())
        return found

    def move_on(self, app: str, operation: Operation, by: Name) -> None:
        """Take over what an operation does to the state."""
        if is_of_postgres(operation, "ValidateConstraint"):
            self.validate(app, operation)
        if isinstance(operation, ColumnOperation):
            for inner in operation.as_django():
                self.move_on(app, inner, by)
        for kind, mover in _MOVERS.items():
            if isinstance(operation, kind):
                mover(self, app, operation, by)
                return

    # --- what each kind of operation does -----------------------------------------------------

    def create(self, app: str, operation: Any, by: Name) -> None:
        """Take over a new model."""
        options = operation.options
        name = self._cut(options.get("db_table") or self.default_name(app, operation.name))
        is_made = options.get("managed", True) and not options.get("proxy", False)
        self._tables[app, operation.name.lower()] = Table(
            name=name, fields=dict(operation.fields), managed=is_made
        )
        if is_made:
            self.made[name] = by

    def delete(self, app: str, operation: Any, by: Name) -> None:
        """Forget a model; its table may stand on."""
        self._tables.pop((app, operation.name.lower()), None)

    def rename(self, app: str, operation: Any, by: Name) -> None:
        """Take over the new name of a model."""
        table = self._tables.pop((app, operation.old_name_lower), None)
        if table is None:
            return
        self._tables[app, operation.new_name_lower] = table
        if table.name == self.default_name(app, operation.old_name):
            self._rename_table(table, self.default_name(app, operation.new_name))

    def move(self, app: str, operation: Any, by: Name) -> None:
        """Take over that a model belongs to another app."""
        move: Move = operation.move_into(app)
        table = self._tables.pop(move.old_key, None)
        if table is None:
            return
        self._tables[move.new_key] = table
        self._moved = {old: move.new_key if now == move.old_key else now for old, now in self._moved.items()}
        self._moved[move.old_key] = move.new_key
        if move.renames_table and table.managed:
            self._rename_table(table, self.default_name(app, move.name))

    def rename_table(self, app: str, operation: Any, by: Name) -> None:
        """Take over the new name of a table."""
        table = self.get(app, operation.name)
        self._rename_table(table, self._cut(operation.table or self.default_name(app, operation.name)))

    def _rename_table(self, table: Table, name: str) -> None:
        if table.name in self.made:
            self.made[name] = self.made.pop(table.name)
        table.name = name

    def set_field(self, app: str, operation: Any, by: Name) -> None:
        """Take over a new or changed field."""
        self.get(app, operation.model_name).fields[operation.name] = operation.field

    def remove_field(self, app: str, operation: Any, by: Name) -> None:
        """Forget a field."""
        self.get(app, operation.model_name).fields.pop(operation.name, None)

    def rename_field(self, app: str, operation: Any, by: Name) -> None:
        """Take over the new name of a field, in its place."""
        table = self.get(app, operation.model_name)
        table.fields = {
            operation.new_name if name == operation.old_name else name: one
            for name, one in table.fields.items()
        }

    def set_options(self, app: str, operation: Any, by: Name) -> None:
        """Take over whether Django makes a table."""
        self.get(app, operation.name).managed = operation.options.get("managed", True)

    def set_unique_together(self, app: str, operation: Any, by: Name) -> None:
        """Take over sets of unique fields."""
        self.get(app, operation.name).unique_together = frozenset(
            tuple(one) for one in operation.option_value or ()
        )

    def add_constraint(self, app: str, operation: Any, by: Name) -> None:
        """Take over of which columns a CHECK says that they hold no NULL."""
        named = not_null_by(operation.constraint)
        if not named:
            return
        table = self.get(app, operation.model_name)
        if is_of_postgres(operation, "AddConstraintNotValid"):
            table.pending[operation.constraint.name] = named
        else:
            table.proved |= named

    def validate(self, app: str, operation: Any) -> None:
        """Take over that a CHECK holds for all rows."""
        table = self.get(app, operation.model_name)
        table.proved |= table.pending.pop(operation.name, frozenset())

    def apart(self, app: str, operation: Any, by: Name) -> None:
        """Take over the half of an operation that is about the state."""
        for inner in operation.state_operations:
            self.move_on(app, inner, by)


_MOVERS: Mapping[type, Callable[[Tables, str, Any, Name], None]] = {
    ops.CreateModel: Tables.create,
    ops.DeleteModel: Tables.delete,
    ops.RenameModel: Tables.rename,
    MoveModel: Tables.move,
    ops.AlterModelTable: Tables.rename_table,
    ops.AddField: Tables.set_field,
    ops.AlterField: Tables.set_field,
    ops.RemoveField: Tables.remove_field,
    ops.RenameField: Tables.rename_field,
    ops.AlterModelOptions: Tables.set_options,
    ops.AlterUniqueTogether: Tables.set_unique_together,
    ops.AddConstraint: Tables.add_constraint,
    ops.SeparateDatabaseAndState: Tables.apart,
}


def is_of_postgres(operation: Operation, name: str) -> bool:
    """Return whether an operation is one of `django.contrib.postgres`; by name, as that loads a driver."""
    return any(
        kind.__name__ == name and kind.__module__ == "django.contrib.postgres.operations"
        for kind in type(operation).__mro__
    )


def not_null_by(constraint: Any) -> frozenset[str]:
    """Return the fields of which a CHECK says that they hold no NULL, and nothing else may be or'ed to it."""
    condition = getattr(constraint, "condition", None)
    if not isinstance(constraint, models.CheckConstraint) or not isinstance(condition, models.Q):
        return frozenset()
    if condition.negated or (condition.connector != models.Q.AND and len(condition.children) > 1):
        return frozenset()
    pairs = (child for child in condition.children if isinstance(child, tuple))
    return frozenset(
        name.removesuffix("__isnull") for name, value in pairs if name.endswith("__isnull") and value is False
    )


def is_relation(field: Any) -> bool:
    """Return whether a field is a foreign key."""
    return bool(field.remote_field) and not field.many_to_many


def has_column(field: Any) -> bool:
    """Return whether a field becomes a column of its own table."""
    composite = getattr(models, "CompositePrimaryKey", ())
    return not field.many_to_many and not isinstance(field, composite)


def column_of(name: str, field: Any) -> str:
    """Return the name of a field's column."""
    return field.db_column or (f"{name}_id" if is_relation(field) else name)
