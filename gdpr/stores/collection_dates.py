"""Dates in collections: the latest of each person, and documents that have run out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import plain
from gdpr.datamap.lapses import Lapse
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After, day_of_moment
from gdpr.stores.base import plain_field
from gdpr.stores.dates import Dates, joined
from gdpr.stores.filters import Filter, pending
from gdpr.stores.lapsing import NOBODY, LapsedRow, beginning_of_moments
from gdpr.stores.paths import at as values_at


class DatedCollections(ABC):
    """An adapter of collections, as far as it counts by dates."""

    @abstractmethod
    def _target(self, entry: Entry) -> Collection[dict[str, Any]]: ...

    @abstractmethod
    def _matched(self, entry: Entry, keys: Keys) -> Filter: ...

    @abstractmethod
    def _act(self, entry: Entry, keys: Keys, target: Collection[dict[str, Any]], chosen: Filter) -> int: ...

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

    def run_out(self, lapse: Lapse) -> Iterator[LapsedRow]:
        """Find documents that have run out; see :class:`gdpr.stores.lapsing.Lapsing`."""
        path = self.column(lapse.entry, lapse.owner) if lapse.owner else "_id"
        with self.translated():
            for document in self._target(lapse.entry).find(self._lapsed(lapse), {path: 1}):
                owners = values_at(document, path) if lapse.owner else []
                told = tuple(plain(one) for one in owners if one is not None)
                yield LapsedRow(key=document["_id"], owners=told)

    def let_go(self, lapse: Lapse, rows: Sequence[LapsedRow]) -> int:
        """Delete or change documents; see :class:`gdpr.stores.lapsing.Lapsing`."""
        chosen = {"$and": [{"_id": {"$in": [row.key for row in rows]}}, self._lapsed(lapse)]}
        with self.translated():
            return self._act(lapse.entry, NOBODY, self._target(lapse.entry), chosen)

    def _lapsed(self, lapse: Lapse) -> Filter:
        entry = self.localised(lapse.entry)
        found: list[Filter] = [pending(entry.action, None, NOBODY)]
        if lapse.before is not None:
            edge = beginning_of_moments(lapse.before)
            found.append({self.column(lapse.entry, lapse.field): {"$type": "date", "$lt": edge}})
        if lapse.wheres:
            found.append({"$or": list(lapse.wheres)})
        return {"$and": found}


def _dates(latest: datetime | None, missing: int) -> Dates:
    return Dates(latest=None if latest is None else day_of_moment(latest), missing=missing)
