"""
Erasing from search indexes: everything behind an alias, and older copies that no alias points at.

Documents are invisible to a query until the index is refreshed, so that every look refreshes
first. A write that meets another one is left for the next batch.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from accord.erased.folding import Fold
from accord.seam.registry import Registry
from gdpr.datamap.actions import Anonymise, Delete, Detach, Manual, Nothing, Pull, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import MapFinding
from gdpr.datamap.keys import Plain
from gdpr.datamap.locators import Key, Keyed, Locator, Rows
from gdpr.datamap.lock import Inventory
from gdpr.datamap.subjects import Keys
from gdpr.errors import ErasureRefused
from gdpr.stores import mapping
from gdpr.stores.base import SAMPLE, Erased, ErasureStore, Found, IndexUse
from gdpr.stores.edits import edited, guarded
from gdpr.stores.folded import Folded
from gdpr.stores.index_dates import DatedIndexes
from gdpr.stores.index_scrubs import Indexes, ScrubsIndexes
from gdpr.stores.mapping import Query
from gdpr.stores.paths import at as values_at
from gdpr.stores.shares import arrays, own_part, undivided
from searchindex.transport import Transport, at
from searchindex.views import Hit, documents, whole

if TYPE_CHECKING:
    from searchindex.store import SearchStore

_MOST = 10_000  # the largest window that an engine gives by default
_HEADERS = 50
"""Headers of an answer that a client takes without fail: OpenSearch adds one for each round and shard."""


class SearchErasure(ScrubsIndexes, DatedIndexes):
    """
    Indexes of a store of :mod:`searchindex`.

    Args:
        store: The store, open for this piece of work alone.
    """

    def __init__(self, store: SearchStore) -> None:
        self.alias = store.alias
        self.store = store

    # --- ErasureStore --------------------------------------------------------------------------------

    def find(self, entry: Entry, keys: Keys) -> Found:
        count, left, sample = 0, 0, list[str]()
        for index, query in self._queries(entry, keys):
            found = self._count(index, query)
            count += found
            left += self._pending(entry, keys, index, query) if found else 0
            if found and len(sample) < SAMPLE:
                sample += [str(hit["_id"]) for hit in self._page(index, query, SAMPLE - len(sample))]
        return Found(count=count, pending=left, sample=tuple(sample))

    def collect(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]]:
        found: list[Plain] = [
            str(hit["_id"])
            for index, query in self._queries(entry, keys)
            for hit in self._documents(index, query)
        ]
        return {entry.id: found}

    def tally(self, entry: Entry, keys: Keys, *, pending: bool = False) -> Mapping[str, int] | None:
        locator = entry.locator
        if not _is_plain(locator) or (pending and not isinstance(entry.action, Delete)):
            # What else is still to change only the documents themselves can tell.
            return None
        counts: Counter[str] = Counter()
        for index, definition in self._refreshed(entry).items():
            properties = _properties(definition)
            field = mapping.exact_field(properties, locator.field, mapping.locator_type(locator))
            if field.nested:
                return None
            query = _query(definition, entry, keys)
            if query != mapping.NOTHING:
                counts.update(self._groups(index, query, field.name, mapping.values_of(locator, keys)))
        return counts

    def collect_by_key(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]] | None:
        locator = entry.locator
        if not _is_plain(locator):
            return None
        collected: dict[str, list[Plain]] = {}
        for index, query in self._queries(entry, keys):
            for hit in self._documents(index, query):
                for owner in values_at(hit["_source"], locator.field):
                    collected.setdefault(str(owner), []).append(str(hit["_id"]))
        return collected

    def erase(self, entry: Entry, keys: Keys, limit: int) -> Erased:
        if isinstance(entry.action, Manual | Nothing):
            return Erased(matched=0, affected=0, done=True)
        matched = affected = 0
        for index, query in self._queries(entry, keys):
            if matched < limit and self._count(index, query):
                found, changed = self._batch(entry, keys, index, query, limit - matched)
                matched, affected = matched + found, affected + changed
        left = any(
            self._count(index, query) and self._pending(entry, keys, index, query)
            for index, query in self._queries(entry, keys)
        )
        return Erased(matched=matched, affected=affected, done=not left)

    def residue(self, entry: Entry, keys: Keys) -> int:
        from gdpr.stores.search_residue import SearchResidue

        with closing(Transport(self._transport.endpoint)) as fresh:
            return SearchResidue(fresh, self.store.names, self.store.engine).count(entry, keys)

    def export(self, entry: Entry, keys: Keys) -> Iterator[Mapping[str, Any]]:
        undivided_ones = dict(self._queries(undivided(entry), keys))
        for index, query in undivided_ones.items():
            for hit in self._documents(index, query):
                yield {"_id": hit["_id"], **hit["_source"]}
        for index, query in self._queries(entry, keys) if arrays(entry) else ():
            shared = {"bool": {"must": [query], "must_not": [undivided_ones.get(index, mapping.NOTHING)]}}
            for hit in self._documents(index, shared):
                own = own_part(entry, hit["_source"], lambda array: mapping.values_of(array, keys))
                yield {"_id": hit["_id"], **own}

    def candidates(self, entry: Entry, locator: Keyed, fold: Fold, wanted: Sequence[str]) -> Iterator[object]:
        for index, definition in self._refreshed(entry).items():
            for query in mapping.candidates(_properties(definition), locator, fold, wanted):
                for hit in self._documents(index, query):
                    yield from values_at(hit["_source"], mapping.field_path(locator))

    def explain(self, entry: Entry, keys: Keys) -> IndexUse:
        used = [
            json.dumps(mapping.shape(query), sort_keys=True)
            for _, query in self._queries(entry, keys)
            if query != mapping.NOTHING
        ]
        # A field that has no inverted index is refused before it gets here.
        return IndexUse(uses_index=bool(used), detail="; ".join(dict.fromkeys(used)) or "no such field")

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        from gdpr.stores.indexes import LiveIndexes

        return LiveIndexes(self).inventory(entries)

    def some(self, entry: Entry, limit: int) -> Iterator[Mapping[str, object]]:
        for index in self._refreshed(entry):
            for hit in self._page(index, {"match_all": {}}, limit):
                yield hit["_source"]

    def inspect(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        from gdpr.stores.indexes import LiveIndexes

        yield from LiveIndexes(self).inspect(entries)

    def fingerprint(self) -> str:
        from searchindex.engines.identify import who_answers

        identity = who_answers(self._transport)
        health = self._transport.get("/_cluster/state/version?filter_path=cluster_name,cluster_uuid")
        cluster = health.get("cluster_uuid") or health.get("cluster_name") or "unknown"
        return f"{identity.kind} {identity.version}, cluster {cluster}"

    # --- what there is -------------------------------------------------------------------------------

    def concrete(self, entry: Entry) -> Indexes:
        """Return every index that holds an entry's documents, with its definition."""
        return concrete(self._transport, self.store.names.alias(entry.target))

    @property
    def _transport(self) -> Transport:
        return self.store.transport

    def _refreshed(self, entry: Entry) -> Indexes:
        found = self.concrete(entry)
        if found:
            self._transport.request("POST", at(",".join(found), "_refresh"))
        return found

    def _queries(self, entry: Entry, keys: Keys) -> list[tuple[str, Query]]:
        if not entry.is_looked_at:
            return []
        return [
            (index, _query(definition, entry, keys)) for index, definition in self._refreshed(entry).items()
        ]

    def _groups(self, index: str, query: Query, field: str, values: Sequence[Any]) -> Mapping[str, int]:
        """Count documents by key. Every key fits in, so that no shard leaves one out."""
        terms = {"field": field, "size": len(values), "include": values}
        body = {"query": query, "size": 0, "aggs": {"owners": {"terms": terms}}}
        buckets = self._asked(index, "_search", body)["aggregations"]["owners"]["buckets"]
        return {str(bucket["key"]): int(bucket["doc_count"]) for bucket in buckets}

    def _count(self, index: str, query: Query) -> int:
        return int(self._asked(index, "_count", {"query": query})["count"])

    def _page(self, index: str, query: Query, size: int, *, source: bool = True) -> list[Hit]:
        body = {"query": query, "size": size, "seq_no_primary_term": True, "sort": ["_doc"]}
        hits: list[Hit] = self._asked(index, "_search", {**body, "_source": source})["hits"]["hits"]
        return hits

    def _documents(self, index: str, query: Query) -> Iterator[Hit]:
        return documents(self._transport, self.store.engine, index, query)

    def _asked(self, index: str, verb: str, body: Mapping[str, Any]) -> Any:
        return whole(self._transport.request("POST", at(index, verb), body).body, index)

    def _pending(self, entry: Entry, keys: Keys, index: str, query: Query) -> int:
        """Count what is still to change; only reading the documents can tell."""
        match entry.action:
            case Manual() | Nothing():
                return 0
            case Delete():
                return self._count(index, query)
            case Retain() if not entry.action.strategies:
                return 0
        return sum(bool(edited(entry, keys, hit["_source"])) for hit in self._documents(index, query))

    # --- acting --------------------------------------------------------------------------------------

    def _batch(self, entry: Entry, keys: Keys, index: str, query: Query, limit: int) -> tuple[int, int]:
        match entry.action:
            case Delete():
                return self._delete(index, query, limit)
            case Pull() | Unset() | Detach() | Anonymise() | Retain():
                return self._edit(entry, keys, index, query, limit)
        return 0, 0

    def _delete(self, index: str, query: Query, limit: int) -> tuple[int, int]:
        settings = self._settings(index)
        engine = self.store.engine
        if engine.features.server_side_reindex and engine.bears_scrolls(settings):
            most = min(limit, _rounds(settings) * _MOST)
            rounds = f"max_docs={most}&scroll_size={min(most, _MOST)}"
            path = f"{at(index, '_delete_by_query')}?conflicts=proceed&refresh=true&{rounds}"
            answer = self._transport.request("POST", path, {"query": query}).body
            failures = answer.get("failures") or ()
            if answer["deleted"] or answer["version_conflicts"]:
                return int(answer["total"]), int(answer["deleted"])
            if failures:
                raise _refused(index, {str(one.get("status")) for one in failures})
        # Engines without that module, indexes that don't bear it, and documents of version 0, which it
        # can't delete.
        return self._delete_by_id(index, query, limit)

    def _settings(self, index: str) -> Mapping[str, Any]:
        [found] = self._transport.get(f"{at(index, '_settings')}?flat_settings=true").values()
        settings: Mapping[str, Any] = found["settings"]
        return settings

    def _delete_by_id(self, index: str, query: Query, limit: int) -> tuple[int, int]:
        hits = self._page(index, query, min(limit, _MOST), source=False)
        return len(hits), self._bulk(index, [[{"delete": guarded(hit)}] for hit in hits])

    def _edit(self, entry: Entry, keys: Keys, index: str, query: Query, limit: int) -> tuple[int, int]:
        lines: list[list[Mapping[str, Any]]] = []
        for hit in self._documents(index, query):
            changed = edited(entry, keys, hit["_source"])
            if changed:
                lines.append([{"update": guarded(hit)}, {"doc": changed}])
            if len(lines) == min(limit, _MOST):
                break
        return len(lines), self._bulk(index, lines)

    def _bulk(self, index: str, actions: Sequence[Sequence[Mapping[str, Any]]]) -> int:
        """Send guarded writes; those that meet another write are left for the next batch."""
        if not actions:
            return 0
        lines = [json.dumps(line, ensure_ascii=False).encode() for action in actions for line in action]
        path = f"{at(index, '_bulk')}?refresh=true"
        answer = self._transport.request("POST", path, b"\n".join(lines) + b"\n").body
        statuses = [int(next(iter(item.values()))["status"]) for item in answer["items"]]
        tolerable = (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND)
        bad = {
            str(status) for status in statuses if status >= HTTPStatus.BAD_REQUEST and status not in tolerable
        }
        if bad:
            raise _refused(index, bad)
        return sum(status < HTTPStatus.BAD_REQUEST for status in statuses)


