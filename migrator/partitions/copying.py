"""The rows that stood before the mirror, copied in batches along the primary key beside those who write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from migrator.partitions.making import Progress, as_text, beyond, bounded, note, progress_of
from migrator.partitions.mirror import Mirror
from migrator.partitions.table import Catalog, Table, listed, quoted
from migrator.partitions.wanted import Wanted
from migrator.relational.locking import limit

ROWS, FEWEST = 5_000, 250
"""Rows of one transaction, at most and at least: who wants to write one of them waits until its end."""
LONG = 0.06
"""Seconds that a batch may take; the next one is smaller after a longer one, and grows again."""
PATIENCE = 0.5
"""
Seconds for which a batch waits for a row at most.

An application that holds one row of a batch and wants another waits for us, and we for it. Who waits for
`deadlock_timeout` (a second) ends that by being refused: it must never be the application.
"""


class Copying:
    """
    The copy of one table into another.

    Args:
        catalog: Of the database.
        wanted: What is wanted.
        table: The one whose rows are copied, as it stands.
        mirror: What brings later writes.
    """

    def __init__(self, catalog: Catalog, wanted: Wanted, table: Table, mirror: Mirror) -> None:
        self._catalog = catalog
        self._wanted = wanted
        self._table = table
        self._mirror = mirror
        self._rows = ROWS

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return progress_of(self._catalog, self._wanted.new) or Progress(digest=self._wanted.digest)

    def batch(self, seconds: float | None) -> Progress:
        """
        Copy the next rows, in one transaction with the note of how far it is.

        Two processes that do this at once, because one was thought dead, do it one after the other.

        Args:
            seconds: For which a statement may wait for a lock; None leaves what the server's settings say.

        Returns:
            How far it is now.
        """
        connection = self._catalog.connection
        with transaction.atomic(using=connection.alias):
            limit(connection, min(seconds, PATIENCE) if seconds else PATIENCE)
            # What a crash takes back, it takes back with the note of it.
            self._catalog.send("SET LOCAL synchronous_commit TO off")
            self._catalog.send(f"LOCK TABLE ONLY {self._wanted.new} IN SHARE UPDATE EXCLUSIVE MODE")
            before = self.progress
            if before.copied:
                return before
            if not before.until:
                before = bounded(self._catalog, self._wanted, self._table, before)
            found = before if before.copied else self._copied(before)
            note(self._catalog, self._wanted.new, found)
            return found

    def _copied(self, before: Progress) -> Progress:
        until = self._end(before)
        if until is None:
            return replace(before, copied=True)
        began = time.monotonic()
        copied = self.between(before.after, until)
        self._rows = next_size(self._rows, time.monotonic() - began)
        return replace(before, after=until, rows=before.rows + copied, copied=until == before.until)

    def _end(self, before: Progress) -> tuple[str, ...] | None:
        """Return the last key of the next rows, up to where the copy goes; None where no row is left."""
        some, params = window(self._table, before.after, before.until)
        keys, source = listed(self._table.primary_key), self._wanted.table
        backwards = ", ".join(f"{quoted(key)} DESC" for key in self._table.primary_key)
        batch = f"SELECT {keys} FROM {source} WHERE {some} ORDER BY {keys} LIMIT {self._rows}"
        last = (
            f"SELECT {as_text(self._table.primary_key)} FROM ({batch}) AS batch ORDER BY {backwards} LIMIT 1"
        )
        found = self._catalog.rows(last, params)
        return tuple(found[0]) if found else None

    def between(self, after: Sequence[str], until: Sequence[str]) -> int:
        """
        Copy the rows of a window that the other table hasn't got, in the transaction that is open.

        They are locked against being written: else one that is deleted meanwhile would come back, and one
        whose partition key is changed would stand twice. Who writes waits, or was first, and then we copy
        what they wrote, or find it copied.

        Returns:
            How many were copied.
        """
        some, params = window(self._table, after, until)
        columns, keys = listed(self._mirror.columns), listed(self._table.primary_key)
        conflict = f"ON CONFLICT ({listed(self._mirror.keys)}) DO NOTHING"
        locked = f"SELECT {columns} FROM {self._mirror.source} WHERE {some} ORDER BY {keys} FOR SHARE"
        with self._catalog.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {self._mirror.target} ({columns}) OVERRIDING SYSTEM VALUE "
                f"SELECT {columns} FROM ({locked}) AS batch {conflict}",
                params,
            )
            return int(cursor.rowcount)


def next_size(rows: int, seconds: float) -> int:
    """
    Return how many rows the next batch has.

    Args:
        rows: How many the last one might have had.
        seconds: How long it took.
    """
    wanted = rows // 2 if seconds > LONG else rows * 3 // 2
    return max(min(wanted, ROWS), min(FEWEST, ROWS))


def window(
    table: Table, after: Sequence[str], until: Sequence[str], before: str = ""
) -> tuple[str, list[str]]:
    """
    Return the condition of the rows behind one key and up to another, with its values.

    Args:
        table: Whose primary key it is.
        after: Texts of the key before the first row; none for all from the first one.
        until: Texts of the key of the last row; none for all to the last one.
        before: What stands before each column (`t.`).
    """
    parts = [beyond(table, ">", before)] if after else []
    parts += [beyond(table, "<=", before)] if until else []
    return " AND ".join(parts) or "true", [*after, *until]
