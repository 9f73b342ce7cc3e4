"""
The mark of a database: what signed heads are bound to, wherever the database answers.

A random number that a migration wrote inside of it, sealed with the project's key. It moves with the
database to another server, port or name, and no other database has it. Beside it stand the first event
that has to be sealed, and the newest head that was written outside (`reach`): heads that are fewer
are missed. A deliberate new beginning (:mod:`accord.audit.renewal`) adds a mark; none is ever changed.

Where databases are thrown away and copied (development and test), heads are bound to the number that
the server gave the database as well: a copy is another one there.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from accord import conf
from accord.audit.seals import Seal, is_genuine, seal

CHAIN_LOCK = 0x6163636F72640A
"""Held until the act's transaction ends, so that numbers stay without gaps."""
COLUMNS = "number, mark, since, reason, key_id, seal, reach, reach_of"
OF_SERVER = "(SELECT oid FROM pg_database WHERE datname = current_database())"
_REMADE = frozenset({"development", "test"})
NEWEST = f"SELECT {COLUMNS}, {OF_SERVER} FROM accord_trailmark ORDER BY number DESC LIMIT 1"  # noqa: S608 - as below
_ALL = f"SELECT {COLUMNS}, {OF_SERVER} FROM accord_trailmark ORDER BY number"  # noqa: S608 - constants
_ADD = """
    INSERT INTO accord_trailmark (number, mark, since, reason, key_id, seal, reach, reach_of, made_at)
    VALUES (%s, %s, %s, %s, %s, %s, 0, '', clock_timestamp())
"""
# Nobody waits for the disk: after a crash the newest head is known a moment less far, which accuses nobody.
_REACHED = """
    UPDATE accord_trailmark SET reach = %s, reach_of = %s
    WHERE number = %s AND reach < %s AND set_config('synchronous_commit', 'off', true) = 'off'
"""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """
    A mark of a database.

    Attributes:
        number: From 1; the highest one counts.
        mark: 32 random hexadecimal digits.
        since: Number of the first event that has to be sealed.
        reason: Why there is a further one; empty for the first.
        seal: Over the four.
        reach: Number of the newest event whose head was written to every place.
        reach_of: What that head was bound to.
        oid: Number that the server gave the database.
    """

    number: int
    mark: str
    since: int
    reason: str
    seal: Seal
    reach: int
    reach_of: str
    oid: int

    @classmethod
    def read(cls, row: Sequence[object]) -> Mark:
        """Read a row of :data:`COLUMNS` and the number of the database."""
        number, mark, since, reason, key_id, mac, reach, reach_of, oid = row
        return cls(
            number=int(str(number)),
            mark=str(mark),
            since=int(str(since)),
            reason=str(reason),
            seal=Seal(key_id=str(key_id), mac=str(mac)),
            reach=int(str(reach)),
            reach_of=str(reach_of),
            oid=int(str(oid)),
        )

    @property
    def genuine(self) -> bool:
        """Whether this project sealed it."""
        return is_genuine(self.seal, *_parts(self.number, self.mark, self.since, self.reason))

    @property
    def of_this_copy(self) -> str:
        """What heads are bound to where databases are copied every day."""
        return hashlib.sha256(f"{self.mark}:{self.oid}".encode()).hexdigest()[:32]

    @property
    def identity(self) -> str:
        """What new heads are bound to."""
        return self.of_this_copy if databases_come_and_go() else self.mark

    @property
    def identities(self) -> frozenset[str]:
        """What heads may be bound to that count for this database."""
        return frozenset({self.of_this_copy} if databases_come_and_go() else {self.of_this_copy, self.mark})

    @property
    def demanded(self) -> int:
        """Number of the event up to which every place has to hold a head; 0 for none."""
        copied = databases_come_and_go() and self.reach_of != self.of_this_copy
        return 0 if copied else self.reach


def databases_come_and_go() -> bool:
    """Return whether this is an environment whose databases are thrown away, copied and made again."""
    return conf.load().environment in _REMADE


def exist(alias: str) -> bool:
    """Return whether the table of marks is there; an earlier version had none."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regclass('accord_trailmark') IS NOT NULL")
        return bool((cursor.fetchone() or [False])[0])


def all_of(alias: str) -> Sequence[Mark]:
    """
    Read the marks of a database in order; none where the table isn't there yet.

    Args:
        alias: Database of the trail.
    """
    if not exist(alias):
        return []
    with connections[alias].cursor() as cursor:
        cursor.execute(_ALL)
        return [Mark.read(row) for row in cursor.fetchall()]


def current(found: Sequence[Mark]) -> Mark | None:
    """Return the newest of marks in order that this project sealed."""
    return next((mark for mark in reversed(found) if mark.genuine), None)


def for_next(cursor: CursorWrapper, last: int, newest: Sequence[object]) -> Mark | None:
    """
    Return the mark for the next event, in a transaction that holds the chain's lock.

    An empty trail without a mark gets one, and so does any where databases are emptied every day.

    Args:
        cursor: Of the database of the trail.
        last: Number of the last event.
        newest: Row of the newest mark, with nothing but None where there is none.

    Returns:
        None where there is none that this project sealed.
    """
    if newest[0] is None:
        return _planted(cursor, last) if not last or databases_come_and_go() else None
    mark = Mark.read(newest)
    if mark.genuine:
        return mark
    cursor.execute(_ALL)
    return current([Mark.read(row) for row in cursor.fetchall()])


def _planted(cursor: CursorWrapper, last: int) -> Mark:
    add(cursor, number=1, since=last + 1)
    cursor.execute(NEWEST)
    return Mark.read(cursor.fetchone())


def add(cursor: CursorWrapper, *, number: int, since: int, reason: str = "") -> None:
    """
    Write a new mark, in a transaction that holds the chain's lock.

    Args:
        cursor: Of the database of the trail.
        number: The next one.
        since: Number of the next event.
        reason: Why there is a further one.
    """
    mark = uuid.uuid4().hex
    made = seal(*_parts(number, mark, since, reason))
    cursor.execute(_ADD, [number, mark, since, reason, made.key_id, made.mac])


def plant(connection: BaseDatabaseWrapper) -> None:
    """Give a database its first mark; what is in the trail by then was written before the key."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
        cursor.execute("SELECT coalesce(max(seq), 0) + 1 FROM accord_auditevent")
        add(cursor, number=1, since=cursor.fetchone()[0])


def remember(alias: str, mark: Mark, size: int) -> None:
    """
    Keep in the database how far heads were written outside, after they were.

    Args:
        alias: Database of the trail.
        mark: What the head is bound to.
        size: Number of the head's event.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(_REACHED, [size, mark.identity, mark.number, size])


def _parts(number: int, mark: str, since: int, reason: str) -> tuple[object, ...]:
    return ("accord mark 1", number, mark, since, reason)
