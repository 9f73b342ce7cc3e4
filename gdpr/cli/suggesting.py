"""`gdpr_datamap suggest`: entries for what has none, as text for a `privacy.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from accord.cli.answer import Answer
from accord.words import counted
from gdpr.datamap.map import DataMap
from gdpr.datamap.suggested import Suggestion, as_document, text_of
from gdpr.stores.base import opened_stores
from gdpr.suggestions import suggestions

SCHEMA = "accord.datamap-suggest/1"


def suggest(data_map: DataMap, wanted: Sequence[str], *, sample: bool) -> Answer:
    """
    Suggest an entry for each place without one. Nothing is written, and no value is told.

    Args:
        data_map: The data map.
        wanted: Aliases of the only stores that are asked; all of them if empty.
        sample: Whether to look at a few values of each field.

    Raises:
        StoreUnavailable: A store can't be reached.
    """
    with opened_stores() as stores:
        found = list(suggestions(data_map, stores.chosen(wanted), sample=sample))
    return Answer(
        document={"schema": SCHEMA, "suggestions": [as_document(one) for one in found]},
        lines=_lines(found),
    )


def _lines(found: Sequence[Suggestion]) -> Iterator[str]:
    if not found:
        yield "Every place has an entry."
        return
    for one in found:
        yield from (text_of(one), "")
    yield f"# {counted(len(found), 'place')} without an entry. What is empty is for a person to write."
