"""The sequences that belong to a table's columns, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.utils import truncate_name

_OWNED = """
SELECT s.relname FROM pg_class s
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
WHERE s.relkind = 'S' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(%s)
ORDER BY 1"""
_LONGEST = 63


def owned_by(editor: Any, table: str) -> Sequence[str]:
    """
    Name the sequences of a table's columns.

    Args:
        editor: Django's schema editor; one that only collects SQL asks, too, so that it shows what is sent.
        table: The table, as models write it.
    """
    if editor.connection.vendor != "postgresql":
        return ()
    with editor.connection.cursor() as cursor:
        cursor.execute(_OWNED, [editor.quote_name(table)])
        return [name for (name,) in cursor.fetchall()]


def fitting(name: str) -> str:
    """Return a name that isn't too long."""
    return truncate_name(name, _LONGEST)
