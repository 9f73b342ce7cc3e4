"""
Which events were written with the project's key: the chain is read from each to the end of its seal.

A seal covers the events of one call of :func:`accord.audit.trail.record_all`, by number and by the hash of
the last, which the chain binds to all of them. An event that SQL alone added has none, however well it
continues the chain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import connections

from accord.audit import marks
from accord.audit.chain import FIELDS, Link
from accord.audit.marks import Mark
from accord.audit.seals import Seal, is_genuine, seal
from accord.models import AuditEvent

ADD = 'INSERT INTO accord_auditseal ("last", "first", key_id, mac)'
# A seal of events that were cut off stays where it is: those that take their place are found by it.
UNLESS_THERE = 'ON CONFLICT ("last") DO NOTHING'
# Of each event the one seal that may cover it, by the index of the primary key.
_COVERING = """
    SELECT wanted.seq, found."first", found."last", found.key_id, found.mac
    FROM unnest(%s::bigint[]) AS wanted (seq)
    CROSS JOIN LATERAL (
        SELECT "first", "last", key_id, mac FROM accord_auditseal
        WHERE "last" >= wanted.seq ORDER BY "last" LIMIT 1
    ) AS found
    WHERE found."first" <= wanted.seq
"""


@dataclass(frozen=True, kw_only=True)
class Range:
    """
    Events that were sealed together.

    Attributes:
        first: Number of the first.
        last: Number of the last.
        seal: Over them.
    """

    first: int
    last: int
    seal: Seal

    def is_genuine(self, digest: str, genuine: Sequence[Mark]) -> bool:
        """
        Return whether this project sealed them.

        Args:
            digest: Hash of the last one.
            genuine: The marks of the database that this project wrote, in order.
        """
        mark = next((one for one in reversed(genuine) if one.since <= self.first), None)
        return mark is not None and is_genuine(self.seal, *_parts(mark, self.first, self.last, digest))


def exist(alias: str) -> bool:
    """Return whether the table of seals is there; an earlier version had none."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regclass('accord_auditseal') IS NOT NULL")
        return bool((cursor.fetchone() or [False])[0])


def over(mark: Mark, first: int, last: int, digest: str) -> Seal:
    """
    Make the seal of events that are written together.

    Args:
        mark: The mark that counts.
        first: Number of the first event.
        last: Number of the last one.
        digest: Hash of the last one.
    """
    return seal(*_parts(mark, first, last, digest))


def among(numbers: Collection[int], using: str) -> frozenset[int]:
    """
    Return those of many events that this project wrote.

    Where there is no table of seals yet, which a run may be about to bring, all of them are.

    Args:
        numbers: Numbers of the events.
        using: Database of the trail.
    """
    if not exist(using):
        return frozenset(numbers)
    covering = _covering(numbers, using)
    earliest: dict[Range, int] = {}
    for number, covers in covering.items():
        earliest[covers] = min(number, earliest.get(covers, number))
    genuine = [mark for mark in marks.all_of(using) if mark.genuine]
    links = dict(_links(earliest, using))
    sound = {covers: _sound_from(covers, least, links, genuine) for covers, least in earliest.items()}
    return frozenset(number for number, covers in covering.items() if number >= sound[covers])


def _sound_from(
    covers: Range, least: int, links: Mapping[int, tuple[Link, str]], genuine: Sequence[Mark]
) -> int:
    """Return from which event on a range is what was sealed, read backwards from its end."""
    end = links.get(covers.last)
    if end is None or not covers.is_genuine(end[1], genuine):
        return covers.last + 1
    wanted = end[1]
    for seq in range(covers.last, least - 1, -1):
        link, digest = links.get(seq, (None, ""))
        if link is None or digest != wanted or link.digest() != digest:
            return seq + 1
        wanted = link.prev_hash
    return least


def _covering(numbers: Collection[int], using: str) -> Mapping[int, Range]:
    with connections[using].cursor() as cursor:
        cursor.execute(_COVERING, [sorted(numbers)])
        return {
            seq: Range(first=first, last=last, seal=Seal(key_id=key_id, mac=mac))
            for seq, first, last, key_id, mac in cursor.fetchall()
        }


def _links(earliest: Mapping[Range, int], using: str) -> Iterator[tuple[int, tuple[Link, str]]]:
    wanted = {seq for covers, least in earliest.items() for seq in range(least, covers.last + 1)}
    rows = AuditEvent.objects.using(using).filter(seq__in=wanted)
    for *values, digest in rows.values_list(*FIELDS, "hash"):
        link = Link(**dict(zip(FIELDS, values, strict=True)))
        yield link.seq, (link, digest)


def _parts(mark: Mark, first: int, last: int, digest: str) -> tuple[object, ...]:
    return ("accord seal 1", mark.mark, first, last, digest)
