"""What has run out in a store: rows and documents by their own date, whosever they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Protocol, runtime_checkable

from django.utils import timezone

from gdpr.datamap.keys import Plain
from gdpr.datamap.lapses import Lapse
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import ErasureRefused
from gdpr.stores.base import ErasureStore

NOBODY = SubjectKeys(kind="", primary="")
"""Stands where an action takes keys: rows that have run out are changed as a whole, whosever they are."""


@dataclass(frozen=True, kw_only=True)
class LapsedRow:
    """
    A row or document that has run out.

    Attributes:
        key: By which its store finds it again.
        owners: Primary keys of the people whose it is, as it says itself; none where it says nobody.
    """

    key: object
    owners: tuple[Plain, ...] = ()


@runtime_checkable
class Lapsing(Protocol):
    """A store that finds what has run out, and lets it go."""

    def run_out(self, lapse: Lapse) -> Iterator[LapsedRow]:
        """Find rows or documents, page by page; those that are let go meanwhile may be given or not."""
        ...

    def let_go(self, lapse: Lapse, rows: Sequence[LapsedRow]) -> int:
        """
        Delete or change some of what :meth:`run_out` gave, as the entry's action says. Idempotent.

        What has another date by then stays, and so does what somebody else holds.

        Returns:
            How many.
        """
        ...


def lapsing(store: ErasureStore, lapse: Lapse) -> Lapsing:
    """
    Return a store as one that lets go.

    Raises:
        ErasureRefused: It is none.
    """
    if isinstance(store, Lapsing):
        return store
    raise ErasureRefused(
        f"Nothing in the store “{store.alias}” can be found by a date, as entry “{lapse.entry.id}” asks for.",
        hint="Write how long it is kept in words, and end it where it is made.",
    )


def beginning(day: date) -> datetime:
    """Return the moment at which a day begins on the project's calendar."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())


def beginning_of_moments(day: date) -> datetime:
    """Return the moment before which everything is of an earlier day, where days are moments in UTC."""
    return min(beginning(day), datetime.combine(day, time.min, tzinfo=UTC)).astimezone(UTC)
