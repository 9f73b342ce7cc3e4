"""Whether the register holds: every entry against its hash and the one before, the newest by signature."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from accord import clock
from accord.wording import say
from gdpr.register import checkpoint
from gdpr.register.checkpoint import Checkpoint
from gdpr.register.entries import EntryWord, RegisterEntry, fault
from gdpr.register.place import Register

_NEWEST = 1000
"""Entries whose signatures are looked at; the hashes of all others lead up to these."""
WORTH = 1000
"""Entries that a check has to have judged for the next one to be spared them."""
_LATE = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class RegisterState:
    """
    What the register holds.

    Attributes:
        done: How many erasures it says are complete.
        kept: How many entries still have what leads to a person.
        due: How many of those lose it today, or should have before.
        overdue: How many of those should have lost it a day ago or earlier; whole days count.
    """

    done: int
    kept: int
    due: int
    overdue: int


def checked(register: Register, *, worth: int = WORTH) -> RegisterState:
    """
    Read the whole register, and judge what no check before has judged.

    Args:
        register: Which.
        worth: Entries that have to be judged for the next check to be spared them.

    Raises:
        RegisterBroken: An entry is not what was written, or lost its keys before their time.
        RegisterUnavailable: It can't be read.
    """
    now, before = clock.now(), checkpoint.read(register)
    found = _judged(register, before, now)
    if found is None:
        before = checkpoint.NOTHING
        found = _judged(register, before, now) or before
    if found.lines - before.lines >= worth:
        checkpoint.leave(register, found)
    return _state(found, now.astimezone(UTC).date())


def is_due(entry: RegisterEntry, now: datetime) -> bool:
    """Return whether no backup can bring the person of an entry back any more."""
    return entry.draft.keep_until is not None and entry.draft.keep_until <= now


def _judged(register: Register, before: Checkpoint, now: datetime) -> Checkpoint | None:
    """Judge every entry that a check before has not; None where what that one judged is there no more."""
    hashed, last = hashlib.sha256(), b""
    with closing(register.lines()) as lines:
        for last in islice(lines, before.lines):
            hashed.update(last)
        if before.lines and hashed.hexdigest() != before.digest:
            return None
        reading = _Reading(register, before, register.parsed(last) if last else None, now)
        for line in lines:
            hashed.update(line)
            reading.take(line)
    return reading.end(hashed.hexdigest())


class _Reading:
    """What is found from one entry on."""

    def __init__(
        self, register: Register, before: Checkpoint, last: RegisterEntry | None, now: datetime
    ) -> None:
        self._register = register
        self._previous = last
        self._now = now
        self._lines = before.lines
        self._done = before.done
        self._keeps = Counter(before.keeps)
        self._newest = deque[RegisterEntry](maxlen=_NEWEST)

    def take(self, line: bytes) -> None:
        entry = self._register.parsed(line)
        self._register.require(fault(entry, self._previous, signed=False) or _lost(entry, self._now))
        self._previous = entry
        self._newest.append(entry)
        self._lines += 1
        self._done += entry.draft.word is EntryWord.DONE
        if entry.draft.secrets is not None:
            self._keeps[_day(entry.draft.keep_until)] += 1

    def end(self, digest: str) -> Checkpoint:
        for entry in self._newest:
            self._register.require(fault(entry))
        return Checkpoint(lines=self._lines, digest=digest, done=self._done, keeps=dict(self._keeps))


def _day(moment: datetime | None) -> str:
    return moment.astimezone(UTC).date().isoformat() if moment else date.max.isoformat()


def _state(found: Checkpoint, today: date) -> RegisterState:
    late = today - _LATE
    days = {date.fromisoformat(day): count for day, count in found.keeps.items()}
    return RegisterState(
        done=found.done,
        kept=sum(days.values()),
        due=sum(count for day, count in days.items() if day <= today),
        overdue=sum(count for day, count in days.items() if day < late),
    )


def _lost(entry: RegisterEntry, now: datetime) -> str:
    early = entry.is_bare and not is_due(entry, now)
    return say("Entry {seq} has lost the keys that it should still have", seq=entry.seq) if early else ""
