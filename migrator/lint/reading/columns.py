"""A field of a model, as the column that it becomes."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Value
from django.db.models.fields import NOT_PROVIDED
from django.db.models.functions import Random

from migrator.lint.reading.tables import Tables, is_relation

_SMALL_KEYS = ("AutoField", "SmallAutoField")


class Columns:
    """
    Tells what fields become in a database, without asking it.

    Args:
        connection: Of a PostgreSQL; stays closed.
        tables: Where relations point.
    """

    def __init__(self, connection: BaseDatabaseWrapper, tables: Tables) -> None:
        self._connection = connection
        self._tables = tables

    def type_of(self, field: Any, app: str, model: str) -> str:
        """Return the type of a field's column; empty where it can't be known."""
        try:
            if is_relation(field):
                return self._type_of_relation(field, app, model)
            return field.db_type(self._connection) or ""
        except Exception:  # noqa: BLE001 - a field of somebody else's may need a model, or anything
            return ""

    def _type_of_relation(self, field: Any, app: str, model: str) -> str:
        target = self._tables.target(field.remote_field.model, app, model)
        key = self._tables.key_of(*target)
        if key is None or field.remote_field.field_name not in (None, getattr(key, "name", None), "id"):
            return ""
        if is_relation(key):
            return self._type_of_relation(key, *target)
        return key.rel_db_type(self._connection) or ""


def has_index(field: Any) -> bool:
    """Return whether Django makes an index for a field besides that of a constraint."""
    return bool(field.db_index) and not field.unique


def is_computed(field: Any) -> bool:
    """Return whether a column is computed from others and stored, or counted up."""
    stored = getattr(field, "generated", False) and getattr(field, "db_persist", False)
    return stored or isinstance(field, models.AutoField | models.BigAutoField | models.SmallAutoField)


def has_small_key(field: Any) -> bool:
    """Return whether a field is a primary key that ends at 2,147,483,647 or before."""
    return field.primary_key and field.get_internal_type() in _SMALL_KEYS


def default_of(field: Any) -> str:
    """Return a column's default in the database, in words that `is_constant` of foretelling reads."""
    default: Any = getattr(field, "db_default", NOT_PROVIDED)
    if default is NOT_PROVIDED:
        return ""
    if not hasattr(default, "resolve_expression"):
        return "'a literal'"
    return "random()" if any(_may_differ(part) for part in default.flatten()) else "now()"


def _may_differ(expression: Any) -> bool:
    """Return whether an expression may give each row something else: what isn't known to be even may."""
    if isinstance(expression, Random):
        return True
    is_djangos = type(expression).__module__.startswith("django.db.models")
    return not (is_djangos or isinstance(expression, Value) or type(expression).__name__ == "TransactionNow")
