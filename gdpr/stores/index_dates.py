"""Dates in indexes: the latest of each person, asked with an aggregation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gdpr.datamap.entries import Entry
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After, day_of_moment
from gdpr.stores.dates import Dates, joined
from gdpr.stores.mapping import Query
from searchindex.transport import Transport, at

DATES = frozenset({"date", "date_nanos"})
_MILLISECONDS = 1000


class DatedIndexes(ABC):
    """An adapter of a search server, as far as it counts by dates."""

    @property
    @abstractmethod
    def _transport(self) -> Transport: ...

    @abstractmethod
    def _queries(self, entry: Entry, keys: Keys) -> Sequence[tuple[str, Query]]: ...

    def dates(self, entry: Entry, keys: Keys, term: After) -> Mapping[str, Dates]:
        """Return the dates of people's documents, all together; see :class:`gdpr.stores.dates.TellsDates`."""
        found = [self._dates(index, query, term) for index, query in self._queries(entry, keys)]
        return {"": joined(found)}

    def _dates(self, index: str, query: Query, term: After) -> Dates:
        told = {"latest": {"max": {"field": term.field}}, "missing": {"missing": {"field": term.field}}}
        body: dict[str, Any] = {"query": query, "size": 0, "aggs": told}
        found = self._transport.request("POST", at(index, "_search"), body).body["aggregations"]
        latest = found["latest"]["value"]
        day = None if latest is None else day_of_moment(datetime.fromtimestamp(latest / _MILLISECONDS, UTC))
        return Dates(latest=day, missing=int(found["missing"]["doc_count"]))
