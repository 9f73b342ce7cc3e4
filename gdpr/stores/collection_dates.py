"""Dates in collections: the latest of each person, asked with one aggregation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import plain
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After, day_of_moment
from gdpr.stores.base import plain_field
from gdpr.stores.dates import Dates, joined
from gdpr.stores.filters import Filter


class DatedCollections(ABC):
    """An adapter of collections, as far as it counts by dates."""

    @abstractmethod
    def _target(self, entry: Entry) -> Collection[dict[str, Any]]: ...

    @abstractmethod
    def _matched(self, entry: Entry, keys: Keys) -> Filter: ...

    @abstractmethod
    def translated(self) -> AbstractContextManager[None]:
        """Turn the driver's errors into the suite's."""

    @abstractmethod
    def localised(self, entry: Entry) -> Entry:
        """Return an entry in the words of the collection."""

    def column(self, entry: Entry, name: str) -> str:
        """Return a field's name as the collection has it."""
        return name

    def dates(self, entry: Entry, keys: Keys, term: After) -> Mapping[str, Dates]:
        """Return the dates of people's documents; see :class:`gdpr.stores.dates.TellsDates`."""
        date, owner = f"${self.column(entry, term.field)}", plain_field(self.localised(entry))
        is_date = {"$eq": [{"$type": date}, "date"]}
        group = {
            "_id": f"${owner}" if owner else None,
            "missing": {"$sum": {"$cond": [is_date, 0, 1]}},
            "latest": {"$max": {"$cond": [is_date, date, None]}},
        }
        with self.translated():
            found = list(
                self._target(entry).aggregate([{"$match": self._matched(entry, keys)}, {"$group": group}])
            )
        told: dict[str, Dates] = {}
        for one in found:
            key = "" if one["_id"] is None else str(plain(one["_id"]))
            told[key] = joined([told.get(key, Dates()), _dates(one["latest"], one["missing"])])
        return told


def _dates(latest: datetime | None, missing: int) -> Dates:
    return Dates(latest=None if latest is None else day_of_moment(latest), missing=missing)
