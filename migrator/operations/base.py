"""What the operations of a column change have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import NotSupportedError
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

from accord.seam.types import Phase
from migrator.operations.change import Change


class ColumnOperation(Operation):
    """
    One step of the change of a column.

    Args:
        model_name: The model.
        old: Field that goes.
        new: Field that comes.
        forwards: SQL that gives the new column's value, with `{old}` where the old column stands; the
            value as it is, or cast, unless given.
        backwards: The same the other way round, with `{new}`.
    """

    reversible = True
    phase: Phase

    def __init__(
        self, model_name: str, old: str, new: str, *, forwards: str = "", backwards: str = ""
    ) -> None:
        self.model_name = model_name
        self.old = old
        self.new = new
        self.forwards = forwards
        self.backwards = backwards

    def as_django(self) -> Sequence[Operation]:
        """Return the operations of Django's that change the same of a table; lint reads those."""
        return ()

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what it is made of."""
        said = {"forwards": self.forwards, "backwards": self.backwards}
        words = {name: text for name, text in said.items() if text}
        return type(self).__qualname__, [self.model_name, self.old, self.new], words

    def references_model(self, name: str, app_label: str) -> bool:
        """Say whether it is about a model, for Django's optimizer."""
        return name.lower() == self.model_name.lower()

    def model(self, app_label: str, state: ProjectState, editor: Any) -> type[Model] | None:
        """
        Return the model with both fields; None where this database has nothing to do with it.

        Raises:
            NotSupportedError: The database isn't PostgreSQL.
        """
        model: type[Model] = state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(editor.connection.alias, model):
            return None
        if editor.connection.vendor != "postgresql":
            raise NotSupportedError(
                f"{type(self).__qualname__} needs PostgreSQL: nothing in {editor.connection.display_name} "
                "keeps two columns in step. Rename or alter the field by RenameField or AlterField there."
            )
        return model

    def change(self, model: type[Model], editor: Any) -> Change:
        """Return what is exchanged, in the database's words."""
        old: Any = model._meta.get_field(self.old)
        new: Any = model._meta.get_field(self.new)
        quote = editor.quote_name
        return Change(
            table=quote(model._meta.db_table),
            old=quote(old.column),
            new=quote(new.column),
            keys=tuple(quote(field.column) for field in model._meta.pk_fields),
            old_type=old.db_type(editor.connection) or "",
            new_type=new.db_type(editor.connection) or "",
            **self._said(),
        )

    def _said(self) -> Mapping[str, str]:
        return {"forwards": self.forwards, "backwards": self.backwards}


def refuse_transaction(operation: Operation, editor: Any) -> None:
    """
    Check that an operation may commit in its middle.

    Raises:
        NotSupportedError: The migration is one transaction.
    """
    if not editor.collect_sql and editor.connection.in_atomic_block:
        raise NotSupportedError(
            f"{type(operation).__qualname__} commits in batches, and can't be part of one transaction: say "
            "atomic = False in its migration."
        )
