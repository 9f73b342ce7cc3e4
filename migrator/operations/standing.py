"""What stands of a column change in the database, by its full definition."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError

from migrator.operations.change import Change

_BODY = """
SELECT p.prosrc, g.tgenabled FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
WHERE g.tgrelid = to_regclass(%s) AND quote_ident(g.tgname) = quote_ident(%s)"""
_COLUMN = """
SELECT EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped)"""

_VIEWS = """
SELECT DISTINCT CAST(r.ev_class AS regclass)::text FROM pg_depend d
JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
WHERE d.refclassid = 'pg_class'::regclass AND a.attrelid = to_regclass(%s) AND a.attname = %s ORDER BY 1"""


def refuse_other(change: Change, editor: Any, label: str) -> None:
    """
    Check that the trigger stands, is on, and does what this change says.

    Args:
        change: The change.
        editor: Django's schema editor; one that only collects SQL isn't asked.
        label: Of the model, for the message.

    Raises:
        IntegrityError: It doesn't: rows would be filled by one rule and kept in step by another.
    """
    if editor.collect_sql:
        return
    with editor.connection.cursor() as cursor:
        cursor.execute(_BODY, [change.table, _plain(change.name)])
        found = cursor.fetchone()
    if found is None or found[1] == "D":
        raise IntegrityError(
            f"{label}: the trigger that keeps {change.old} and {change.new} in step is "
            f"{'off' if found else 'gone'}. Undo BeginColumnChange and begin anew, or put it back."
        )
    if found[0] != change.body:
        raise IntegrityError(
            f"{label}: the change of {change.old} into {change.new} was begun with other words. Say the same "
            "forwards and backwards in each of its operations."
        )


def has_column(change: Change, column: str, editor: Any) -> bool:
    """Return whether a column of the table is there."""
    with editor.connection.cursor() as cursor:
        cursor.execute(_COLUMN, [change.table, _plain(column)])
        return bool(cursor.fetchone()[0])


def views_on(change: Change, column: str, editor: Any) -> str:
    """Name the views that show a column, which the server doesn't drop under them; empty for none."""
    with editor.connection.cursor() as cursor:
        cursor.execute(_VIEWS, [change.table, _plain(column)])
        return ", ".join(name for (name,) in cursor.fetchall())


def _plain(quoted: str) -> str:
    return quoted[1:-1].replace('""', '"') if quoted.startswith('"') else quoted
