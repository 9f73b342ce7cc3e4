"""Writing a table by COPY: a batch and its position in one transaction, and the bad rows found one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from django.db import DatabaseError, DataError

from accord.bulk.records import rows, split
from accord.causes import root_of
from accord.connecting import code_of
from accord.errors import StoreError
from accord.limits import limit_of
from accord.seam.bulk import Dead, FileFormat, Mode, Position, Settle, Target, Written
from accord.secrets.redact import first_line
from migrator.relational.bulk.copying import WHOLE_LINES, copy_in, execute, own_connection
from migrator.relational.bulk.positions import Positions
from migrator.relational.bulk.tables import quoted_names

# Data, constraints, duplicates within a batch, what a trigger raises, views, and what is too long for a page.
_OF_A_ROW = ("22", "23", "21", "P0", "44", "54")
_END = b"\\."
"""A line at which COPY stops reading, and says nothing of what stands behind it."""
_NEARBY = 1000
"""Records that are tried together behind one that was refused: where one is bad, more of them may be."""
_LINE = re.compile(r"^COPY .*?, line (\d+)", re.MULTILINE)
_STAGING = "accord_staging"
_NUMBER = "accord_number"
_DOCUMENT = "accord_document"
_SPELLING = ("SET TimeZone = 'UTC'", "SET DateStyle = 'ISO, YMD'", "SET IntervalStyle = 'postgres'")


class _WouldEnd(DataError):
    """A record would end what the server reads, and all behind it would be lost without a word."""


@dataclass(frozen=True)
class TableWriting:
    """
    A table that is being written.

    Attributes:
        connection: Of the database; each batch is a transaction.
        alias: The database.
        target: Where to, and how.
        positions: How far it is.
    """

    connection: Any
    alias: str
    target: Target
    positions: Positions

    def position(self) -> Position | None:
        """Return how far it is."""
        return self.positions.read()

    def restart(self, before: Position) -> Position:
        """Begin again."""
        self.positions.move(before, Position())
        self.connection.commit()
        return Position()

    def documents(self, records: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        """Read records as rows of texts."""
        return rows(records, self.target.form, self.target.columns)

    def write(self, records: Sequence[bytes] | bytes, before: Position, settle: Settle) -> Position:
        """Write a batch and its position, or neither."""
        try:
            # Foreign keys of Django's are looked at when the transaction ends; then no row is to blame.
            execute(self.connection, "SET CONSTRAINTS ALL IMMEDIATE")
            after = settle(self._written(records))
            self.positions.move(before, after)
            self.connection.commit()
        except BaseException:
            self.connection.rollback()
            raise
        return after

    def finish(self, before: Position) -> Position:
        """Let sequences go on behind the highest key that came in, and keep that all is done."""
        done = replace(before, finished=True)
        try:
            self._raise_sequences()
            self.positions.move(before, done)
            self.connection.commit()
        except BaseException:
            self.connection.rollback()
            raise
        return done

    # --- rows ---------------------------------------------------------------------------

    def _written(self, records: Sequence[bytes] | bytes) -> Written:
        data = records if isinstance(records, bytes) else b"".join(records)
        if not data:
            return Written(rows=0)
        try:
            return Written(rows=self._tried(data))
        except DatabaseError as exc:
            self._refuse_other(exc)
            every = split(records, self.target.form) if isinstance(records, bytes) else list(records)
            return self._apart(every, exc)

    def _apart(self, records: Sequence[bytes], refused: DatabaseError) -> Written:
        """
        Write what can be written of records that were refused together.

        The server names the line for most faults: what stands before it is good, and is written at once.
        Where it names none, the records are halved.
        """
        rows, dead = 0, list[Dead]()
        left: list[tuple[int, Sequence[bytes], DatabaseError | None]] = [(0, records, refused)]
        while left:
            first, some, why = left.pop()
            if why is None:
                try:
                    rows += self._tried(b"".join(some))
                except DatabaseError as exc:
                    self._refuse_other(exc)
                    why = exc
            if why is not None and len(some) == 1:
                dead.append(Dead(index=first, reason=_reason(why)))
            elif why is not None:
                cuts = pairwise(_cuts(_blamed(why, some), len(some)))
                left += [(first + start, some[start:end], None) for start, end in cuts if start < end][::-1]
        return Written(rows=rows, dead=dead)

    def _tried(self, data: bytes) -> int:
        """Write rows, or none of them; the transaction goes on either way."""
        if data.startswith(_END) or b"\n" + _END in data:
            _refuse_end(split(data, self.target.form))
        execute(self.connection, "SAVEPOINT accord_rows")
        try:
            rows = self._copied(data)
        except DatabaseError:
            execute(self.connection, "ROLLBACK TO SAVEPOINT accord_rows")
            raise
        execute(self.connection, "RELEASE SAVEPOINT accord_rows")
        return rows

    def _copied(self, data: bytes) -> int:
        names = quoted_names(self.connection, self.target.columns)
        as_csv = f"({names}) FROM STDIN WITH (FORMAT csv)"
        if not _is_staged(self.target):
            return copy_in(self.connection, f"COPY {self._table} {as_csv}", data)
        as_lines = f"({_DOCUMENT}) FROM STDIN WITH ({WHOLE_LINES})"
        how = as_csv if self.target.form is FileFormat.CSV else as_lines
        copy_in(self.connection, f"COPY {_STAGING} {how}", data)
        with self.connection.cursor() as cursor:
            cursor.execute(self._moved)
            moved = int(cursor.rowcount)
            cursor.execute(f"TRUNCATE {_STAGING}")
        return moved

    @property
    def _table(self) -> str:
        return str(self.connection.ops.quote_name(self.target.holder.name))

    @property
    def _staged(self) -> str:
        """What the staged rows are, with the number of each."""
        if self.target.form is FileFormat.CSV:
            return _STAGING
        read = f"json_populate_record(NULL::{self._table}, {_DOCUMENT}::json)"
        return f"(SELECT {_NUMBER}, accord_row.* FROM {_STAGING}, {read} AS accord_row) AS accord_rows"

    @property
    def _moved(self) -> str:
        """Move rows over; of several with one key, the last one counts."""
        if self.target.mode is Mode.INSERT:
            names = quoted_names(self.connection, self.target.columns)
            return (
                f"INSERT INTO {self._table} ({names}) OVERRIDING SYSTEM VALUE "
                f"SELECT {names} FROM {self._staged} ORDER BY {_NUMBER}"
            )
        return self._upsert

    @property
    def _upsert(self) -> str:
        quote = self.connection.ops.quote_name
        names, key = (
            quoted_names(self.connection, self.target.columns),
            quoted_names(self.connection, self.target.key),
        )
        others = [quote(name) for name in self.target.columns if name not in self.target.key]
        keeps = self.target.mode is Mode.MERGE
        values = (
            f"coalesce(EXCLUDED.{name}, {self._table}.{name})" if keeps else f"EXCLUDED.{name}"
            for name in others
        )
        changes = ", ".join(f"{name} = {value}" for name, value in zip(others, values, strict=True))
        # NULL is no key: each row without one is a row of its own.
        lacks = " OR ".join(f"{quote(name)} IS NULL" for name in self.target.key)
        one = f"{key}, CASE WHEN {lacks} THEN {_NUMBER} END"
        return (
            f"INSERT INTO {self._table} ({names}) OVERRIDING SYSTEM VALUE "
            f"SELECT {names} FROM (SELECT DISTINCT ON ({one}) * FROM {self._staged} "
            f"ORDER BY {one}, {_NUMBER} DESC) AS last "
            f"ON CONFLICT ({key}) DO {f'UPDATE SET {changes}' if changes else 'NOTHING'}"
        )

    def _raise_sequences(self) -> None:
        for name in self.target.columns:
            quoted = self.connection.ops.quote_name(name)
            [(sequence,)] = execute(
                self.connection, "SELECT pg_get_serial_sequence(%s, %s)", [self._table, name]
            )
            if sequence:
                highest = f"SELECT max({quoted}) AS highest FROM {self._table}"
                execute(
                    self.connection,
                    f"SELECT setval(%s, highest) FROM ({highest}) AS t "
                    f"WHERE highest >= (SELECT last_value FROM {sequence})",
                    [sequence],
                )

    def _refuse_other(self, exc: DatabaseError) -> None:
        """
        Let go on only what is about a row.

        Raises:
            StoreError: The server refuses all of it.
        """
        if isinstance(exc, _WouldEnd) or (code_of(exc) or "").startswith(_OF_A_ROW):
            return
        limit = limit_of(exc)
        raise StoreError(
            f"“{self.alias}” takes no more rows for {self.target.holder.name}: "
            f"{limit.says if limit else first_line(exc)}.",
            hint=limit.hint if limit else "What is in stays; correct that, and run the same command again.",
        ) from exc


@contextmanager
def writing(alias: str, target: Target, import_id: str) -> Iterator[TableWriting]:
    """Open a table for writing."""
    with own_connection(alias, *_SPELLING) as connection:
        if _is_staged(target):
            _make_staging(connection, target)
        connection.commit()
        positions = Positions(connection, import_id, target.holder.name)
        yield TableWriting(connection, alias, target, positions)


def _is_staged(target: Target) -> bool:
    """Return whether rows go through a table of their own first."""
    return target.mode is not Mode.INSERT or target.form is not FileFormat.CSV


def _make_staging(connection: Any, target: Target) -> None:
    names = quoted_names(connection, target.columns)
    table = connection.ops.quote_name(target.holder.name)
    rows = f"SELECT {names} FROM {table}" if target.form is FileFormat.CSV else f"SELECT '' AS {_DOCUMENT}"
    execute(connection, f"CREATE TEMP TABLE {_STAGING} AS {rows} WITH NO DATA")
    execute(connection, f"ALTER TABLE {_STAGING} ADD {_NUMBER} bigserial")


def _blamed(refused: DatabaseError, records: Sequence[bytes]) -> int | None:
    """Return which record the server blames; None where it names none."""
    context = getattr(getattr(root_of(refused), "diag", None), "context", None) or ""
    found = _LINE.search(context)
    if found is None:
        return None
    line = 0
    for number, record in enumerate(records):
        line += max(1, record.count(b"\n"))
        if line >= int(found[1]):
            return number
    return None


def _refuse_end(records: Sequence[bytes]) -> None:
    if any(record.strip() == _END for record in records):
        raise _WouldEnd("a line of \\. alone would end what the server reads")


def _cuts(at: int | None, count: int) -> list[int]:
    """Return where records that were refused are cut: around the one that is to blame, or in the middle."""
    if at is None:
        return [0, count // 2, count]
    return [0, at, at + 1, min(at + 1 + _NEARBY, count), count]


def _reason(refused: DatabaseError) -> str:
    return f"{first_line(refused)} ({code_of(refused) or 'not sent'})"
