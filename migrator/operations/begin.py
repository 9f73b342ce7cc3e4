"""The column that comes, and the trigger that keeps it and the old one in step."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from django.db import NotSupportedError
from django.db.migrations import AddField
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field

from accord.seam.types import Phase
from migrator.operations import checks
from migrator.operations.base import ColumnOperation
from migrator.operations.standing import refuse_hanging
from migrator.relational.safety import django_sql


class BeginColumnChange(ColumnOperation):
    """
    Add the field that comes, which may be NULL for now, and have the database write both fields along.

    From then on releases may read and write either of them. Undone, the new column goes, and nothing with it.

    Args:
        model_name: The model.
        old: Field that goes.
        new: Field that comes.
        field: What comes. Its indexes, constraints and NOT NULL follow once it is filled, by operations of
            their own.
        forwards: SQL of the new value with `{old}`. It runs in the application's writes: what it refuses,
            they are refused.
        backwards: SQL of the old value with `{new}`.
    """

    phase = Phase.EXPAND

    def __init__(
        self, model_name: str, old: str, new: str, field: Any, *, forwards: str = "", backwards: str = ""
    ) -> None:
        super().__init__(model_name, old, new, forwards=forwards, backwards=backwards)
        self.field = field

    def as_django(self) -> Sequence[Operation]:
        """Return that a column comes."""
        return (AddField(self.model_name, self.new, _for_now(self.field)),)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what it is made of."""
        name, args, words = super().deconstruct()
        return name, [*args, self.field], words

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add the field to the state."""
        state.add_field(
            app_label, self.model_name.lower(), self.new, _for_now(self.field), preserve_default=True
        )

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add column and trigger."""
        model = self.model(app_label, to_state, schema_editor)
        if model is None:
            return
        self._refuse_keys(model)
        change, field = self.change(model, schema_editor), model._meta.get_field(self.new)
        schema_editor.add_field(model, django_sql.bare(field, reference=False))
        for statement in (*checks.added(change, model, field, schema_editor), *change.begin()):
            schema_editor.execute(statement, None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Take trigger and column away; the old column has every value."""
        model = self.model(app_label, from_state, schema_editor)
        if model is None:
            return
        change = self.change(model, schema_editor)
        refuse_hanging(change, change.new, model, schema_editor)
        for statement in (*change.end(), f"ALTER TABLE {change.table} DROP COLUMN {change.new}"):
            schema_editor.execute(statement, None)

    def _refuse_keys(self, model: Any) -> None:
        for name in (self.old, self.new):
            field = model._meta.get_field(name)
            is_key = field in model._meta.pk_fields
            if is_key or field.is_relation or not field.concrete or field.generated:
                raise NotSupportedError(
                    f"{model._meta.label}.{name} can't be changed in steps: keys, relations and generated "
                    "fields hang on other tables or columns. Add a second field; move its uses one by one."
                )
        new = model._meta.get_field(self.new)
        if new.has_default() or new.has_db_default():
            raise NotSupportedError(
                f"{model._meta.label}.{self.new} takes no default while {self.old} stands: rows of a release "
                f"that knows {self.old} alone would get it. Give it that by AlterField, with EndColumnChange."
            )
        if new.unique or new.db_index:
            raise NotSupportedError(
                f"{model._meta.label}.{self.new} gets its index after it is filled: leave it out here, and "
                "add it by AlterField, AddIndex or AddConstraint in a migration behind CopyColumn."
            )

    def describe(self) -> str:
        """Say what it is, for people."""
        return f"Begin to change {self.old} on {self.model_name} into {self.new}"

    @property
    def migration_name_fragment(self) -> str:
        """Return a part of a file's name."""
        return f"begin_{self.model_name.lower()}_{self.new.lower()}"


def _for_now(field: Field[Any, Any]) -> Field[Any, Any]:
    """Return a field as it can be while no row is filled."""
    found = copy.copy(field)
    found.null = True
    return found
