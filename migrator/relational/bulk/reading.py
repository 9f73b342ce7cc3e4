"""Reading a table by COPY, all of it as it was at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

from django.db import DatabaseError

from accord.errors import StoreError, UsageError
from accord.limits import limit_of
from accord.seam.bulk import FileFormat, Selection, Slice
from accord.secrets.redact import first_line
from migrator.relational.bulk.copying import WHOLE_LINES, copy_out, execute, own_connection
from migrator.relational.bulk.tables import quoted_names

_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
# What a value is written as must not follow from who reads it.
_SPELLING = (
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL synchronize_seqscans = off",
)
# Rows a page as it was when somebody looked last, and pages as they are.
_ABOUT = """
SELECT CASE WHEN relpages > 0 AND reltuples > 0 THEN reltuples / relpages END,
    pg_relation_size(oid) / current_setting('block_size')::int
FROM pg_class WHERE oid = to_regclass(%s)
"""


class TableReading:
    """
    A table that is being read.

    Args:
        connection: In a transaction that reads one moment.
        selection: What is read.
        form: How it is written.
        snapshot: The name of that moment.
    """

    def __init__(self, connection: Any, selection: Selection, form: FileFormat, snapshot: str) -> None:
        self.snapshot = snapshot
        self._connection = connection
        self._selection = selection
        self._form = form
        self._table = connection.ops.quote_name(selection.holder.name)

    def slices(self, rows: int) -> Sequence[Slice]:
        """Cut the table at every so many rows in the order of its key; one that has none stays whole."""
        if not self._selection.holder.key or self._is_small(rows):
            return [Slice()]
        cuts: list[Sequence[str]] = [()]
        while found := execute(self._connection, self._cut(Slice(after=cuts[-1]), rows)):
            cuts.append(tuple(found[0]))
        return [Slice(after=one, until=other) for one, other in zip(cuts, [*cuts[1:], ()], strict=True)]

    def head(self, one: Slice, rows: int) -> Slice:
        """Return the beginning of a slice of a table that has a key."""
        found = execute(self._connection, self._cut(one, rows))
        return replace(one, until=tuple(found[0])) if found else one

    def read(self, one: Slice, out: BinaryIO) -> int:
        """Send a slice: CSV with a header, or a JSON object a line."""
        names = quoted_names(self._connection, [column.name for column in self._selection.columns])
        rows = f"SELECT {names} FROM {self._table} WHERE {self._condition(one)}{self._order(one)}"
        if self._form is FileFormat.CSV:
            return copy_out(self._connection, f"COPY ({rows}) TO STDOUT WITH (FORMAT csv, HEADER)", out)
        # A line end between the members of a value of type json is the only one that there may be.
        lines = (
            f"SELECT translate(row_to_json(accord_row)::text, E'\\n\\r', '  ') FROM ({rows}) AS accord_row"
        )
        return copy_out(self._connection, f"COPY ({lines}) TO STDOUT WITH ({WHOLE_LINES})", out)

    def _is_small(self, rows: int) -> bool:
        """Return whether the server knows for certain that all rows fit into one slice."""
        [(dense, pages)] = execute(self._connection, _ABOUT, [self._table])
        return bool(dense) and dense * pages < rows

    def _cut(self, one: Slice, rows: int) -> str:
        """Ask for the key of the first row of a slice behind so many."""
        key = self._selection.holder.key
        texts = ", ".join(f"{self._connection.ops.quote_name(name)}::text" for name in key)
        return (
            f"SELECT {texts} FROM {self._table} WHERE {self._condition(one)} "
            f"ORDER BY {quoted_names(self._connection, key)} OFFSET {int(rows)} LIMIT 1"
        )

    def _condition(self, one: Slice) -> str:
        key = f"({quoted_names(self._connection, self._selection.holder.key)})"
        asked = [f"({self._selection.query})"] if self._selection.query else []
        asked += [f"{key} >= ({self._values(one.after)})"] if one.after else []
        asked += [f"{key} < ({self._values(one.until)})"] if one.until else []
        return " AND ".join(asked) or "true"

    def _order(self, one: Slice) -> str:
        """Let a range have one order, whichever way the server finds it; the same rows are the same file."""
        is_range = one.after or one.until
        return f" ORDER BY {quoted_names(self._connection, self._selection.holder.key)}" if is_range else ""

    def _values(self, texts: Sequence[str]) -> str:
        types = {column.name: column.type for column in self._selection.holder.columns}
        pairs = zip(texts, self._selection.holder.key, strict=True)
        return ", ".join(f"{_literal(text)}::{types[name]}" for text, name in pairs)


@contextmanager
def reading(alias: str, selection: Selection, form: FileFormat) -> Iterator[TableReading]:
    """
    Open a table for reading, as it is at this moment.

    Raises:
        UsageError: The server doesn't understand the query.
        StoreError: It refuses to go on.
    """
    with own_connection(alias, _MOMENT, *_SPELLING) as connection:
        [(snapshot,)] = execute(connection, "SELECT pg_export_snapshot()")
        try:
            yield TableReading(connection, selection, form, str(snapshot))
        except DatabaseError as exc:
            raise _refusal(alias, selection, exc) from exc


def _refusal(alias: str, selection: Selection, exc: DatabaseError) -> Exception:
    limit = limit_of(exc)
    if limit is not None:
        return StoreError(f"The store “{alias}” {limit.says}.", hint=limit.hint)
    if selection.query:
        return UsageError(
            f"“{alias}” can't read {selection.holder.name} so: {first_line(exc)}.",
            hint="--query takes what stands behind WHERE.",
        )
    return StoreError(
        f"“{alias}” can't read {selection.holder.name}: {first_line(exc)}.", hint="Run it again."
    )


def _literal(text: str) -> str:
    """Write a text as SQL does, whatever standard_conforming_strings says."""
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{doubled}'"
