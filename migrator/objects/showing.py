"""What a step would send, after how it differs from the text before. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from accord.seam.types import Direction, Language, Statement
from migrator.objects.book import Book, Entry
from migrator.objects.source import ObjectSource


def shown(source: ObjectSource, made: Entry | None, book: Book, direction: Direction) -> Sequence[Statement]:
    """
    Show a step.

    Args:
        source: Its text.
        made: Its line in the ledger; None while it is pending.
        book: The ledger.
        direction: Which way it would go.
    """
    texts = book.texts((source.app, source.name))
    if direction is Direction.APPLY:
        before = texts[-1].source if texts and made is None else None
        return _changed(before, source)
    number = made.number if made else len(texts) + 1
    previous = next((one.source for one in texts if one.number == number - 1), None)
    return [_sql(source.drop)] if previous is None and not source.removed else _changed(source, previous)


def _changed(before: ObjectSource | None, after: ObjectSource | None) -> Sequence[Statement]:
    if after is None:
        return []
    sent = _sql(before.drop if before and after.removed else after.drop if after.removed else after.text)
    if before is None:
        return [sent]
    lines = difflib.unified_diff(before.text.splitlines(), after.text.splitlines(), lineterm="", n=2)
    # The first two lines name files; there is one, and its two texts.
    told = "\n".join(f"-- {line}" for line in [*lines][2:])
    return [_sql(told), sent] if told else [sent]


def _sql(text: str) -> Statement:
    return Statement(text=text.strip(), language=Language.SQL)