def adapter(alias: str, opened: Registry) -> ErasureStore:
    """Return the adapter of a store of :mod:`searchindex`."""
    return Folded(SearchErasure(cast("SearchStore", opened[alias])))


def concrete(transport: Transport, name: str) -> Indexes:
    """
    Return the indexes behind an alias, and those that were copied into them and are still there.

    Args:
        transport: Connection.
        name: Alias with its prefix, an index, or a pattern with asterisks.
    """
    path = f"{at(f'{name},{name}-*')}?expand_wildcards=all&ignore_unavailable=true&allow_no_indices=true"
    found = transport.find(path) or {}
    if "*" in name:
        return {index: found[index] for index in sorted(found)}
    older = re.compile(rf"{re.escape(name)}-\d+")
    return {
        index: found[index]
        for index in sorted(found)
        if index == name
        or name in found[index].get("aliases", {})
        or older.fullmatch(index)
        or found[index].get("data_stream") == name
    }


def _rounds(settings: Mapping[str, Any]) -> int:
    """Return how many rounds a request may take: no client reads an answer of over a hundred headers."""
    return max(_HEADERS // int(settings["index.number_of_shards"]), 1)


def _is_plain(locator: Locator | None) -> TypeGuard[Key | Rows]:
    return isinstance(locator, Key | Rows) and locator.field != "_id"


def _query(definition: Mapping[str, Any], entry: Entry, keys: Keys) -> Query:
    return mapping.among(mapping.query(_properties(definition), entry.locator, keys), keys.only(entry.id))


def _properties(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = definition.get("mappings", {}).get("properties", {})
    return found


def _refused(index: str, statuses: set[str]) -> ErasureRefused:
    return ErasureRefused(
        f"The index {index} refuses to change documents (status {', '.join(sorted(statuses))}).",
        hint="See whether the index is blocked for writing (a full disk blocks it), then run again.",
    )
