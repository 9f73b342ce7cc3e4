"""One column of every row written from another, in batches along the primary key, beside those who write."""

from __future__ import annotations

from typing import Any

from accord.batches import Sizes
from migrator.operations.change import Change
from migrator.operations.filling import Fill, forwards, last_place
from migrator.operations.keys import NAMED, shown, walk_along
from migrator.operations.positions import InMemory, Position
from migrator.operations.sql import Sql, ask, put, send

SIZES = Sizes(first=2_000, most=2_000)
"""Some milliseconds to some tenths of a second, in which rows are locked."""


def fill(change: Change, editor: Any, *, column: str, value: str) -> None:
    """
    Write a column of each row that doesn't hold its value yet. Done again, it does what is left.

    A value from which the other column follows stays, even where the way back gives another (1500 ms are
    1 s, and 1 s is 1000 ms): a release that knows this column said it.

    What is written meanwhile is the trigger's matter.

    Args:
        change: Which columns.
        editor: Django's schema editor.
        column: Quoted column that is written.
        value: SQL of what it has to hold.

    Raises:
        StepFailed: A value can't be made, or is refused; the keys of such rows are in the message.
    """
    lacks = f"{column} IS DISTINCT FROM {value} AND ({column} IS NULL OR {change.disagrees})"
    setting = f"UPDATE {change.table} SET {column} = {value}"  # noqa: S608 - quoted
    if editor.collect_sql:
        editor.execute(f"{setting} WHERE {lacks}", None)
        return

    def write(chosen: Sql) -> int:
        ask(connection, Sql.written(change.switch))
        return send(connection, put("{} WHERE {}", Sql.written(setting), chosen))

    connection = editor.connection
    walk = walk_along(connection, change.table, change.keys)
    filling = Fill(walk=walk, todo=Sql.written(lacks), change=write, sizes=SIZES)
    forwards(connection, filling, InMemory(Position(until=last_place(connection, walk))))


def losing(change: Change, editor: Any) -> str:
    """Name the keys of some rows of which something would go with the old column; empty where none is."""
    walk = walk_along(editor.connection, change.table, change.keys)
    found = ask(editor.connection, walk.places(Sql.written(change.loses), NAMED + 1))
    return shown(walk, [tuple(place) for place in found])
