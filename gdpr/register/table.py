"""
The register in a table of another database, which PostgreSQL itself guards: rows are added, and lose secrets.

It is no model: no migration of the project makes it or takes it away, and no router decides where it is.
Whoever writes first makes it. Every act has a connection of its own, so that no transaction of a caller
takes back what others rely on, and writers wait for each other.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from django.db import connections

from accord import arrays, db
from accord.secrets.redact import first_line
from accord.wording import say
from gdpr.errors import RegisterError, RegisterUnavailable
from gdpr.register.entries import EntryDraft, RegisterEntry
from gdpr.register.place import Chosen, Register, bared

NAME = "accord_erasure_register"
"""What the names of its tables begin with."""
_FIRST, _BATCH = 20, 1000
"""Lines that are asked for at once: few first, because most often only the ends of the register are read."""
_LINES = """
SELECT seq, line FROM {table} WHERE %s::bigint IS NULL OR seq {beyond} %s::bigint ORDER BY seq {way} LIMIT %s
"""
_NOTE = "SELECT line FROM {table}_note"
_MAKE_NOTE = """
CREATE TABLE IF NOT EXISTS {table}_note (id int PRIMARY KEY CHECK (id = 1), line text NOT NULL)
"""
_LEAVE_NOTE = """
INSERT INTO {table}_note VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET line = EXCLUDED.line
"""
_ADD = "INSERT INTO {table} (seq, line) SELECT * FROM unnest(%s::bigint[], %s::text[])"
_BARE = """
UPDATE {table} AS own SET line = bare.line
FROM unnest(%s::bigint[], %s::text[]) AS bare (seq, line) WHERE own.seq = bare.seq
"""
_THERE = "SELECT to_regclass(%s) IS NOT NULL"
_BEGIN = (
    "BEGIN",
    # Nothing may rely on what a crash of that server would lose.
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'",
)
_GUARD = """
CREATE OR REPLACE FUNCTION accord_guard_register() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_LEVEL = 'ROW' THEN
        IF NEW.seq = OLD.seq AND NEW.line::jsonb = OLD.line::jsonb - 'secrets' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'The register of erasures is only ever added to: % is refused.', TG_OP
        USING ERRCODE = 'restrict_violation';
END;
$$
"""
_TRIGGERS = {
    "accord_register_rows": "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW",
    "accord_register_whole": "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
}
_STANDING = """
SELECT tgname FROM pg_trigger
WHERE tgrelid = to_regclass(%s) AND tgname = ANY (%s) AND tgenabled IN ('O', 'A')
"""
_MAY = """
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
    CASE WHEN to_regclass(%s) IS NULL THEN has_schema_privilege(current_schema(), 'CREATE')
    ELSE has_table_privilege(to_regclass(%s), 'SELECT') AND has_table_privilege(to_regclass(%s), 'INSERT')
        AND has_table_privilege(to_regclass(%s), 'UPDATE') END
