"""Operations of the suite's own, of which a rewritten one is made, beside those that Django has."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import ValidateConstraint
from django.db.migrations import RemoveConstraint
from django.db.migrations.state import ProjectState


class ValidateOnReturn(ValidateConstraint):
    """Leave a constraint alone on the way forward, and have the server check it on the way back."""

    atomic = True

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Do nothing: what comes next removes it."""

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Check every row, beside writers."""
        super().database_forwards(app_label, schema_editor, to_state, to_state)


class RemoveCheck(RemoveConstraint):
    """Remove a check; on the way back it holds for new rows alone, until it is validated."""

    atomic = True

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add it without a look at the rows that stand."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        constraint = to_state.models[app_label, self.model_name_lower].get_constraint_by_name(self.name)
        sql = constraint.create_sql(model, schema_editor)
        if sql:
            schema_editor.execute(f"{sql} NOT VALID", params=None)
