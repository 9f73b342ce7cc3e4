"""The check that a field brings along (a positive number), without a look at rows under a lock."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from migrator.operations.change import Change
from migrator.relational.safety import django_sql


def added(change: Change, model: type[Model], field: Any, editor: Any) -> tuple[str, ...]:
    """Return the statements that add it for rows that are written from now on; none for most fields."""
    condition = field.db_parameters(editor.connection)["check"]
    if not condition:
        return ()
    name = _name(model, field)
    return (
        f"ALTER TABLE {change.table} DROP CONSTRAINT IF EXISTS {editor.quote_name(name)}",
        f"{django_sql.check(model, editor, name, condition)} NOT VALID",
    )


def validated(change: Change, model: type[Model], field: Any, editor: Any) -> tuple[str, ...]:
    """Return the statement that has the server look at the rows that stand, beside readers and writers."""
    if not field.db_parameters(editor.connection)["check"]:
        return ()
    return (f"ALTER TABLE {change.table} VALIDATE CONSTRAINT {editor.quote_name(_name(model, field))}",)


def _name(model: type[Model], field: Any) -> str:
    return django_sql.name_by_server(model, field, "check")[: django_sql.LONGEST_NAME]
