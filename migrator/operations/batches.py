"""One column of every row written from another, in batches along the primary key, beside those who write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DataError, IntegrityError, transaction

from accord.errors import StepFailed
from migrator.operations.change import Change
from migrator.relational.progress import is_heard, went_on

ROWS = 2_000
"""Rows of one transaction: some milliseconds to some tenths of a second, in which they are locked."""
_NAMED = 5
_KNOWN = "SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = to_regclass(%s)"


def fill(change: Change, editor: Any, *, column: str, value: str) -> None:
    """
    Write a column of each row that doesn't hold its value yet. Done again, it does what is left.

    A value from which the other column follows stays, even where the way back gives another (1500 ms are
    1 s, and 1 s is 1000 ms): a release that knows this column said it.

    Each batch is a transaction of its own, behind which a listener is told how far it is. What is written
    meanwhile is the trigger's matter.

    Args:
        change: Which columns.
        editor: Django's schema editor.
        column: Quoted column that is written.
        value: SQL of what it has to hold.

    Raises:
        StepFailed: A value can't be made, or is refused; the keys of such rows are in the message.
    """
    lacks = f"{column} IS DISTINCT FROM {value} AND ({column} IS NULL OR {change.disagrees})"
    setting = f"UPDATE {change.table} SET {column} = {value} WHERE {lacks}"  # noqa: S608 - quoted
    if editor.collect_sql:
        editor.execute(setting, None)
        return
    after: Sequence[Any] | None = None
    done, total = 0, _rows(change, editor) if is_heard() else 0
    while found := _end_of_batch(change, editor, after):
        *until, count = found
        some, keys = _between(change, after, until)
        try:
            with transaction.atomic(using=editor.connection.alias):
                _ask(editor, change.switch, ())
                _send(editor, f"{setting} AND {some}", keys)
        except (DataError, IntegrityError) as exc:
            raise _refused(change, editor, setting, (some, keys), exc) from exc
        after, done = until, done + count
        went_on(done, total)
    if done:
        went_on(done, done)


def losing(change: Change, editor: Any) -> str:
    """Name the keys of some rows of which something would go with the old column; empty where none is."""
    return _shown(_ask(editor, _keys_where(change, change.loses), ()))


def _end_of_batch(change: Change, editor: Any, after: Sequence[Any] | None) -> Sequence[Any] | None:
    """Return the last key of the next rows, and how many they are."""
    keys = ", ".join(change.keys)
    beyond, params = ("", ()) if after is None else (f"WHERE ({keys}) > ({_marks(after)})", after)
    some = f"SELECT {keys} FROM {change.table} {beyond} ORDER BY {keys} LIMIT {ROWS}"  # noqa: S608 - quoted
    backwards = ", ".join(f"{key} DESC" for key in change.keys)
    last = f"SELECT {keys}, count(*) OVER () FROM ({some}) AS batch ORDER BY {backwards} LIMIT 1"  # noqa: S608 - as above
    rows = _ask(editor, last, params)
    return rows[0] if rows else None


def _rows(change: Change, editor: Any) -> int:
    """Return how many rows there are: as the server's statistics say, or counted where it has none."""
    ((known,),) = _ask(editor, _KNOWN, [change.table])
    if known > 0:
        return int(known)
    return int(_ask(editor, f"SELECT count(*) FROM {change.table}", ())[0][0])  # noqa: S608 - quoted


def _between(change: Change, after: Sequence[Any] | None, until: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    keys = ", ".join(change.keys)
    up_to = f"({keys}) <= ({_marks(until)})"
    if after is None:
        return up_to, until
    return f"({keys}) > ({_marks(after)}) AND {up_to}", (*after, *until)


def _refused(
    change: Change, editor: Any, setting: str, batch: tuple[str, Sequence[Any]], exc: Exception
) -> Exception:
    """Try each row of a batch by itself, for those that can't be converted; nothing of that stays."""
    some, params = batch
    found: list[Sequence[Any]] = []
    for key in _ask(editor, _keys_where(change, some, limit=ROWS), params):
        one = f"{setting} AND ({', '.join(change.keys)}) = ({_marks(key)})"
        if len(found) <= _NAMED and not _goes(change, editor, one, key):
            found.append(key)
    which = f": {_shown(found)}" if found else ""
    reason = str(exc).splitlines()[0].partition(":")[0]
    return StepFailed(
        f"{change.table} has rows whose value can't be carried over ({reason}){which}.",
        hint="Correct them, or say forwards and backwards that fit; then run it again: what is filled stays.",
    )


def _goes(change: Change, editor: Any, statement: str, key: Sequence[Any]) -> bool:
    alias = editor.connection.alias
    try:
        with transaction.atomic(using=alias):
            _ask(editor, change.switch, ())
            _send(editor, statement, key)
            transaction.set_rollback(True, using=alias)
    except (DataError, IntegrityError):
        return False
    return True


def _keys_where(change: Change, condition: str, limit: int = _NAMED + 1) -> str:
    keys = ", ".join(change.keys)
    return f"SELECT {keys} FROM {change.table} WHERE {condition} ORDER BY {keys} LIMIT {limit}"  # noqa: S608 - quoted


def _shown(rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return ""
    named = ", ".join(", ".join(map(str, key)) if len(key) == 1 else str(tuple(key)) for key in rows[:_NAMED])
    return f"key {named}{' and others' if len(rows) > _NAMED else ''}"


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _ask(editor: Any, query: str, params: Sequence[Any]) -> Sequence[Sequence[Any]]:
    with editor.connection.cursor() as cursor:
        # Without values a sign of per cent is one; with them, those of an author's SQL are doubled.
        cursor.execute(query if not params else _escaped(query), list(params) or None)
        found: Sequence[Sequence[Any]] = cursor.fetchall()
        return found


def _send(editor: Any, statement: str, params: Sequence[Any]) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute(_escaped(statement), list(params))


def _escaped(query: str) -> str:
    return query.replace("%", "%%").replace("%%s", "%s")
