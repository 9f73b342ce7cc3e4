"""What the page of retention shows, prepared for its template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accord.meanings import meaning
from gdpr.datamap import lapses
from gdpr.datamap.map import load_data_map
from gdpr.datamap.term_words import in_words
from gdpr.datamap.terms import After
from gdpr.models import RetentionPlan
from gdpr.retention import due, plans
from gdpr.retention.due import Due
from gdpr.states import LapseKind
from gdpr.stores.base import opened_stores


@dataclass(frozen=True, kw_only=True)
class Line:
    """
    One term as people read it.

    Attributes:
        due: What has run out by it.
        of: Of whom.
        term: The term, in the reader's language.
        is_untold: Whether rows don't say whose they are, so that nothing ends by it.
        trouble: What kept the store from being asked.
    """

    due: Due
    of: str
    term: str
    is_untold: bool
    trouble: str


def lines(most: int) -> Sequence[Line]:
    """
    Count what is due by each term.

    Args:
        most: Rows of each term that are counted at most.

    Raises:
        InvalidDataMap: The data map can't be read.
    """
    with opened_stores() as stores:
        return [_line(one, due.counted(one, stores, most)) for one in due.terms()]


def by_words() -> Sequence[str]:
    """Name the entries that are kept by words, which end nothing."""
    return [one.id for one in lapses.by_words(load_data_map())]


def _line(lapse: lapses.Lapse, found: Due) -> Line:
    is_untold = found.trouble == due.UNTOLD
    return Line(
        due=found,
        of=str(LapseKind(lapse.kind).label),
        term=in_words(lapse.term),
        is_untold=is_untold,
        trouble="" if is_untold else meaning(found.trouble),
    )


@dataclass(frozen=True, kw_only=True)
class Planned:
    """
    One term of a plan as people read it.

    Attributes:
        store: Alias of its store.
        entry: Its id.
        of: Of whom.
        rule: The term, in the reader's language.
        rows: How many rows and documents go.
    """

    store: str
    entry: str
    of: str
    rule: str
    rows: int


def planned(plan: RetentionPlan) -> Sequence[Planned]:
    """Return the terms of a plan."""
    return [
        Planned(
            store=one["store"],
            entry=one["entry"],
            of=str(LapseKind(one["kind"]).label),
            rule=in_words(After.read(one["rule"]) or one["rule"]),
            rows=int(one["rows"]),
        )
        for one in plans.terms_of(plan)
    ]
