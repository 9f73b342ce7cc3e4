"""
The signed heads, held against the events, and against what the database remembers of them.

A head's signature is only looked at where it decides something: checking thousands of them would take
longer than reading the trail.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from accord.audit import signed_heads
from accord.audit.problems import Problem, ProblemKind
from accord.audit.signed_heads import Gathered, Head, Kept

_LATEST = 1000


class Anchors:
    """
    What vouches for a trail, compared as its events are read.

    Args:
        found: Everything that vouches for it.
    """

    def __init__(self, found: Gathered) -> None:
        self._found = found
        self._of: dict[int, list[Head]] = {}
        for head in found.heads():
            self._of.setdefault(head.size, []).append(head)
        self._strays: dict[int, list[Head]] = {}
        for head in (head for place in found.places for head in place.strays):
            self._strays.setdefault(head.size, []).append(head)
        self.count = sum(map(len, self._of.values()))
        self._agreeing: deque[Head] = deque(maxlen=_LATEST)
        self._rewritten = self._strayed = False

    def compare(self, seq: int, digest: str) -> Iterator[Problem]:
        """Compare an event with the heads that were signed when it was the last one."""
        for head in self._of.get(seq, ()):
            if head.hash != digest:
                yield from self._contradiction(head)
            elif head.source != signed_heads.TABLE:
                self._agreeing.append(head)
        for head in self._strays.get(seq, ()):
            if head.hash == digest:
                self._agreeing.append(head)
            else:
                yield from self._stray(head)

    def reached(self) -> int:
        """Return the last event that a signed head outside of the database agrees with."""
        return next((head.size for head in reversed(self._agreeing) if signed_heads.is_signed(head)), 0)

    def beyond(self, last: int) -> Iterator[Problem]:
        """Find heads of events that do not exist."""
        for size in sorted((size for size in self._of if size > last), reverse=True):
            unsigned = [head for head in self._of[size] if not signed_heads.is_signed(head)]
            yield from map(_forged, unsigned)
            if len(unsigned) < len(self._of[size]):
                yield _cut_off(last, f"a signed head counts {size}")
                return
        if (due := self._due()) > last:
            yield _cut_off(last, f"the database remembers a head of event {due}")
        for size in sorted(size for size in self._strays if size > last):
            yield from self._stray(self._strays[size][0])

    def faults(self) -> Iterator[Problem]:
        """Find places that don't hold what was written to them, and heads that belong elsewhere."""
        for place in self._found.places:
            if place.foreign:
                yield _foreign(place.name, place.foreign)
            if due := self._due():
                yield from _lost(place, due)

    def _due(self) -> int:
        mark = self._found.mark
        return mark.demanded if mark else 0

    def _contradiction(self, head: Head) -> Iterator[Problem]:
        if self._rewritten:
            return
        if not signed_heads.is_signed(head):
            yield _forged(head)
            return
        self._rewritten = True
        text = f"Event {head.size} is another one than was signed; the head is in {head.source}."
        yield Problem(kind=ProblemKind.REWRITTEN, seq=head.size, text=text)

    def _stray(self, head: Head) -> Iterator[Problem]:
        """Say once that heads of the earlier form, of another address, don't agree with the trail."""
        if not self._strayed and signed_heads.is_signed(head):
            self._strayed = True
            text = (
                f"A head in {head.source}, signed for another address by an earlier version, "
                f"contradicts event {head.size}."
            )
            yield Problem(kind=ProblemKind.HEADS_FOREIGN, seq=head.size, text=text)


def of_marks(found: Gathered, last: int) -> Iterator[Problem]:
    """
    Find out whether the mark of the database is there and ours.

    Args:
        found: Everything that vouches for the trail.
        last: Number of its last event.
    """
    if found.marks and not found.marks[-1].genuine:
        text = (
            f"Mark {found.marks[-1].number} of the database was not written with a key of this project; "
            "SECRET_KEY_FALLBACKS may lack one that it had."
        )
        yield Problem(kind=ProblemKind.MARK, seq=0, text=text)
    if found.marks_missing and last:
        text = "The mark of the database is gone: nothing tells its heads from those of another."
        yield Problem(kind=ProblemKind.MARK, seq=0, text=text)


def _lost(place: Kept, due: int) -> Iterator[Problem]:
    signed = (head.size for head in _newest_first(place) if signed_heads.is_signed(head))
    top = next(signed, 0)
    if not top:
        text = f"No head of this database is in {place.name}, though one of event {due} was written there."
        yield Problem(kind=ProblemKind.HEADS_MISSING, seq=0, text=text)
    elif top < due:
        text = f"Heads in {place.name} end with event {top}, though one of event {due} was written there."
        yield Problem(kind=ProblemKind.HEADS_SHORTENED, seq=top + 1, text=text)


def _newest_first(place: Kept) -> list[Head]:
    return sorted(place.own, key=lambda head: head.size, reverse=True)


def _foreign(name: str, count: int) -> Problem:
    heads, are = ("A head", "is") if count == 1 else (f"{count} heads", "are")
    text = f"{heads} in {name} {are} of another database: the file was exchanged, or the database was."
    return Problem(kind=ProblemKind.HEADS_FOREIGN, seq=0, text=text)


def _cut_off(last: int, why: str) -> Problem:
    text = f"The trail ends with event {last}, and {why}."
    return Problem(kind=ProblemKind.CUT_OFF, seq=last + 1, text=text)


def _forged(head: Head) -> Problem:
    text = f"A head for event {head.size} in {head.source} contradicts the trail; we did not sign it."
    return Problem(kind=ProblemKind.FORGED_HEAD, seq=head.size, text=text)
