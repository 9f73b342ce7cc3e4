"""
Definitions compared: what a revision declares beside what a server answers.

A server adds defaults, rounds sizes and rewrites keys of text indexes, and BSON has no tuples, no
microseconds and no patterns of Python. These functions are pure and know those habits; each gives the
differences in words, none when the two mean the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mongo_migrations import ids
from mongo_migrations.rendering import render

Document = Mapping[str, Any]

VALIDATION = ("validator", "validationLevel", "validationAction")
_VALIDATION_DEFAULTS: Document = {"validator": {}, "validationLevel": "strict", "validationAction": "error"}
# What a collation is unless one is given. The other defaults depend on the locale and on
# the server's version, so they are not judged unless they are declared.
_COLLATION_DEFAULTS: Document = {
    "caseLevel": False,
    "strength": 3,
    "numericOrdering": False,
    "alternate": "non-ignorable",
    "maxVariable": "punct",
}
_COLLECTION_DEFAULTS: Document = {
    "capped": False,
    "collation": None,
    "timeseries": None,
    "clusteredIndex": None,
    "expireAfterSeconds": None,
    "viewOn": None,
}
_INDEX_DEFAULTS: Document = {
    "unique": False,
    "sparse": False,
    "hidden": False,
    "expireAfterSeconds": None,
    "partialFilterExpression": None,
    "wildcardProjection": None,
    "default_language": "english",
    "language_override": "language",
}
# Answers of a server that no definition needs to name.
_INDEX_NOISE = frozenset(
    {
        "v",
        "ns",
        "name",
        "key",
        "weights",
        "collation",
        "background",
        "textIndexVersion",
        "2dsphereIndexVersion",
    }
)
_CAPPED_GRAIN = 256


def collection_differences(declared: Document, live: Document) -> list[str]:
    """
    Compare a collection's options, its validator left aside.

    Args:
        declared: Options as the `create` command takes them.
        live: Options as `listCollections` gives them.

    Returns:
        A line for each difference.
    """
    declared, live = as_kept(declared), as_kept(live)
    names = [name for name in {**_COLLECTION_DEFAULTS, **declared} if name not in VALIDATION]
    return [line for name in names for line in _option(name, declared, live)]


def validation_differences(declared: Document, live: Document) -> list[str]:
    """
    Compare the validator, its level and its action.

    Args:
        declared: Those three, as `create` and `collMod` take them; an absent one is the default.
        live: Options as `listCollections` gives them.
    """
    wanted = {**_VALIDATION_DEFAULTS, **as_kept(declared)}
    found = {**_VALIDATION_DEFAULTS, **as_kept(live)}
    # Without a validator, level and action mean nothing, and servers differ in whether they keep them.
    names = VALIDATION if wanted["validator"] or found["validator"] else ()
    return [_line(name, wanted[name], found[name]) for name in names if not _same(wanted[name], found[name])]


def index_differences(declared: Document, live: Document, collation: Document | None = None) -> list[str]:
    """
    Compare two definitions of an index.

    Args:
        declared: As the `createIndexes` command takes it.
        live: As `listIndexes` gives it.
        collation: Default collation of the collection, which an index inherits.
    """
    wanted, live = normalised_index(as_kept(declared)), as_kept(live)
    collation = None if collation is None else as_kept(collation)
    differences = list(_keys(wanted, live))
    for name in {**_INDEX_DEFAULTS, **wanted, **live}:
        default = _INDEX_DEFAULTS.get(name)
        left, right = wanted.get(name, default), live.get(name, default)
        if name not in _INDEX_NOISE and not _same(left, right):
            differences.append(_line(name, left, right))
    inherited = None if "_fts" in wanted["key"] else collation
    differences.extend(_collation(wanted.get("collation", inherited), live.get("collation")))
    return differences


def normalised_index(declared: Document) -> Document:
    """
    Write a definition as a server keeps it: text keys become `_fts`, with weights.

    Args:
        declared: As the `createIndexes` command takes it.
    """
    key = dict(declared["key"])
    texts = [field for field, kind in key.items() if kind == "text"]
    if not texts:
        return {**declared, "key": key}
    weights = dict.fromkeys(texts, 1) | dict(declared.get("weights", {}))
    return {**declared, "key": _with_text_key(key), "weights": weights}


def as_kept(definition: Document) -> Document:
    """
    Return a definition with its values as a server keeps them: what BSON makes of each.

    Args:
        definition: Declared, or answered. What BSON can't hold stays as it is: sending it will tell.
    """
    from bson import decode, encode
    from bson.errors import BSONError

    try:
        return decode(encode(definition, codec_options=ids.lossless()), ids.lossless())
    except (BSONError, ValueError, TypeError, OverflowError):
        return definition


def _same(left: object, right: object) -> bool:
    """Return whether two values mean the same; a rule for 1 is none for true."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_alike(left[name], right[name]) for name in left)
    return bool(left == right)


def _alike(left: object, right: object) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_alike, left, right))
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    return _same(left, right) or (_is_no_number(left) and _is_no_number(right))


def _is_no_number(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _with_text_key(key: Document) -> Document:
    rewritten: dict[str, Any] = {}
    for field, kind in key.items():
        if kind == "text":
            rewritten |= {"_fts": "text", "_ftsx": 1}
        else:
            rewritten[field] = kind
    return rewritten


def _keys(wanted: Document, live: Document) -> Iterator[str]:
    # The order of the fields is part of an index, and Python's comparison of dictionaries ignores it.
    if list(wanted["key"].items()) != list(live["key"].items()):
        yield _line("key", wanted["key"], live["key"])
    if wanted.get("weights") != live.get("weights"):
        yield _line("weights", wanted.get("weights"), live.get("weights"))


def _option(name: str, declared: Document, live: Document) -> Sequence[str]:
    default = _COLLECTION_DEFAULTS.get(name)
    wanted, found = declared.get(name, default), live.get(name, default)
    if name == "collation":
        return _collation(wanted, found)
    if name == "size" and wanted is not None and found is not None:
        wanted = -(-int(wanted) // _CAPPED_GRAIN) * _CAPPED_GRAIN
    if _within(wanted, found):
        return ()
    return [_line(name, wanted, found)]


def _within(wanted: object, found: object) -> bool:
    """Return whether everything wanted is found; a server may have added defaults inside."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(name in found and _within(item, found[name]) for name, item in wanted.items())
    return _alike(wanted, found)


def _collation(wanted: Document | None, found: Document | None) -> Sequence[str]:
    simple = {"locale": "simple"}
    left, right = wanted or simple, found or simple
    if left["locale"] == right["locale"] == "simple":
        return ()
    expected = {**_COLLATION_DEFAULTS, **left}
    actual = {**_COLLATION_DEFAULTS, **right}
    if all(actual.get(name) == item for name, item in expected.items() if name != "version"):
        return ()
    return [_line("collation", wanted, found)]


def _line(name: str, wanted: object, found: object) -> str:
    return f"{name} is {render(found)}, declared is {render(wanted)}"
