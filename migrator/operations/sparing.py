"""Rows of people who were erased, or are being erased, are neither filled nor missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from migrator.operations.sql import EVERY, Sql, ask, put
from migrator.operations.walking import Walk


@dataclass(frozen=True)
class Subject:
    """
    Whose rows are in a table.

    Attributes:
        kind: What the key is a key of: `streaming.listener`.
        column: Quoted column with the key.
    """

    kind: str
    column: Sql


Spare = Callable[[Sql], Sql]
"""Takes a condition, and returns the one that leaves out rows of erased people among those that fulfil it."""


@contextmanager
def spared(connection: Any, walk: Walk, subject: Subject | None) -> Iterator[Spare]:
    """
    Hold fences back, and yield a way to leave rows of erased people out.

    No fence goes up between the look at the tombstones and the end of the transaction of a batch.

    Args:
        connection: Of the database of the rows.
        walk: Their table.
        subject: Whose they are; None leaves nothing out.
    """
    if subject is None:
        yield lambda _: EVERY
        return
    # The tables of tombstones aren't there where the app isn't installed.
    from accord.erased import tombstones

    with tombstones.sparing(subject.kind) as erased:

        def spare(among: Sql) -> Sql:
            named = Sql(f"CAST({subject.column.text} AS text)")
            query = put("SELECT DISTINCT {} FROM {} WHERE {}", named, Sql.written(walk.table), among)
            gone = erased(key for (key,) in ask(connection, query))
            living = Sql(f"({named.text} = ANY(%s)) IS NOT TRUE", (sorted(gone),))
            return living if gone else EVERY

        yield spare