"""


@dataclass(frozen=True)
class RegisterTable(Register):
    """
    A register in a table.

    Args:
        alias: Alias of its database in `DATABASES`.
        table: Name of the table; letters, digits and `_`. It need not be there yet.
    """

    alias: str
    table: str = NAME

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]{1,58}", self.table):
            raise ValueError(self.table)

    @property
    def place(self) -> str:
        """Where it is, in messages."""
        return f"{self.table} in “{self.alias}”"

    # --- reading -----------------------------------------------------------------------------

    def lines(self) -> Generator[bytes]:
        """Yield every row, the oldest first. See :class:`Register`."""
        with self._connected("read") as cursor:
            yield from (line.encode() + b"\n" for _, line in self._rows(cursor, ">", "ASC"))

    def lines_backwards(self) -> Generator[bytes]:
        """Yield every row, the newest first. See :class:`Register`."""
        with self._connected("read") as cursor:
            yield from (line.encode() + b"\n" for _, line in self._rows(cursor, "<", "DESC"))

    def note(self) -> str:
        """Return what a check left in the table beside it. See :class:`Register`."""
        with suppress(RegisterError), self._connected("read") as cursor:
            if self._is_there(cursor, f"{self.table}_note"):
                return str((_one(cursor, _NOTE.format(table=self.table)) or [""])[0])
        return ""

    def obstacle(self) -> str:
        """Say why it can't be written. See :class:`Register`."""
        with self._connected("read") as cursor:
            read_only, allowed = _one(cursor, _MAY, [self.table] * 4) or (False, False)
        if read_only:
            return str(say("that server takes no writes"))
        return "" if allowed else str(say("its user lacks a right"))

    def unguarded(self) -> str:
        """Name the triggers that are gone or off. See :class:`Register`."""
        with self._connected("read") as cursor:
            return ", ".join(self._missing(cursor)) if self._is_there(cursor, self.table) else ""

    # --- writing -----------------------------------------------------------------------------

    def append(self, drafts: Sequence[EntryDraft], *, beginning: EntryDraft) -> Sequence[RegisterEntry]:
        """Add rows in a transaction of their own, and return when it is committed. See :class:`Register`."""
        with self._writing() as cursor:
            self._make(cursor)
            newest = next(self._rows(cursor, "<", "DESC"), None)
            last = None if newest is None else self.parsed(newest[1].encode())
            made = self.following(last, drafts, beginning)
            cursor.execute(
                _ADD.format(table=self.table),
                [arrays.of_numbers(one.seq for one in made), _texts(one.line() for one in made)],
            )
        return made[-len(drafts) :]

    def destroy_secrets(self, chosen: Chosen) -> int:
        """Take the secrets of some rows away in one transaction. See :class:`Register`."""
        with self._writing() as cursor:
            if not self._is_there(cursor, self.table):
                return 0
            entries = (self.parsed(line.encode()) for _, line in self._rows(cursor, ">", "ASC"))
            doomed = [(one.seq, bared(one)) for one in entries if one.draft.secrets and chosen(one)]
            cursor.execute(
                _BARE.format(table=self.table),
                [arrays.of_numbers(seq for seq, _ in doomed), _texts(line for _, line in doomed)],
            )
        return len(doomed)

    def set_aside(self, name: str = "") -> str:
        """Give the table another name, and return where it is then. See :class:`Register`."""
        aside = RegisterTable(self.alias, f"{NAME}_{name or uuid.uuid4().hex}")
        with self._writing() as cursor:
            if not self._is_there(cursor, self.table):
                return ""
            cursor.execute(f"ALTER TABLE {self.table} RENAME TO {aside.table}")
        return aside.place

    def leave_note(self, text: str) -> None:
        """Leave what a check found, where this user may. See :class:`Register`."""
        with suppress(RegisterError), self._writing() as cursor:
            cursor.execute(_MAKE_NOTE.format(table=self.table))
            cursor.execute(_LEAVE_NOTE.format(table=self.table), [text])

    # --- the database ------------------------------------------------------------------------

    def _make(self, cursor: Any) -> None:
        """Make the table with its guards, or what is gone of them."""
        if not self._is_there(cursor, self.table):
            cursor.execute(f"CREATE TABLE {self.table} (seq bigint PRIMARY KEY, line text NOT NULL)")
        missing = self._missing(cursor)
        if missing:
            cursor.execute(_GUARD)
        for name in missing:
            when = _TRIGGERS[name].format(table=self.table)
            # A trigger that is only off keeps its name.
            cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {self.table}")
            cursor.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION accord_guard_register()")

    def _missing(self, cursor: Any) -> list[str]:
        cursor.execute(_STANDING, [self.table, list(_TRIGGERS)])
        standing = {name for (name,) in cursor.fetchall()}
        return [name for name in _TRIGGERS if name not in standing]

    def _rows(self, cursor: Any, beyond: str, way: str) -> Iterator[tuple[int, str]]:
        if not self._is_there(cursor, self.table):
            return
        query, reached, size = _LINES.format(table=self.table, beyond=beyond, way=way), None, _FIRST
        while True:
            cursor.execute(query, [reached, reached, size])
            rows = cursor.fetchall()
            yield from rows
            if len(rows) < size:
                return
            reached, size = rows[-1][0], _BATCH

    def _is_there(self, cursor: Any, table: str) -> bool:
        return bool((_one(cursor, _THERE, [table]) or [False])[0])

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """Give a cursor in a transaction that holds the lock of writers; what fails is rolled back."""
        with self._connected("written") as cursor:
            for statement in _BEGIN:
                cursor.execute(statement)
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [self.table])
            yield cursor
            cursor.execute("COMMIT")

    @contextmanager
    def _connected(self, done: str) -> Iterator[Any]:
        try:
            # Closed at the end: a transaction that is still open then is rolled back.
            with closing(connections.create_connection(self.alias)) as own, own.cursor() as cursor:
                yield cursor
        except db.ERRORS as exc:
            raise RegisterUnavailable(
                say(
                    "The register of erasures can't be read: {strerror}: {path}."
                    if done == "read"
                    else "The register of erasures can't be written: {strerror}: {path}.",
                    strerror=first_line(exc),
                    path=self.place,
                ),
                hint=say(
                    "Start that database again, or let ACCORD['ERASURE_REGISTER'] name one whose user may "
                    "read, write and make tables."
                ),
            ) from exc


def _one(cursor: Any, query: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
    cursor.execute(query, list(values))
    found: tuple[Any, ...] | None = cursor.fetchone()
    return found


def _texts(lines: Iterable[bytes]) -> str:
    return arrays.of_texts(line.decode().rstrip("\n") for line in lines)
