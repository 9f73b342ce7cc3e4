"""The key along which a table is walked over, as the server has it, and how rows are named by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accord.errors import StepFailed
from migrator.operations.sql import Sql, ask
from migrator.operations.walking import Place, Walk

NAMED = 5
_TOLD = frozenset({"smallint", "integer", "bigint", "numeric", "uuid"})
"""Types of keys that are told; a key that is a text may be a name."""
_COLUMNS = Sql("""
SELECT format_type(a.atttypid, -1), a.attnum::text, a.attnotnull
FROM unnest(%s::text[]) WITH ORDINALITY AS k(name, place)
JOIN pg_attribute a ON a.attrelid = to_regclass(%s) AND quote_ident(a.attname) = quote_ident(k.name)
    AND NOT a.attisdropped
ORDER BY k.place""")
_INDEXED = Sql("""
SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
    WHERE i.indrelid = to_regclass(%s) AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'
    AND (string_to_array(i.indkey::text, ' '))[1:cardinality(%s::text[])] = %s::text[])""")

_UNIQUE = Sql("""
SELECT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
    WHERE i.indrelid = to_regclass(%s) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
    AND a.attnum = ANY(i.indkey) AND a.attname = ANY(%s))""")


def walk_along(connection: Any, table: str, keys: Sequence[str]) -> Walk:
    """
    Return the walk over a table along its key.

    Args:
        connection: Of a PostgreSQL database.
        table: Quoted.
        keys: Quoted columns of the key.

    Raises:
        StepFailed: There is no such column, or no index that begins with the key; each batch would read
            the whole table, and rows whose key is NULL would be passed over.
    """
    plain = [unquoted(key) for key in keys]
    found = ask(connection, Sql(_COLUMNS.text, (plain, table)))
    numbers = [number for _, number, _ in found]
    filled = all(is_filled for _, _, is_filled in found)
    if (
        len(found) < len(keys)
        or not filled
        or not ask(connection, Sql(_INDEXED.text, (table, numbers, numbers)))[0][0]
    ):
        raise StepFailed(
            f"{table} can't be walked over by {', '.join(keys)}: it is no primary key there, nor NOT NULL "
            "with an index that begins with it.",
            hint="Make it the primary key, or give it NOT NULL and a unique index; then run it again.",
        )
    return Walk(table=table, keys=tuple(keys), types=tuple(kind for kind, _, _ in found))


def has_unique(connection: Any, table: str, columns: Sequence[str]) -> bool:
    """Return whether others may refer to any of some quoted columns."""
    return bool(ask(connection, Sql(_UNIQUE.text, (table, [unquoted(one) for one in columns])))[0][0])


def are_told(walk: Walk) -> bool:
    """Return whether keys of a table may be named and kept: no text is, which may be a name."""
    return _TOLD.issuperset(walk.types)


def shown(walk: Walk, places: Sequence[Place]) -> str:
    """Name rows by their keys; empty where there are none."""
    if not places:
        return ""
    if not are_told(walk):
        return "rows whose keys are texts; these may be names, and aren't told"
    named = ", ".join(place[0] if len(place) == 1 else f"({', '.join(place)})" for place in places[:NAMED])
    return f"key {named}{' and others' if len(places) > NAMED else ''}"


def unquoted(name: str) -> str:
    """Return a name as the catalog has it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
