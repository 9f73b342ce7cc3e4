"""Whether the register holds: every entry against its hash and the one before, the newest by signature."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from accord import clock
from accord.wording import say
from gdpr.errors import RegisterBroken
from gdpr.register.entries import EntryWord, RegisterEntry, fault
from gdpr.register.file import RegisterFile

_NEWEST = 1000
"""Entries whose signatures are looked at; the hashes of all others lead up to these."""
_LATE = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class RegisterState:
    """
    What the register holds.

    Attributes:
        done: How many erasures it says are complete.
        kept: How many entries still have what leads to a person.
        overdue: How many of those should have lost it a day ago or earlier.
    """

    done: int
    kept: int
    overdue: int


def checked(file: RegisterFile) -> RegisterState:
    """
    Read the whole register.

    Raises:
        RegisterBroken: An entry is not what was written, or lost its keys before their time.
        RegisterUnavailable: It can't be read.
    """
    now, newest = clock.now(), deque[RegisterEntry](maxlen=_NEWEST)
    done = kept = overdue = 0
    for entry in file.entries():
        _require(fault(entry, newest[-1] if newest else None, signed=False) or _lost(entry, now), file)
        newest.append(entry)
        done += entry.draft.word is EntryWord.DONE
        kept += entry.draft.secrets is not None
        overdue += entry.draft.secrets is not None and is_due(entry, now - _LATE)
    for entry in newest:
        _require(fault(entry), file)
    return RegisterState(done=done, kept=kept, overdue=overdue)


def is_due(entry: RegisterEntry, now: datetime) -> bool:
    """Return whether no backup can bring the person of an entry back any more."""
    return entry.draft.keep_until is not None and entry.draft.keep_until <= now


def _lost(entry: RegisterEntry, now: datetime) -> str:
    early = entry.is_bare and not is_due(entry, now)
    return f"Entry {entry.seq} has lost the keys that it should still have" if early else ""


def _require(wrong: str, file: RegisterFile) -> None:
    if wrong:
        raise RegisterBroken(
            say("The register of erasures was changed. {wrong}: {path}.", wrong=wrong, path=file.path),
            hint="Keep this file, and put back the copy that you keep of it.",
        )
