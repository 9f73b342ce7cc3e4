"""
Signed heads of the audit trail, kept outside of the database that holds it.

A chain of hashes shows what was changed inside of it, but not that its end was cut off or that
all of it was written anew. A head that was signed and carried away shows both: whoever rules
the database has neither the key nor the places (:mod:`accord.audit.head_places`).

One line goes to every place after each commit that recorded events. A kill between the two loses that
line only; the next one covers the same events. Once every place has it, the database is told how far
heads reach, so that places which hold less are known to have lost some.

A head is bound to the database's mark (:mod:`accord.audit.marks`). Heads of earlier versions were bound
to its address; they count by that, or by agreeing with the trail.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.db import connections

from accord.audit import head_places, marks
from accord.audit.head_places import Place
from accord.audit.marks import Mark
from accord.errors import SignatureError
from accord.models import AuditCheckpoint, AuditEvent
from accord.secrets import signing

logger = logging.getLogger(__name__)

PURPOSE = "accord.audit.head/1"
_BY_ADDRESS = 16
"""Length of what heads of earlier versions were bound to."""
_told: set[str] = set()
"""Places of which this process has said that they can't be written."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """
    A signed head.

    Attributes:
        database: Which database's trail.
        size: Number of its last event.
        hash: That event's hash.
        signature: Over these three.
        source: Where it was read: a place's name, or `the table`.
        or_of: What else it may have been signed for; the table doesn't hold it.
    """

    database: str
    size: int
    hash: str
    signature: str
    source: str
    or_of: frozenset[str] = field(default=frozenset())

    def signed_for(self) -> Head | None:
        """Return it as it was signed; None where we did not sign it."""
        for database in (self.database, *sorted(self.or_of)):
            if _is_ours(_payload(database, self.size, self.hash), self.signature):
                return replace(self, database=database, or_of=frozenset())
        return None


TABLE = "the table"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """
    What a place holds.

    Attributes:
        name: What the place is called.
        own: Heads of this database.
        strays: Heads of the earlier form, of another address: ours only where they agree with the trail.
        foreign: How many heads of other databases.
    """

    name: str
    own: Sequence[Head]
    strays: Sequence[Head]
    foreign: int


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """
    Everything that vouches for a trail.

    Attributes:
        marks: The marks of the database, in order.
        marks_missing: Whether there is a table of marks without any.
        places: What each place holds.
        table: Heads in the database itself.
    """

    marks: Sequence[Mark]
    marks_missing: bool
    places: Sequence[Kept]
    table: Sequence[Head]

    @property
    def mark(self) -> Mark | None:
        """The mark that counts; None where there is none that this project wrote."""
        return marks.current(self.marks)

    def heads(self) -> Iterator[Head]:
        """Yield every head of this database."""
        yield from self.table
        for place in self.places:
            yield from place.own


def note(alias: str, mark: Mark, size: int, digest: str) -> None:
    """
    Sign a head and give it to every place; what an audited commit does last.

    What was recorded stands, whether this succeeds or not: a place that can't be written is logged, once
    until it can be again.

    Args:
        alias: Database of the trail.
        mark: What the head is bound to.
        size: Number of the last event.
        digest: Its hash.
    """
    head = _signed(mark, size, digest)
    given = [_given(place, head) for place in head_places.configured()]
    if all(given):
        marks.remember(alias, mark, size)


def _given(place: Place, head: Head) -> bool:
    try:
        place.append(_line(head), sync=False)
    except OSError as exc:
        if place.name not in _told:
            _told.add(place.name)
            logger.error(  # noqa: TRY400 - what it was doing when the file could not be written helps nobody
                "From audit event %d on heads can't be written to %s: %s. %s",
                head.size,
                place.name,
                exc.strerror,
                head_places.MOVE,
            )
        return False
    _told.discard(place.name)
    return True


def obstacle() -> str:
    """Return why heads can't be written to some place; empty where they can. Nothing is written."""
    places = head_places.configured()
    found = [(place, why) for place in places if (why := place.obstacle())]
    named = len(places) > 1
    return "; ".join(f"{place.name}: {why}" if named else why for place, why in found)


