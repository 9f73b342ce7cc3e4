"""The indexes of one PostgreSQL table as they stand: looked up by table and name, waited for, dropped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import router
from django.db.migrations import RunSQL
from django.db.migrations.operations.base import Operation

from accord.seam.types import Direction
from migrator.foretelling.acts import Act
from migrator.foretelling.ddl import built_beside_writers, rebuilt_beside_writers
from migrator.foretelling.tokens import plain
from migrator.relational.vendors import vendor_of

_POLL_SECONDS = 0.2
_PARTS = ("table", "is_ours", "place", "usable", "definition")
_LOOK = """
SELECT t.relname, t.oid = wanted.oid, format('%%I.%%I', n.nspname, c.relname),
       i.indisvalid AND i.indisready AND i.indislive,
       (CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END)
       || substring(pg_get_indexdef(i.indexrelid) FROM ' (USING .*)$')
FROM pg_class wanted
JOIN pg_namespace n ON n.oid = wanted.relnamespace
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = %s
JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_class t ON t.oid = i.indrelid
WHERE wanted.oid = to_regclass(%s)
"""
_BUILT = """
SELECT 1 FROM pg_stat_progress_create_index p
WHERE p.relid = to_regclass(%s) AND p.datname = current_database() AND p.pid <> pg_backend_pid()
"""

# What REINDEX CONCURRENTLY makes beside an index, and what it puts aside, while neither can be used.
_BESIDE = """
SELECT format('%%I.%%I', n.nspname, c.relname), c.relname, format('%%I.%%I', tn.nspname, t.relname)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' AND i.indrelid = coalesce(
    (SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(%s)), to_regclass(%s))
ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class LiveIndex:
    """
    An index as the catalog has it.

    Attributes:
        table: Table that it is on, for people.
        is_ours: True when that is the table that was asked about.
        place: Its name with its schema, as SQL writes it.
        usable: True when it is valid, ready and live.
        definition: Everything that matters of it but its name and table.
    """

    table: str
    is_ours: bool
    place: str
    usable: bool
    definition: str


class LiveIndexes:
    """
    The indexes of a table.

    Args:
        connection: Of its database.
        table: The table, as SQL writes it.
        wait: Called between looks while another session is building; raises to give up.
    """

    def __init__(self, connection: Any, table: str, wait: Callable[[], None]) -> None:
        self._connection = connection
        self._table = table
        self._wait = wait

    def look(self, name: str) -> LiveIndex | None:
        """Look for an index in the schema of the table; in no other it can be one of that table."""
        rows = self.run(_LOOK, [name, self._table])
        return next((LiveIndex(**dict(zip(_PARTS, row, strict=True))) for row in rows), None)

    def drop(self, live: LiveIndex) -> None:
        """Drop an index without blocking writes."""
        self.run(f"DROP INDEX CONCURRENTLY IF EXISTS {live.place}")

    def drop_unusable(self, name: str) -> str:
        """
        Drop what a cut build left of an index; `IF NOT EXISTS` would take it for the real one.

        Returns:
            What was put right, for people; empty when there was nothing.
        """
        live = self.look(name)
        if live is None or live.usable:
            return ""
        note = self.await_builders()
        live = self.look(name)
        if live is not None and live.is_ours and not live.usable:
            self.drop(live)
            note = f"an unusable leftover of the index {name} was dropped"
        return note

    def await_builders(self) -> str:
        """Wait until no other session builds an index on the table; return that it was, for people."""
        note = ""
        while self.run(_BUILT, [self._table]):
            note = f"waited for a session that was still building an index on {plain(self._table)}"
            self._wait()
            time.sleep(_POLL_SECONDS)
        return note

    def run(self, sql: str, params: Any = ()) -> list[Any]:
        """Send a statement; return its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall()) if cursor.description else []


def clear_leftovers(
    connection: Any, app: str, operation: Operation, direction: Direction, wait: Callable[[], None]
) -> Iterator[str]:
    """
    Drop what a cut build left of the indexes that SQL of a migration's own is about to build, or to rebuild.

    Args:
        connection: Of the database.
        app: Label of the migration's app.
        operation: The operation; only SQL that says `CONCURRENTLY` matters.
        direction: Which way it goes.
        wait: As in :class:`LiveIndexes`.

    Yields:
        What was put right, for people.
    """
    if not isinstance(operation, RunSQL) or not vendor_of(connection).describes_tables:
        return
    if router.allow_migrate(connection.alias, app, **operation.hints):
        for act in _built_by(operation, direction):
            yield LiveIndexes(connection, act.table, wait).drop_unusable(plain(act.name))
        for sql in _sent_by(operation, direction):
            for name in rebuilt_beside_writers(sql):
                yield from _clear_beside(connection, name, wait)


def _clear_beside(connection: Any, name: str, wait: Callable[[], None]) -> Iterator[str]:
    """Drop what cut rebuilds of a table's indexes left, once nobody rebuilds them any more."""
    looking = LiveIndexes(connection, name, wait)
    found = looking.run(_BESIDE, [name, name])
    if found:
        yield LiveIndexes(connection, found[0][2], wait).await_builders()
    for place, left, _ in looking.run(_BESIDE, [name, name]) if found else ():
        looking.run(f"DROP INDEX CONCURRENTLY IF EXISTS {place}")
        yield f"an unusable leftover of a cut REINDEX, {left}, was dropped"


def _built_by(operation: RunSQL, direction: Direction) -> Iterator[Act]:
    for sql in _sent_by(operation, direction):
        yield from built_beside_writers(sql)


def _sent_by(operation: RunSQL, direction: Direction) -> Iterator[str]:
    sqls: Any = operation.sql if direction is Direction.APPLY else operation.reverse_sql
    for sql in [sqls] if isinstance(sqls, str) else sqls or ():
        yield sql if isinstance(sql, str) else sql[0]
