"""
Which fields the documents of a collection have: what its validator declares, and what a few show.

Names of fields may be data themselves (an object by e-mail address): such names are never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from bson import Decimal128, ObjectId
from pymongo.collection import Collection

DOCUMENTS = 100
"""How many of the oldest documents are read, and of the newest."""
_SECONDS = 5
_DEEPEST = 8
_NAMES = 50
"""An object with more names than this, in all documents together, is one by keys."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_ANY = "*"
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "bool"),
    ((int, float, Decimal, Decimal128), "number"),
    (str, "string"),
    (datetime, "date"),
    (ObjectId, "objectId"),
    ((bytes, UUID), "binData"),
)


def sample(target: Collection[Any]) -> Iterator[Mapping[str, Any]]:
    """Read a few documents of a collection, old and new: the same ones as long as none comes or goes."""
    for direction in (1, -1):
        yield from target.find(max_time_ms=_SECONDS * 1000).sort("_id", direction).limit(DOCUMENTS)


def declared(schema: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the fields that a validator's `$jsonSchema` declares, with their types."""
    found: dict[str, str] = {}
    for name, about in schema.get("properties", {}).items():
        path, inner = f"{prefix}{name}", about
        while isinstance(inner.get("items"), Mapping):
            path, inner = f"{path}[]", inner["items"]
        below = declared(inner, f"{path}.")
        found |= below or {path: _types(inner)}
    return found


def _types(about: Mapping[str, Any]) -> str:
    kinds = about.get("bsonType", about.get("type", "any"))
    return kinds if isinstance(kinds, str) else "|".join(sorted(kinds))


def paths(documents: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """
    Return the paths of all values in documents, with their types. Nothing and empty lists hold nothing.

    Args:
        documents: As the driver gives them.
    """
    root = _Node()
    for document in documents:
        root.add(document, 0)
    return dict(root.leaves(""))


@dataclass
class _Node:
    """What stood at one path, in all documents together."""

    kinds: set[str] = field(default_factory=set)
    names: dict[str, _Node] = field(default_factory=dict)
    element: _Node | None = None

    def add(self, value: Any, depth: int) -> None:
        if isinstance(value, Mapping) and depth < _DEEPEST:
            for name, inner in value.items():
                self.names.setdefault(name, _Node()).add(inner, depth + 1)
        elif isinstance(value, list) and depth < _DEEPEST:
            for inner in value:
                self.element = self.element or _Node()
                self.element.add(inner, depth + 1)
        elif value is not None and value not in ({}, []):
            self.kinds.add(next((kind for types, kind in _KINDS if isinstance(value, types)), "object"))

    def leaves(self, path: str) -> Iterator[tuple[str, str]]:
        if self.kinds:
            yield path, "|".join(sorted(self.kinds))
        if self.element is not None:
            yield from self.element.leaves(f"{path}[]")
        for name, inner in self._named().items():
            yield from inner.leaves(f"{path}.{name}" if path else name)

    def _named(self) -> Mapping[str, _Node]:
        if len(self.names) <= _NAMES and all(map(_NAME.fullmatch, self.names)):
            return self.names
        together = _Node()
        for inner in self.names.values():
            together.merge(inner)
        return {_ANY: together}

    def merge(self, other: _Node) -> None:
        self.kinds |= other.kinds
        for name, inner in other.names.items():
            self.names.setdefault(name, _Node()).merge(inner)
        if other.element is not None:
            self.element = self.element or _Node()
            self.element.merge(other.element)