def take(alias: str) -> Head | None:
    """
    Sign the head that there is now, write it into the table and durably to every place.

    Args:
        alias: Database of the trail.

    Returns:
        None for an empty trail, and for a database without a mark.

    Raises:
        OSError: A place can't be written.
    """
    last = AuditEvent.objects.using(alias).order_by("-seq").values_list("seq", "hash").first()
    mark = marks.current(marks.all_of(alias))
    if last is None or mark is None:
        return None
    head = _signed(mark, *last)
    row = AuditCheckpoint(size=head.size, hash=head.hash, signature=head.signature)
    AuditCheckpoint.objects.using(alias).bulk_create([row], ignore_conflicts=True)
    for place in head_places.configured():
        place.append(_line(head), sync=True)
    marks.remember(alias, mark, head.size)
    return head


def gather(alias: str) -> Gathered:
    """
    Read the marks of a database and every head that the places and the table hold, unchecked.

    Args:
        alias: Database of the trail.

    Raises:
        AuditError: A place is there and can't be read.
    """
    found = marks.all_of(alias)
    sorting = _Sorting(found, address_id(alias))
    places = [sorting.kept(place) for place in head_places.configured()]
    return Gathered(
        marks=found,
        marks_missing=not found and marks.exist(alias),
        places=places,
        table=list(_in_table(alias, sorting.known)),
    )


def is_signed(head: Head) -> bool:
    """Return whether we signed a head."""
    return head.signed_for() is not None


def address_id(alias: str) -> str:
    """Identify a database by its address in the settings, as heads of earlier versions did."""
    settings = connections[alias].settings_dict
    address = "\n".join(str(settings.get(name) or "") for name in ("HOST", "PORT", "NAME"))
    return hashlib.sha256(address.encode()).hexdigest()[:_BY_ADDRESS]


class _Sorting:
    """Tells heads of one database from those of others."""

    def __init__(self, found: Sequence[Mark], address: str) -> None:
        self._mark = marks.current(found)
        self._ours = self._mark.identities if self._mark else frozenset()
        self._address = address
        self._lenient = marks.databases_come_and_go()
        former = {name for mark in found for name in (mark.mark, mark.of_this_copy)}
        self.known = frozenset(former | {address})

    def kept(self, place: Place) -> Kept:
        """Sort what a place holds."""
        own: list[Head] = []
        strays: list[Head] = []
        foreign = 0
        for head in _parsed(place.lines(), place.name):
            if len(head.database) == _BY_ADDRESS:
                self._sort_by_address(head, own, strays)
            elif head.database in self._ours:
                own.append(head)
            else:
                foreign += head.database not in self.known and not self._lenient
        return Kept(name=place.name, own=own, strays=strays, foreign=foreign)

    def _sort_by_address(self, head: Head, own: list[Head], strays: list[Head]) -> None:
        """Sort a head of an earlier version. A deliberate new beginning leaves all of them behind."""
        if self._mark and self._mark.number > 1:
            return
        if head.database != self._address:
            strays += [] if self._lenient else [head]
        elif head.size:
            own.append(head)
        elif is_signed(head):
            # An earlier version said so that the database had been made anew.
            own[:] = [one for one in own if len(one.database) != _BY_ADDRESS]


def _in_table(alias: str, known: frozenset[str]) -> Iterator[Head]:
    rows = AuditCheckpoint.objects.using(alias).values_list("size", "hash", "signature")
    for size, digest, signature in rows:
        yield Head(database="", size=size, hash=digest, signature=signature, source=TABLE, or_of=known)


def _is_ours(payload: bytes, signature: str) -> bool:
    try:
        return signing.verify(payload, signature, purpose=PURPOSE) == signing.OURSELVES
    except SignatureError:
        return False


def _signed(mark: Mark, size: int, digest: str) -> Head:
    signature = signing.sign(_payload(mark.identity, size, digest), purpose=PURPOSE)
    return Head(database=mark.identity, size=size, hash=digest, signature=signature, source="")


def _payload(database: str, size: int, digest: str) -> bytes:
    return f"{database}:{size}:{digest}".encode()


def _line(head: Head) -> str:
    shown = {"database": head.database, "size": head.size, "hash": head.hash, "signature": head.signature}
    return json.dumps(shown)


def _parsed(lines: Iterable[str], source: str) -> Iterator[Head]:
    """Read heads; a line that is none is passed over, as a full disk may leave one."""
    for line in lines:
        try:
            read = json.loads(line)
            yield Head(
                database=str(read["database"]),
                size=int(read["size"]),
                hash=str(read["hash"]),
                signature=str(read["signature"]),
                source=source,
            )
        except (ValueError, TypeError, KeyError):
            continue
