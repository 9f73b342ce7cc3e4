"""The rows that stood before the trigger, filled."""

from __future__ import annotations

from typing import Any

from django.db.migrations.state import ProjectState

from accord.seam.types import Phase
from migrator.operations import batches, checks
from migrator.operations.base import ColumnOperation, refuse_transaction
from migrator.operations.standing import refuse_loss, refuse_other


class CopyColumn(ColumnOperation):
    """
    Fill the new column of the rows that stand, some at a time, and make sure that none says otherwise.

    For a migration with `atomic = False`. A run that was killed is taken up: what is filled stays. Undone, it
    leaves the values, which the trigger keeps in step.
    """

    atomic = False
    phase = Phase.BACKFILL
    goes_on = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the state alone."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Fill, then compare."""
        model = self.model(app_label, to_state, schema_editor)
        if model is None:
            return
        refuse_transaction(self, schema_editor)
        change = self.change(model, schema_editor)
        refuse_other(change, schema_editor, model._meta.label)
        batches.fill(change, schema_editor, column=change.new, value=change.new_value())
        for statement in checks.validated(change, model, model._meta.get_field(self.new), schema_editor):
            schema_editor.execute(statement, None)
        if not schema_editor.collect_sql:
            refuse_loss(change, schema_editor, model._meta.label)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Leave the values."""

    def describe(self) -> str:
        """Say what it is, for people."""
        return f"Fill {self.new} on {self.model_name} from {self.old}"

    @property
    def migration_name_fragment(self) -> str:
        """Return a part of a file's name."""
        return f"copy_{self.model_name.lower()}_{self.new.lower()}"
