"""The seals, held against the events as they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from accord.audit import sealed
from accord.audit.marks import Mark
from accord.audit.problems import Problem, ProblemKind
from accord.audit.sealed import Range
from accord.audit.seals import Seal
from accord.models import AuditSeal

_PAGE = 2000


class SealCheck:
    """
    One walk along the seals of a trail.

    Events before the mark that counts were written before the key, or a person began heads anew over them;
    those without a seal are counted and no problem.

    Args:
        alias: Database of the trail.
        since: Number of the first event that is read.
        found: The marks of the database, in order.
    """

    def __init__(self, alias: str, since: int, found: Sequence[Mark]) -> None:
        self._genuine = [mark for mark in found if mark.genuine]
        self._ranges = _ranges(alias, since) if self._genuine and sealed.exist(alias) else iter(())
        self._strict = bool(self._genuine) and sealed.exist(alias)
        self._next = next(self._ranges, None)
        self._told = False
        self.before = 0

    def compare(self, seq: int, digest: str) -> Iterator[Problem]:
        """Ask of an event whether a seal covers it, and of the last one of a seal whether that is ours."""
        if not self._strict:
            return
        while self._next is not None and self._next.last < seq:
            self._next = next(self._ranges, None)
        covers = self._next
        if covers is None or seq < covers.first:
            yield from self._unsealed(seq, seq, "was not written with this project's key")
        elif seq == covers.last and not covers.is_genuine(digest, self._genuine):
            yield from self._unsealed(covers.first, seq, "bears a seal that no key of this project made")
        elif seq == covers.last:
            self._told = False

    def beyond(self, last: int) -> Iterator[Problem]:
        """Find seals of events that do not exist."""
        rest = [covers.last for covers in self._ranges if covers.last > last]
        if self._next is not None and self._next.last > last:
            rest.append(self._next.last)
        if rest and self._strict:
            text = f"The trail ends with event {last}, and the database holds a seal of event {max(rest)}."
            yield Problem(kind=ProblemKind.CUT_OFF, seq=last + 1, text=text)

    def _unsealed(self, first: int, last: int, why: str) -> Iterator[Problem]:
        """Say so once of events that follow each other."""
        if last < self._genuine[-1].since:
            self.before += last - first + 1
        elif not self._told:
            self._told = True
            yield Problem(kind=ProblemKind.UNSEALED, seq=first, text=f"Event {first} {why}.")


def _ranges(alias: str, since: int) -> Iterator[Range]:
    rows = AuditSeal.objects.using(alias).filter(last__gte=since).order_by("last")
    for first, last, key_id, mac in rows.values_list("first", "last", "key_id", "mac").iterator(_PAGE):
        yield Range(first=first, last=last, seal=Seal(key_id=key_id, mac=mac))
