"""A column takes no NULL any more: filled beside those who write, no row read under a lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.utils import names_digest
from django.db.migrations.operations.base import Operation
from django.db.models import Model

from migrator.relational.safety import django_sql
from migrator.relational.safety.case import Case
from migrator.relational.safety.guards import AddGuard, SetNotNull, ValidateGuard
from migrator.relational.safety.parts import Backfill


def not_null(case: Case, field: Any, model: type[Model], *, fills: bool = True) -> Sequence[Operation]:
    """
    Return the parts after which a column takes no NULL; a check that is validated spares the look.

    Args:
        case: The operation.
        field: The field, with the default that rows get for this once.
        model: Its model.
        fills: Give the default to rows that hold NULL.
    """
    name, column = case.model_name, field.column
    guard = f"accord_notnull_{names_digest(model._meta.db_table, column, length=16)}"

    def makes(of: type[Model], editor: Any) -> Any:
        return django_sql.check(of, editor, guard, f"{editor.quote_name(column)} IS NOT NULL")

    # Before the check, because it would refuse whatever else is changed in a row that isn't filled yet.
    fill = filling(case, field) if fills else []
    return [
        *fill,
        AddGuard(name, guard, makes),
        *fill,
        ValidateGuard(name, guard),
        SetNotNull(name, column, guard),
    ]


def filling(case: Case, field: Any) -> Sequence[Operation]:
    """Return the part that gives rows which hold NULL the default of a field; none if it has no default."""
    if not (field.has_default() or field.has_db_default()):
        return ()
    return (Backfill(case.model_name, field.name, case.one_time_default),)
