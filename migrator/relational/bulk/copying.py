"""COPY, by whichever driver the project has; Django itself has no word for it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from django.db import connections

from migrator.relational import failures

_PIECE = 1 << 18
WHOLE_LINES = "FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01'"
"""Options of COPY by which a line is one text as it stands: no JSON holds these signs but escaped."""


@contextmanager
def own_connection(alias: str, *settings: str) -> Iterator[Any]:
    """
    Open a connection beside Django's, which whoever calls may be using, within a transaction.

    Args:
        alias: The database.
        *settings: Statements that its transaction begins with.

    Yields:
        Django's wrapper of it. What is not committed is rolled back at the end.

    Raises:
        StoreUnavailable: The database can't be reached.
    """
    connection: Any = connections[alias].copy()
    try:
        with failures.translated(alias):
            connection.ensure_connection()
            connection.set_autocommit(False)
            for statement in settings:
                execute(connection, statement)
            yield connection
    finally:
        connection.close()


def execute(connection: Any, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """Send a statement, and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def copy_out(connection: Any, statement: str, out: BinaryIO) -> int:
    """
    Send `COPY ... TO STDOUT`.

    Returns:
        How many rows came.
    """
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        if hasattr(cursor, "copy_expert"):
            cursor.copy_expert(statement, out)
        else:
            with cursor.copy(statement) as copy:
                out.writelines(copy)
        return int(cursor.rowcount)


def copy_in(connection: Any, statement: str, data: bytes) -> int:
    """
    Send `COPY ... FROM STDIN`.

    Returns:
        How many rows were written.
    """
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        if hasattr(cursor, "copy_expert"):
            cursor.copy_expert(statement, io.BytesIO(data), _PIECE)
        else:
            with cursor.copy(statement) as copy:
                copy.write(data)
        return int(cursor.rowcount)
