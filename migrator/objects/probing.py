"""Comparing objects with the texts that made them: by how the server wrote them then, or by making them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from django.db import connections, transaction

from accord.errors import ConflictingState, InvalidRevision, StepFailed
from accord.revisions.expectation import GONE, Judgement, compared, judge, left, missing
from accord.seam.types import Presence, Probe, Step
from migrator.objects.book import Book
from migrator.objects.catalog import Catalog, is_same
from migrator.objects.files import Name
from migrator.objects.replacing import Replacing
from migrator.objects.source import ObjectSource
from migrator.relational.locking import limit

_BRIEFLY = 1.0
"""Seconds that a look stands in a queue for a lock."""


class Prober:
    """
    Looks at the objects of one database.

    Args:
        database: Its alias in Django's settings.
        book: What the ledger holds.
        newest: Texts of today's files.
    """

    def __init__(self, database: str, book: Book, newest: Mapping[Name, ObjectSource]) -> None:
        self._database = database
        self._book = book
        self._newest = newest
        self._catalog = Catalog(connections[database])

    def probe(self, steps: Sequence[tuple[Step, ObjectSource]]) -> Iterator[Probe]:
        """Judge each step by what stands after all of them: by the last text of its file."""
        last = {(source.app, source.name): (step, source) for step, source in steps}
        found = {name: self._probe(*one) for name, one in last.items()}
        for step, source in steps:
            yield replace(found[source.app, source.name], key=step.key)

    def _probe(self, step: Step, source: ObjectSource) -> Probe:
        live, entry = self._catalog.live(source), self._book.find(step.key)
        if source.removed:
            return judge(step.key, [left(f"The {source.words} is there.") if live else GONE])
        if live is None:
            return judge(step.key, [missing(f"The {source.words} is missing.")])
        if entry is None:
            return judge(step.key, [self._tried(source, live)])
        if not entry.live or not self._catalog.is_comparable(entry.live):
            unproved = (
                f"How the server writes the {source.words} can't be compared: it was recorded otherwise."
            )
            return Probe(key=step.key, presence=Presence.UNKNOWN, unproved=(unproved,))
        changed = f"The {source.words} is not as {step.key.name} made it: it was changed by hand."
        return judge(step.key, [compared([] if is_same(entry.live, live) else [changed])])

    def _tried(self, source: ObjectSource, live: str) -> Judgement:
        """Make it in a transaction that is taken back, and compare."""
        replacing = Replacing(self._database, self._book, self._newest)
        try:
            with transaction.atomic(using=self._database):
                limit(connections[self._database], _BRIEFLY)
                same = replacing.put(source, None).live == live
                transaction.set_rollback(True, using=self._database)
        except (ConflictingState, InvalidRevision, StepFailed):
            same = False
        return compared([] if same else [f"The {source.words} is not as {source.path.name} makes it."])
