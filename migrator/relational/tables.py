"""
PostgreSQL's tables by their oid, the one look-up that every name of a model goes through.

A model may place its table in a schema (`db_table = 'app"."thing'`), which the search path need not lead
to. Such a table is in no list of visible names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction

_OIDS = """
SELECT t.name, c.oid FROM unnest(%s::text[], %s::text[]) AS t(name, quoted)
JOIN pg_class c ON c.oid = to_regclass(t.quoted) AND c.relkind IN ('r', 'p', 'f')
"""
_PLACE = """
SELECT quote_ident(n.nspname), c.relname, current_setting('search_path')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)
"""


def oids(connection: Any, names: Sequence[str]) -> Mapping[str, int]:
    """
    Find tables.

    Args:
        connection: Of a PostgreSQL database.
        names: Names of tables as models write them: found by the search path, or with a schema in them.

    Returns:
        The oid of each that is there.
    """
    quoted = [connection.ops.quote_name(name) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_OIDS, [list(names), quoted])
        return dict(cursor.fetchall())


@contextmanager
def introspected(connection: Any, table: str) -> Iterator[str]:
    """
    Yield the name by which Django's introspection, which takes no schema, finds a table meanwhile.

    Args:
        connection: Of a PostgreSQL database.
        table: Name of a table that is there, as its model writes it.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(_PLACE, [connection.ops.quote_name(table)])
        schema, name, path = cursor.fetchone()
        cursor.execute(f"SET LOCAL search_path TO {schema}, {path}")
        yield name
        cursor.execute(f"SET LOCAL search_path TO {path}")
