"""What a store says of the dates that terms are counted from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

from gdpr.datamap.entries import Entry
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After


@dataclass(frozen=True, kw_only=True)
class Dates:
    """
    The dates of some rows or documents.

    Attributes:
        latest: The latest one; None where there is none.
        missing: How many of them have no date yet.
    """

    latest: date | None = None
    missing: int = 0

    def last_day(self, term: After) -> date | None:
        """Return the last day on which any of them is kept; None while nobody can know it."""
        return None if self.missing or self.latest is None else term.last_day(self.latest)


UNKNOWN = Dates(missing=1)
"""What a store says that can't be asked for dates."""


@runtime_checkable
class TellsDates(Protocol):
    """A store whose rows or documents have dates that a term can be counted from."""

    def dates(self, entry: Entry, keys: Keys, term: After) -> Mapping[str, Dates]:
        """
        Return the dates of what is there of people, by the text of the key that each row or document holds.

        Where no plain field says whose a row is, everything stands under an empty text.
        """
        ...


def joined(found: Iterable[Dates]) -> Dates:
    """Put the dates of several groups of rows together."""
    listed = list(found)
    latest = max((one.latest for one in listed if one.latest is not None), default=None)
    return Dates(latest=latest, missing=sum(one.missing for one in listed))
