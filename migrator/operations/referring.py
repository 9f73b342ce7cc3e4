"""Columns that refer to a model: by foreign keys of the database, and by what models declare without one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps

Place = tuple[str, str]
"""A table and its column, quoted as the database wants them."""

# Of a partitioned table the whole is changed, and its parts with it.
_KEYS = """
SELECT CAST(CAST(c.conrelid AS regclass) AS text), quote_ident(a.attname)
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.conparentid = 0 AND c.confrelid = to_regclass(%s)"""
_STANDS = "SELECT to_regclass(%s) IS NOT NULL"


def referring(connection: Any, model: Any) -> set[Place]:
    """
    Return tables and columns whose values are keys of a model's rows.

    Args:
        connection: Of the database.
        model: The model, as it is in code.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_KEYS, [connection.ops.quote_name(model._meta.db_table)])
            found: set[Place] = set(cursor.fetchall())
    else:
        found = set(_introspected(connection, model._meta.db_table))
    return found | set(_declared(connection, model))


def _introspected(connection: Any, target: str) -> Iterator[Place]:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for column, there in connection.introspection.get_relations(cursor, table).items():
                if there[1] == target:
                    yield quote(table), quote(column)


def _declared(connection: Any, target: Any) -> Iterator[Place]:
    quote = connection.ops.quote_name
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if field.is_relation and field.related_model is target and _stands(connection, model):
                yield quote(model._meta.db_table), quote(field.column)


def _stands(connection: Any, model: Any) -> bool:
    table = model._meta.db_table
    if connection.vendor != "postgresql":
        return table in connection.introspection.table_names()
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, [connection.ops.quote_name(table)])
        return bool(cursor.fetchone()[0])
