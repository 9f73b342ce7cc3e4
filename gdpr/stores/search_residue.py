"""
What an erasure has left in indexes: looked for by code of its own, on a connection of its own.

Candidates come by every searchable form of the field that the server names, in every index of
the server that could be meant; what counts is what a document's source says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accord.erased.subject_key import canonical
from gdpr.datamap.actions import Delete, Manual, Nothing
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import Array, Key, Path, Rows, parts
from gdpr.datamap.subjects import Keys
from gdpr.errors import ErasureRefused
from gdpr.stores.edits import edited
from gdpr.stores.paths import at as values_at
from searchindex.engines.base import Engine
from searchindex.names import Names
from searchindex.transport import Transport, at
from searchindex.views import documents

_NUMBERS = frozenset({"long", "integer", "short", "byte", "unsigned_long", "double", "float"})
_ANALYSED = frozenset({"text", "match_only_text", "search_as_you_type"})
_DIGITS = re.compile(r"-?[0-9]{1,20}")
_CLAUSES = 500  # of a query; engines refuse more than 1,024


class SearchResidue:
    """
    A second look at the indexes of one store.

    Args:
        transport: A connection that nothing else uses.
        names: How the store names things.
        engine: What answers there.
    """

    def __init__(self, transport: Transport, names: Names, engine: Engine) -> None:
        self._transport = transport
        self._engine = engine
        self._names = names

    def count(self, entry: Entry, keys: Keys) -> int:
        """Count the documents that an entry's action should have changed, and has not."""
        if not entry.is_looked_at or isinstance(entry.action, Nothing):
            return 0
        return sum(self._in_index(index, entry, keys) for index in self._indexes(entry.target))

    def _indexes(self, target: str) -> list[str]:
        """Go through all indexes of the server, open or closed, and take those that carry the name."""
        name = self._names.alias(target)
        pattern = re.compile(re.escape(name).replace(r"\*", ".*") + r"(-\d+)?")
        listed = self._transport.get("/_all/_alias?expand_wildcards=all")
        return sorted(
            index for index, found in listed.items() if pattern.fullmatch(index) or name in found["aliases"]
        )

    def _in_index(self, index: str, entry: Entry, keys: Keys) -> int:
        self._transport.request("POST", at(index, "_refresh"))
        left: set[str] = set()
        apart = set(map(str, keys.apart(entry.id)))
        for locator in parts(entry.locator):
            if not isinstance(locator, Key | Path | Array | Rows):
                continue
            path, wanted = _path(locator), _texts(locator, keys)
            people = set(map(canonical, wanted))
            for hit in self._candidates(index, path, wanted):
                held = map(canonical, values_at(hit["_source"], path))
                if hit["_id"] in apart:
                    continue
                if people.intersection(held) and _is_left(entry, keys, hit["_source"]):
                    left.add(hit["_id"])
        return len(left)

    def _candidates(self, index: str, path: str, wanted: set[str]) -> Iterator[Mapping[str, Any]]:
        queries = self._forms(index, path, sorted(wanted))
        for start in range(0, len(queries), _CLAUSES):
            yield from self._found(index, queries[start : start + _CLAUSES])

    def _found(self, index: str, queries: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        query = {"bool": {"should": queries, "minimum_should_match": 1}}
        return documents(self._transport, self._engine, index, query)

    def _forms(self, index: str, path: str, wanted: Sequence[str]) -> list[Mapping[str, Any]]:
        """Ask the server by which names and types a field can be searched, and use each."""
        steps = path.split(".")
        above = [".".join(steps[:length]) for length in range(1, len(steps))]
        fields = ",".join([path, f"{path}.*", *above])
        caps = self._transport.get(f"{at(index, '_field_caps')}?fields={fields}")["fields"]
        nested = next((name for name in reversed(above) if "nested" in caps.get(name, {})), "")
        queries: list[Mapping[str, Any]] = []
        for name, kinds in caps.items():
            if name in above:
                continue
            for kind, features in kinds.items():
                if features.get("searchable"):
                    queries += _form(name, kind, [text for text in wanted if _may_hold(kind, text)])
        if not nested:
            return queries
        return [{"nested": {"path": nested, "query": query, "ignore_unmapped": True}} for query in queries]


def _form(name: str, kind: str, texts: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    if kind in _ANALYSED:
        return [{"match_phrase": {name: text}} for text in texts]
    return [{"terms": {name: list(texts)}}] if texts else []


def _may_hold(kind: str, text: str) -> bool:
    if kind not in _NUMBERS:
        return True
    # An engine refuses the whole query for one text that is no number, or a number too big for the field.
    return bool(_DIGITS.fullmatch(text)) and abs(int(text)) < (2**64 if kind == "unsigned_long" else 2**63)


def _path(locator: Key | Path | Array | Rows) -> str:
    return str(getattr(locator, "field", "") or getattr(locator, "path", "")).replace("[]", "")


def _texts(locator: Key | Path | Array | Rows, keys: Keys) -> set[str]:
    if isinstance(locator, Rows):
        if locator.entry not in keys.collected:
            raise ErasureRefused(
                f"The keys of entry “{locator.entry}” have not been collected.",
                hint="Verification needs the keys that were collected before the erasure.",
            )
        return {str(key) for key in keys.collected[locator.entry]}
    return {str(value) for value in keys.values(locator.by)}


def _is_left(entry: Entry, keys: Keys, source: Mapping[str, Any]) -> bool:
    return isinstance(entry.action, Delete | Manual) or bool(edited(entry, keys, source))
