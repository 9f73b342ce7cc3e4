"""How far imports are, in a table beside the rows, so that both change in one transaction."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from django.db import DatabaseError

from accord.bulk.errors import ImportUnderWay
from accord.seam.bulk import Position
from migrator.relational.bulk.copying import execute
from migrator.relational.entries import ImportRow

_TABLE = ImportRow._meta.db_table
_MAKE = f"""
CREATE TABLE IF NOT EXISTS {_TABLE} (
    id varchar(64) PRIMARY KEY, target varchar(255) NOT NULL, part integer NOT NULL,
    place bigint NOT NULL, line bigint NOT NULL, written bigint NOT NULL, erased bigint NOT NULL,
    dead bigint NOT NULL, dead_bytes bigint NOT NULL, finished boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL
)
"""
_NUMBERS = "part, place, line, written, erased, dead, dead_bytes, finished"
_READ = f"SELECT {_NUMBERS} FROM {_TABLE} WHERE id = %s"
_INSERT = f"""
INSERT INTO {_TABLE} (id, target, {_NUMBERS}, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp()) ON CONFLICT DO NOTHING
"""
_UPDATE = f"""
UPDATE {_TABLE} SET (target, {_NUMBERS}, changed_at) =
    (%s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp())
WHERE id = %s AND ({_NUMBERS}) = (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING 1
"""


class Positions:
    """
    The position of one import.

    Args:
        connection: Of the database.
        import_id: Stands for the import.
        target: The table, for whoever looks.
    """

    def __init__(self, connection: Any, import_id: str, target: str) -> None:
        self._connection = connection
        self._id = import_id
        self._target = target

    def read(self) -> Position | None:
        """Return it; None where the import hasn't begun. Its row is there afterwards."""
        [(there,)] = execute(self._connection, "SELECT to_regclass(%s) IS NOT NULL", [_TABLE])
        if not there:
            self._make()
        found = execute(self._connection, _READ, [self._id])
        if not found:
            execute(self._connection, _INSERT, [self._id, self._target, *astuple(Position())])
        self._connection.commit()
        return Position(**dict(zip(_FIELDS, found[0], strict=True))) if found else None

    def move(self, before: Position, after: Position) -> None:
        """
        Write it down in the transaction that is open.

        Raises:
            ImportUnderWay: It isn't what it was before: another process carries out the same import.
        """
        sent = [self._target, *astuple(after), self._id, *astuple(before)]
        if not execute(self._connection, _UPDATE, sent):
            raise ImportUnderWay(
                f"Another process imports the same files into {self._target}.",
                hint="Wait until it has ended, then run the same command again; it goes on from there.",
            )

    def _make(self) -> None:
        """Make the table; somebody else may do so at the same moment."""
        try:
            execute(self._connection, _MAKE)
        except DatabaseError:
            self._connection.rollback()
            execute(self._connection, _MAKE)
        self._connection.commit()


_FIELDS = ("part", "offset", "line", "rows", "erased", "dead", "dead_bytes", "finished")
