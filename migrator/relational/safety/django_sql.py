"""
The statements that Django's schema editor would send, made by its own code, so that names are its own.

Django keeps these methods to itself; this is the one module that calls them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import _related_non_m2m_objects  # type: ignore[attr-defined]
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


def rebuilt_reference(model: type[Model], editor: Any, field: Any) -> Statement:
    """Return that of a foreign key to a column that got another type: then Django names it otherwise."""
    statement: Statement = editor._create_fk_sql(model, field, "_fk")  # noqa: SLF001 - see above
    return statement


def related(old: Any, new: Any) -> Sequence[tuple[Any, Any]]:
    """Return the relations that hang on a field, before and after it changes, and those on these."""
    return list(_related_non_m2m_objects(old, new))


def check(model: type[Model], editor: Any, name: str, condition: str) -> Statement:
    """Return that of a check."""
    statement: Statement = editor._create_check_sql(model, name, condition)  # noqa: SLF001 - see above
    return statement


def unique(model: type[Model], editor: Any, fields: Sequence[str], name: str | None = None) -> Statement:
    """Return that of fields that are unique together; under Django's own name unless one is given."""
    found = [model._meta.get_field(field) for field in fields]
    statement: Statement = editor._create_unique_sql(model, found, name=name)  # noqa: SLF001 - see above
    return statement


def primary(model: type[Model], editor: Any, field: Any, name: str | None = None) -> Statement:
    """Return that of a primary key; under Django's own name unless one is given."""
    statement: Statement = editor._create_primary_key_sql(model, field)  # noqa: SLF001 - see above
    if name is not None:
        statement.parts["name"] = editor.quote_name(name)
    return statement


def database_default(model: type[Model], editor: Any, field: Any) -> tuple[str, Sequence[Any]]:
    """Return what of ALTER TABLE sets a field's default in the database, and its values."""
    found: tuple[str, Sequence[Any]]
    found = editor._alter_column_database_default_sql(model, None, field)  # noqa: SLF001 - see above
    return found


def live_primary(model: type[Model], editor: Any) -> Sequence[str]:
    """Name the primary key that the server has."""
    live: Sequence[str] = editor._constraint_names(model, primary_key=True)  # noqa: SLF001 - see above
    return live


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
        suffix: `key`, `check`, or `pkey`, which says nothing of the column.
    """
    table = split_identifier(model._meta.db_table)[1]
    return f"{table}_{suffix}" if suffix == "pkey" else f"{table}_{field.column}_{suffix}"


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


def empty(field: Any) -> Any:
    """Return a bare field that no row has a value of yet: NULL, and no default."""
    copied = bare(field, reference=False)
    for name in ("_get_default", "_db_default_expression"):  # Django keeps what it computed
        copied.__dict__.pop(name, None)
    copied.default = copied.db_default = NOT_PROVIDED
    copied.null, copied.primary_key, copied.auto_now, copied.auto_now_add = True, False, False, False
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
