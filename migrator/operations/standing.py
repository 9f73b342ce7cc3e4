"""What stands of a column change in the database, by its full definition."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError
from django.db.models import Model

from accord.errors import StepFailed
from migrator.operations import batches
from migrator.operations.change import Change

_BODY = """
SELECT p.prosrc, g.tgenabled FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
WHERE g.tgrelid = to_regclass(%s) AND quote_ident(g.tgname) = quote_ident(%s)"""
_COLUMN = """
SELECT EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped)"""
# Defaults, NOT NULL and the sequence of a column go and come with it, and so do its field's own indexes,
# unique constraint and check; what a model names, or what is about other columns too, doesn't.
_HANGING = """
SELECT DISTINCT CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid)
                     ELSE 'view ' || CAST(r.ev_class AS regclass)::text END
FROM pg_depend d JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
LEFT JOIN pg_class x ON d.classid = 'pg_class'::regclass AND x.oid = d.objid
LEFT JOIN pg_index i ON i.indexrelid = x.oid
WHERE d.refclassid = 'pg_class'::regclass AND a.attrelid = to_regclass(%s) AND a.attname = %s
AND d.classid <> 'pg_attrdef'::regclass AND x.relkind IS DISTINCT FROM 'S' AND c.contype IS DISTINCT FROM 'n'
AND NOT coalesce(c.conrelid = a.attrelid AND c.conkey = ARRAY[a.attnum] AND NOT c.conname = ANY(%s), false)
AND NOT coalesce(i.indnatts = 1 AND i.indkey[0] = a.attnum AND i.indpred IS NULL
                 AND NOT x.relname = ANY(%s), false)
ORDER BY 1"""


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


def refuse_hanging(change: Change, column: str, model: type[Model], editor: Any) -> None:
    """
    Check that nothing would go with a column but what its field brought.

    Args:
        change: The change.
        column: Quoted column that is about to go.
        model: Its model, whose options name indexes and constraints.
        editor: Django's schema editor; one that only collects SQL isn't asked.

    Raises:
        StepFailed: Something would, or keeps the column from going; it is named.
    """
    if editor.collect_sql:
        return
    named = [each.name for each in (*model._meta.indexes, *model._meta.constraints)]
    with editor.connection.cursor() as cursor:
        cursor.execute(_HANGING, [change.table, _plain(column), named, named])
        found = [what for (what,) in cursor.fetchall()]
    if found:
        raise StepFailed(
            f"{model._meta.label}: {', '.join(found)} hangs on {column}; nothing was taken away.",
            hint="Make it about the other column first (RemoveIndex and AddIndex, a view's new text). Then "
            "run it again.",
        )


def refuse_loss(change: Change, editor: Any, label: str) -> None:
    """
    Check that nothing goes with the old column that the new one doesn't hold.

    Raises:
        StepFailed: Something would; keys of such rows are named.
    """
    if found := batches.losing(change, editor):
        raise StepFailed(
            f"{label}: {change.new} doesn't hold what {change.old} does, of {found}. The old column stays.",
            hint="Where the conversion loses something on purpose, say so by forwards. Else correct "
            "the rows. If they are right, something writes past the trigger (replication, say).",
        )


def _plain(quoted: str) -> str:
    return quoted[1:-1].replace('""', '"') if quoted.startswith('"') else quoted
