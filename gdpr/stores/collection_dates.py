"""Dates in collections: the latest of each person, and documents that have run out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import plain
from gdpr.datamap.lapses import Lapse
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After, day_of_moment
from gdpr.stores import seen
from gdpr.stores.base import plain_field
from gdpr.stores.dates import Dates, joined
from gdpr.stores.filters import Filter, pending
from gdpr.stores.lapsing import NOBODY, LapsedRow, beginning_of_moments
from gdpr.stores.paths import at as values_at

# Every type but dates, nothing, and lists, which MongoDB looks into: asked so, an index serves the question.
_OTHERS = [
    "double", "string", "object", "binData", "undefined", "objectId", "bool", "regex", "dbPointer", "symbol",
    "javascript", "javascriptWithScope", "int", "timestamp", "long", "decimal", "minKey", "maxKey",
]  # fmt: skip
_MILLISECONDS = 5_000


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


def others_than_dates(target: Collection[dict[str, Any]], path: str) -> set[str]:
    """
    Return the types of what stands where a term counts from and is no date.

    Every document is asked about where an index begins with the field. Of any other collection the oldest
    and the newest are looked at: this is asked at every plan, and reading a large collection takes minutes.

    Args:
        target: The collection.
        path: The field.
    """
    if _leads_an_index(target, path):
        other = target.find_one({path: {"$type": _OTHERS}}, {path: 1}, max_time_ms=_MILLISECONDS)
        documents: Iterable[Mapping[str, Any]] = [other] if other else []
    else:
        documents = seen.sample(target)
    values = (value for document in documents for value in values_at(document, path))
    return {type(value).__name__ for value in values if not isinstance(value, datetime | None)}


def _leads_an_index(target: Collection[dict[str, Any]], path: str) -> bool:
    indexes = target.index_information().values()
    return any(one["key"][0][0] == path and "partialFilterExpression" not in one for one in indexes)
