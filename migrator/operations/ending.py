"""The old column and the trigger, taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.migrations import RemoveField
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

from accord.seam.types import Phase
from migrator.operations import batches, checks
from migrator.operations.base import ColumnOperation, refuse_transaction
from migrator.operations.change import Change
from migrator.operations.standing import has_column, refuse_hanging, refuse_loss, refuse_other
from migrator.relational.safety import django_sql


class EndColumnChange(ColumnOperation):
    """
    Take the old column away, once no release reads or writes it.

    For a migration with `atomic = False`. Until it has run, going back is undoing. Undone, it makes the old
    column again, fills it from the new one in batches, and keeps both in step.
    """

    atomic = False
    phase = Phase.CONTRACT
    goes_on = True

    def as_django(self) -> Sequence[Operation]:
        """Return that a column goes."""
        return (RemoveField(self.model_name, self.old),)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Take the old field out of the state."""
        state.remove_field(app_label, self.model_name.lower(), self.old)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Compare a last time, then drop."""
        model = self.model(app_label, from_state, schema_editor)
        if model is None:
            return
        refuse_transaction(self, schema_editor)
        change = self.change(model, schema_editor)
        if not schema_editor.collect_sql:
            if not has_column(change, change.old, schema_editor):
                return  # dropped by a run that was killed right after
            refuse_other(change, schema_editor, model._meta.label)
            refuse_hanging(change, change.old, model, schema_editor)
            refuse_loss(change, schema_editor, model._meta.label)
        with transaction.atomic(using=schema_editor.connection.alias):
            for statement in (*change.end(), f"ALTER TABLE {change.table} DROP COLUMN {change.old}"):
                schema_editor.execute(statement, None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Make the old column again, and fill it."""
        model = self.model(app_label, to_state, schema_editor)
        if model is None:
            return
        refuse_transaction(self, schema_editor)
        change = self.change(model, schema_editor)
        field = model._meta.get_field(self.old)
        _make_again(change, model, field, schema_editor)
        batches.fill(change, schema_editor, column=change.old, value=change.old_value())
        for statement in _rest(change, model, field, schema_editor):
            schema_editor.execute(statement, None)

    def describe(self) -> str:
        """Say what it is, for people."""
        return f"End the change of {self.old} on {self.model_name} into {self.new}"

    @property
    def migration_name_fragment(self) -> str:
        """Return a part of a file's name."""
        return f"end_{self.model_name.lower()}_{self.new.lower()}"


def _make_again(change: Change, model: type[Model], field: Any, editor: Any) -> None:
    """Add the old column, empty, and the trigger."""
    empty = django_sql.bare(field, reference=False)
    empty.null = True
    with transaction.atomic(using=editor.connection.alias):
        if editor.collect_sql or not has_column(change, change.old, editor):
            editor.add_field(model, empty)
        for statement in change.begin():
            editor.execute(statement, None)


def _rest(change: Change, model: type[Model], field: Any, editor: Any) -> Iterator[str]:
    """Yield the statements that make of a filled column what it was."""
    yield from checks.added(change, model, field, editor)
    yield from checks.validated(change, model, field, editor)
    yield from _required(change, field)
    yield from _indexes(change, model, field, editor)


def _required(change: Change, field: Any) -> Iterator[str]:
    """Yield statements by which a filled column takes no NULL any more; none reads rows under its lock."""
    if field.null:
        return
    guard = f'{change.name[:-1]}_given"'
    yield f"ALTER TABLE {change.table} DROP CONSTRAINT IF EXISTS {guard}"
    yield f"ALTER TABLE {change.table} ADD CONSTRAINT {guard} CHECK ({change.old} IS NOT NULL) NOT VALID"
    yield f"ALTER TABLE {change.table} VALIDATE CONSTRAINT {guard}"
    yield f"ALTER TABLE {change.table} ALTER COLUMN {change.old} SET NOT NULL"
    yield f"ALTER TABLE {change.table} DROP CONSTRAINT {guard}"


def _indexes(change: Change, model: type[Model], field: Any, editor: Any) -> Iterator[str]:
    """Yield statements that build the field's own indexes beside those who write, or build them anew."""
    statements = [*django_sql.indexes(model, editor, field)]
    for name, statement in [(editor.quote_name(django_sql.name_of(each)), str(each)) for each in statements]:
        yield f"DROP INDEX CONCURRENTLY IF EXISTS {name}"
        yield statement.replace("INDEX", "INDEX CONCURRENTLY", 1)
    if field.unique:
        server = django_sql.name_by_server(model, field, "key")
        name = editor.quote_name(server[: django_sql.LONGEST_NAME])
        yield f"ALTER TABLE {change.table} DROP CONSTRAINT IF EXISTS {name}"
        yield f"DROP INDEX CONCURRENTLY IF EXISTS {name}"
        yield f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {change.table} ({change.old})"
        yield f"ALTER TABLE {change.table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}"
