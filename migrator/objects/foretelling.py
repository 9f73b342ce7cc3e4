"""What can be known of a step before it is sent, from the catalog alone: nothing is locked or tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import connections

from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Step
from migrator.objects.book import Book, Entry
from migrator.objects.catalog import Catalog, is_same
from migrator.objects.source import ObjectSource


def foretold(database: str, book: Book, steps: Sequence[tuple[Step, ObjectSource]]) -> Iterator[Foretold]:
    """
    Look at the objects of steps.

    Args:
        database: Alias in Django's settings.
        book: What the ledger holds.
        steps: The steps with their texts.
    """
    catalog = Catalog(connections[database])
    for step, source in steps:
        current = book.current((source.app, source.name))
        yield from _by_hand(catalog, step, current)
        yield from _above(catalog, step, current.source if current is not None else source)
        yield _told(
            step,
            Outlook.UNKNOWN,
            source,
            "Whether the server takes the text is known once it is sent; it is one transaction.",
        )


def _by_hand(catalog: Catalog, step: Step, current: Entry | None) -> Iterator[Foretold]:
    live = catalog.live(current.source) if current is not None else None
    if current is None or live is None or not current.live or not catalog.is_comparable(current.live):
        return
    if not is_same(current.live, live):
        words = (
            f"The {current.source.words} was changed by hand: the step stops, unless its text says the same."
        )
        hint = "Write the change into the file, or drop the object by hand."
        yield _told(step, Outlook.WARNING, current.source, words, hint)


def _above(catalog: Catalog, step: Step, source: ObjectSource) -> Iterator[Foretold]:
    address = catalog.address(source)
    above = [one.words for one in catalog.above(address)] if address is not None else []
    if above:
        words = f"Goes and comes with it, if the server doesn't replace it in place: {', '.join(above)}."
        yield _told(step, Outlook.NOTE, source, words)


def _told(step: Step, outlook: Outlook, source: ObjectSource, text: str, hint: str = "") -> Foretold:
    return Foretold(key=step.key, outlook=outlook, what=source.words, text=text, hint=hint)
