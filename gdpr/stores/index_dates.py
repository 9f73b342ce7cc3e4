"""Dates in indexes: the latest of each person, and documents that have run out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from gdpr.datamap.actions import Delete
from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import plain
from gdpr.datamap.lapses import Lapse
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After, day_of_moment
from gdpr.stores.dates import Dates, joined
from gdpr.stores.edits import edited
from gdpr.stores.index_scrubs import Indexes
from gdpr.stores.lapsing import NOBODY, LapsedRow, beginning_of_moments
from gdpr.stores.mapping import Query
from gdpr.stores.paths import at as values_at
from searchindex.views import Hit

DATES = frozenset({"date", "date_nanos"})
_MILLISECONDS = 1000


class DatedIndexes(ABC):
    """An adapter of a search server, as far as it counts by dates."""

    @abstractmethod
    def _asked(self, index: str, verb: str, body: Mapping[str, Any]) -> Any: ...

    @abstractmethod
    def _documents(self, index: str, query: Query) -> Iterator[Hit]: ...

    @abstractmethod
    def _refreshed(self, entry: Entry) -> Indexes: ...

    @abstractmethod
    def _delete_by_id(self, index: str, query: Query, limit: int) -> tuple[int, int]: ...

    @abstractmethod
    def _edit(self, entry: Entry, keys: Keys, index: str, query: Query, limit: int) -> tuple[int, int]: ...

    @abstractmethod
    def _queries(self, entry: Entry, keys: Keys) -> Sequence[tuple[str, Query]]: ...

    def dates(self, entry: Entry, keys: Keys, term: After) -> Mapping[str, Dates]:
        """Return the dates of people's documents, all together; see :class:`gdpr.stores.dates.TellsDates`."""
        found = [self._dates(index, query, term) for index, query in self._queries(entry, keys)]
        return {"": joined(found)}

    def _dates(self, index: str, query: Query, term: After) -> Dates:
        told = {"latest": {"max": {"field": term.field}}, "missing": {"missing": {"field": term.field}}}
        body: dict[str, Any] = {"query": query, "size": 0, "aggs": told}
        found = self._asked(index, "_search", body)["aggregations"]
        latest = found["latest"]["value"]
        day = None if latest is None else day_of_moment(datetime.fromtimestamp(latest / _MILLISECONDS, UTC))
        return Dates(latest=day, missing=int(found["missing"]["doc_count"]))

    def run_out(self, lapse: Lapse) -> Iterator[LapsedRow]:
        """Find documents that have run out; see :class:`gdpr.stores.lapsing.Lapsing`."""
        for index in self._refreshed(lapse.entry):
            for hit in self._documents(index, _lapsed(lapse)):
                if isinstance(lapse.entry.action, Delete) or edited(lapse.entry, NOBODY, hit["_source"]):
                    owners = values_at(hit["_source"], lapse.owner) if lapse.owner else []
                    told = tuple(plain(one) for one in owners if one is not None)
                    yield LapsedRow(key=(index, str(hit["_id"])), owners=told)

    def let_go(self, lapse: Lapse, rows: Sequence[LapsedRow]) -> int:
        """Delete or change documents; see :class:`gdpr.stores.lapsing.Lapsing`."""
        indexes: dict[str, list[str]] = {}
        for row in rows:
            index, key = cast("tuple[str, str]", row.key)
            indexes.setdefault(index, []).append(key)
        changed = 0
        for index, keys in indexes.items():
            chosen: Query = {"bool": {"filter": [{"ids": {"values": keys}}, _lapsed(lapse)]}}
            if isinstance(lapse.entry.action, Delete):
                changed += self._delete_by_id(index, chosen, len(keys))[1]
            else:
                changed += self._edit(lapse.entry, NOBODY, index, chosen, len(keys))[1]
        return changed


def _lapsed(lapse: Lapse) -> Query:
    if lapse.before is None:
        return {"match_all": {}}
    edge = beginning_of_moments(lapse.before).isoformat()
    return {"range": {lapse.field: {"lt": edge, "format": "strict_date_optional_time"}}}
