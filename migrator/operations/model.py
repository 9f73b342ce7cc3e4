"""A model that goes from one app to another, and leaves its rows where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import NotSupportedError, router
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import CheckConstraint, Model

from accord.seam.types import Phase
from migrator.operations import content_types, sequences
from migrator.relational.moves import Move, carry


class MoveModel(Operation):
    """
    Move a model into the app in whose migration this stands; rows, and all that refers to them, stay.

    It stands in a migration of its own, which depends on the last one of each app that names the model.
    The model's content type is renamed in place, so that permissions, generic relations and log entries stay.
    All of it is one transaction. Undone, it takes the model back.

    Args:
        name: The model.
        from_app: Label of the app that it leaves.
        rename_table: Give the table, and those of its many-to-many fields, the names that Django gives them
            in the new app. Without it the table keeps its name, and the model says so by `db_table`: then
            code of before and after finds its rows, and the move belongs behind the deploy.
        names: New names of its indexes and constraints by the old ones, where the model makes names of its
            app's label.
    """

    reversible = True
    atomic = True
    phase: Phase

    def __init__(
        self, name: str, from_app: str, *, rename_table: bool = False, names: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.from_app = from_app
        self.rename_table = rename_table
        self.names = dict(names or {})
        if not rename_table:
            self.phase = Phase.CONTRACT

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what it is made of."""
        said = {"from_app": self.from_app, "rename_table": self.rename_table, "names": self.names}
        return type(self).__qualname__, [self.name], {name: value for name, value in said.items() if value}

    def move_into(self, app_label: str) -> Move:
        """Return the move, into an app."""
        return Move(
            name=self.name,
            old=self.from_app,
            new=app_label,
            renames_table=self.rename_table,
            names=self.names,
        )

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Move the model, and point at it from wherever its old label was named."""
        carry(state, self.move_into(app_label))

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Rename the content type, and what is asked for."""
        old = from_state.apps.get_model(self.from_app, self.name)
        new = to_state.apps.get_model(app_label, self.name)
        self._carry(schema_editor, old, new, self.names)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Do the same the other way round."""
        new = from_state.apps.get_model(app_label, self.name)
        old = to_state.apps.get_model(self.from_app, self.name)
        self._carry(schema_editor, new, old, {now: before for before, now in self.names.items()})

    def _carry(self, editor: Any, source: type[Model], target: type[Model], names: Mapping[str, str]) -> None:
        is_here = _is_here(editor, source, target)
        content_types.rename(editor, source, target)
        if is_here:
            for before, after in _tables(source, target):
                _rename(editor, target, before, after)
            for statement in _naming(editor, target, names):
                editor.execute(statement, None)

    def describe(self) -> str:
        """Say what it is, for people."""
        return f"Move model {self.name} from {self.from_app}"

    @property
    def migration_name_fragment(self) -> str:
        """Return a part of a file's name."""
        return f"move_{self.name.lower()}_from_{self.from_app}"


def _is_here(editor: Any, source: type[Model], target: type[Model]) -> bool:
    """
    Return whether a database has the model's table.

    Raises:
        NotSupportedError: It has that of one of both apps, and routers keep the other's out.
    """
    alias = editor.connection.alias
    before, after = (_takes(alias, model) for model in (source, target))
    if before != after:
        raise NotSupportedError(
            f"“{alias}” takes only one of {source._meta.label} and {target._meta.label}, as routers say: "
            "rows would have to go from one database to another. Copy them; or let routers keep the model "
            "where its table is."
        )
    return before


def _takes(alias: str, model: type[Model]) -> bool:
    return bool(model._meta.can_migrate(alias) and router.allow_migrate_model(alias, model))


def _tables(source: type[Model], target: type[Model]) -> Iterator[tuple[str, str]]:
    """Yield the names before and after, of the table and of those that Django makes for its fields."""
    yield source._meta.db_table, target._meta.db_table
    for field in source._meta.local_many_to_many:
        through: Any = field.remote_field.through
        if through._meta.auto_created:
            after: Any = target._meta.get_field(field.name)
            yield through._meta.db_table, after.remote_field.through._meta.db_table


def _rename(editor: Any, model: type[Model], before: str, after: str) -> None:
    """Rename a table, and the sequences of its columns."""
    if before == after:
        return
    owned = sequences.owned_by(editor, before)
    editor.alter_db_table(model, before, after)
    quote = editor.quote_name
    for sequence in owned:
        if sequence.startswith(f"{before}_"):
            name = sequences.fitting(after + sequence.removeprefix(before))
            editor.execute(f"ALTER SEQUENCE {quote(sequence)} RENAME TO {quote(name)}", None)


def _naming(editor: Any, model: type[Model], names: Mapping[str, str]) -> Iterator[str]:
    """Yield statements that rename indexes and constraints."""
    if names and editor.connection.vendor != "postgresql":
        raise NotSupportedError(
            f"Constraints can't be renamed in {editor.connection.display_name}. Leave names out, and name "
            "them in the model as they are called."
        )
    quote, table = editor.quote_name, editor.quote_name(model._meta.db_table)
    checks = {each.name for each in model._meta.constraints if isinstance(each, CheckConstraint)}
    for before, after in names.items():
        if after in checks:
            yield f"ALTER TABLE {table} RENAME CONSTRAINT {quote(before)} TO {quote(after)}"
        else:  # which renames a constraint that the index is of, too
            yield f"ALTER INDEX {quote(before)} RENAME TO {quote(after)}"
