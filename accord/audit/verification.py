"""
Checking the audit trail: its events, its signed heads, and the evidence that it tells of.

Every event is held against its hash and seal, the chain against its signed heads, and evidence in tables
against the events that tell of it.

Rows are read in order and once, so memory stays flat. After a wrong row the check goes on from
what it found, so that one change is reported once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.db import connections, transaction

from accord import conf, db, guards
from accord.audit import anchors, crosscheck, signed_heads
from accord.audit.anchors import Anchors
from accord.audit.chain import FIELDS, GENESIS, Link
from accord.audit.problems import Problem, ProblemKind
from accord.audit.seal_check import SealCheck
from accord.models import AuditEvent

_PAGE = 2000
_MOST_PROBLEMS = 50
_TAIL = 1000


@dataclass(frozen=True, kw_only=True)
class Report:
    """
    What a check found.

    Attributes:
        checked: How many events were read.
        first: Number of the first one that was, 0 if none.
        last: Number of the trail's last event, 0 for an empty trail.
        head: Hash of the last event.
        anchored: Number of the event up to which a signed head outside of the database agrees.
        heads: How many signed heads were compared.
        before_key: How many events have no seal because they were written before the key, or before a person
            began heads anew over them.
        problems: What is wrong, at most some dozens.
        more: How many problems are not listed.
        seconds: How long it took.
    """

    checked: int
    first: int
    last: int
    head: str
    anchored: int
    heads: int
    before_key: int
    problems: tuple[Problem, ...]
    more: int
    seconds: float

    @property
    def intact(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.problems

    def document(self) -> Mapping[str, object]:
        """Describe the report for JSON answers."""
        return {
            "intact": self.intact,
            "checked": self.checked,
            "first": self.first,
            "last": self.last,
            "head": self.head,
            "anchored": self.anchored,
            "heads": self.heads,
            "before_key": self.before_key,
            "problems": [
                {"kind": str(found.kind), "seq": found.seq, "text": found.text} for found in self.problems
            ],
            "more_problems": self.more,
            "seconds": round(self.seconds, 3),
        }


def verify(since: int | None = None, *, using: str | None = None) -> Report:
    """
    Check the audit trail.

    Args:
        since: Number of the event to begin with; the whole trail by default. What comes
            before is then taken on trust.
        using: Database of the trail; the coordinator by default.

    Raises:
        StoreError: The trail can't be read.
    """
    alias = using or conf.load().coordinator
    # In a transaction, because the rows are read through a cursor on the server.
    with db.reading("The audit trail", alias), transaction.atomic(using=alias):
        return _Check(alias, max(since or 1, 1)).run()


def verify_tail(*, using: str | None = None) -> Report:
    """
    Check the newest events only, from one that a signed head vouches for.

    Args:
        using: Database of the trail.

    Raises:
        StoreError: The trail can't be read.
    """
    alias = using or conf.load().coordinator
    with db.reading("The audit trail", alias):
        found = signed_heads.gather(alias)
    heads = sorted(found.heads(), key=lambda head: head.size, reverse=True)
    # A head goes to the file with every commit: the newest one would leave next to nothing to check.
    far_enough = (
        head.size for head in heads if head.size <= heads[0].size - _TAIL and signed_heads.is_signed(head)
    )
    return verify(since=next(far_enough, None), using=alias)


class _Check:
    """One check under way."""

    def __init__(self, alias: str, since: int) -> None:
        self._alias = alias
        self._since = since
        self._found = signed_heads.gather(alias)
        self._anchors = Anchors(self._found)
        self._seals = SealCheck(alias, since, self._found.marks)
        self._problems: list[Problem] = []
        self._more = 0
        self._checked = 0
        self._last, self._head = since - 1, GENESIS if since == 1 else ""

    def run(self) -> Report:
        """Read the trail and return what is wrong with it."""
        started = time.monotonic()
        for link, digest in _rows(self._alias, self._since):
            self._note(_against(link, digest, last=self._last, head=self._head))
            self._note(self._anchors.compare(link.seq, digest))
            self._note(self._seals.compare(link.seq, digest))
            self._last, self._head = link.seq, digest
            self._checked += 1
        last = self._last if self._checked else _newest(self._alias)
        self._note(self._anchors.beyond(last))
        self._note(self._seals.beyond(last))
        self._note(self._anchors.faults())
        self._note(anchors.of_marks(self._found, last))
        if self._since == 1:
            self._note(crosscheck.compare(self._alias, self._found.marks))
        self._note(_unprotected(self._alias))
        return self._report(time.monotonic() - started)

    def _note(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            if len(self._problems) < _MOST_PROBLEMS:
                self._problems.append(problem)
            else:
                self._more += 1

    def _report(self, seconds: float) -> Report:
        return Report(
            checked=self._checked,
            first=self._since if self._checked else 0,
            last=self._last if self._checked else 0,
            head=self._head if self._checked else "",
            anchored=self._anchors.reached(),
            heads=self._anchors.count,
            before_key=self._seals.before,
            problems=tuple(self._problems),
            more=self._more,
            seconds=seconds,
        )


def _against(link: Link, digest: str, *, last: int, head: str) -> Iterator[Problem]:
    """Compare an event with its own hash and the event before it."""
    if link.seq != last + 1:
        gone = str(last + 1) if link.seq == last + 2 else f"{last + 1} to {link.seq - 1}"
        yield Problem(kind=ProblemKind.MISSING, seq=last + 1, text=f"Event {gone} is missing.")
    elif head and link.prev_hash != head:
        text = f"Event {link.seq} does not continue the one before it."
        yield Problem(kind=ProblemKind.UNCHAINED, seq=link.seq, text=text)
    if link.digest() != digest:
        text = f"Event {link.seq} is not what was written."
        yield Problem(kind=ProblemKind.EDITED, seq=link.seq, text=text)


def _unprotected(alias: str) -> Iterator[Problem]:
    for name in guards.missing(connections[alias]):
        text = f"“{name}”, which protects evidence in the database, is gone, off or changed."
        yield Problem(kind=ProblemKind.UNPROTECTED, seq=0, text=text)


def _newest(alias: str) -> int:
    newest = AuditEvent.objects.using(alias).order_by("-seq").values_list("seq", flat=True)
    return newest.first() or 0


def _rows(alias: str, since: int) -> Iterator[tuple[Link, str]]:
    rows = AuditEvent.objects.using(alias).filter(seq__gte=since).order_by("seq")
    for *values, digest in rows.values_list(*FIELDS, "hash").iterator(chunk_size=_PAGE):
        yield Link(**dict(zip(FIELDS, values, strict=True))), digest
