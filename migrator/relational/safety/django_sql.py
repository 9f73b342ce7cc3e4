"""
The statements that Django's schema editor would send, made by its own code, so that names are its own.

Django keeps these methods to itself; this is the one module that calls them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from django.db.backends.ddl_references import Statement
from django.db.backends.utils import split_identifier
from django.db.models import NOT_PROVIDED, Model

from migrator.foretelling.tokens import plain

LONGEST_NAME = 63
"""Bytes of a name; of a longer one the server keeps a part, by a rule of its own."""


def indexes(model: type[Model], editor: Any, field: Any) -> Sequence[Statement]:
    """Return those of the indexes of a field by itself."""
    found: Sequence[Statement] = editor._field_indexes_sql(model, field)  # noqa: SLF001 - see above
    return found


def reference(model: type[Model], editor: Any, field: Any) -> Statement:
    """Return that of a foreign key."""
    suffix = "_fk_%(to_table)s_%(to_column)s"
    statement: Statement = editor._create_fk_sql(model, field, suffix)  # noqa: SLF001 - see above
    return statement


def check(model: type[Model], editor: Any, name: str, condition: str) -> Statement:
    """Return that of a check."""
    statement: Statement = editor._create_check_sql(model, name, condition)  # noqa: SLF001 - see above
    return statement


def unique(model: type[Model], editor: Any, fields: Sequence[str], name: str | None = None) -> Statement:
    """Return that of fields that are unique together; under Django's own name unless one is given."""
    found = [model._meta.get_field(field) for field in fields]
    statement: Statement = editor._create_unique_sql(model, found, name=name)  # noqa: SLF001 - see above
    return statement


def live_uniques(model: type[Model], editor: Any, fields: Sequence[str]) -> Sequence[str]:
    """Name the unique constraints of just these fields that no model names, as the server has them."""
    found: list[Any] = [model._meta.get_field(field) for field in fields]
    named = {constraint.name for constraint in model._meta.constraints}
    columns = [field.column for field in found]
    live: Sequence[str] = editor._constraint_names(  # noqa: SLF001 - see above
        model, columns, unique=True, primary_key=False, exclude=named
    )
    return live


def name_of(statement: Statement) -> str:
    """Return the name of what a statement makes, as the catalog has it."""
    return plain(str(statement.parts["name"]))


def name_by_server(model: type[Model], field: Any, suffix: str) -> str:
    """
    Return the name that PostgreSQL gives to a constraint of one column that has none; it may be too long.

    Args:
        model: The model.
        field: The field of the column.
        suffix: `key` or `check`.
    """
    return f"{split_identifier(model._meta.db_table)[1]}_{field.column}_{suffix}"


def bare(field: Any, *, reference: bool) -> Any:
    """
    Return a field that Django adds without index, unique constraint and check.

    Args:
        field: The field.
        reference: With its foreign key.
    """
    copied = copy.copy(field)
    copied.__dict__.pop("unique", None)  # Django keeps what it computed
    copied._unique, copied.db_index = False, False  # noqa: SLF001 - see above
    copied.db_check = _no_check
    copied.db_constraint = reference and getattr(field, "db_constraint", False)
    return copied


def with_default(field: Any, default: Any) -> Any:
    """Return a field with the default that an operation gives it for this once; the field itself if none."""
    if default is NOT_PROVIDED:
        return field
    copied = copy.copy(field)
    copied.__dict__.pop("_get_default", None)  # as above
    copied.default = default
    return copied


def _no_check(connection: Any) -> None:  # noqa: ARG001 - as Django calls it
    return None
