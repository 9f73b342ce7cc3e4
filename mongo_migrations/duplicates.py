"""The question that finds what a unique index would refuse: keys that more than one document has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accord.seam.foretelling import SAMPLE_SIZE

Document = dict[str, Any]
_ORDERED = frozenset({1, -1})


def duplicates(definition: Mapping[str, Any]) -> Sequence[Document] | None:
    """
    Return the stages of an aggregation whose one answer tells `keys`, `documents` and a `sample`.

    Elements of lists count each for itself, as in an index. Documents with an empty list are left out:
    the index tells them from those without the field, and these stages would not.

    Args:
        definition: Of the index, as `createIndexes` takes it.

    Returns:
        The stages; None where keys of this kind can't be compared by an aggregation.
    """
    paths = list(definition["key"])
    plain = all(kind in _ORDERED for kind in definition["key"].values())
    if not plain or any(part.isdigit() or part == "$**" for path in paths for part in path.split(".")):
        return None
    key = {f"k{number}": {"$ifNull": [f"${path}", None]} for number, path in enumerate(paths)}
    return [
        {"$match": _covered(definition, paths)},
        *({"$unwind": {"path": f"${part}", "preserveNullAndEmptyArrays": True}} for part in _parts(paths)),
        {"$group": {"_id": key, "first": {"$min": "$_id"}, "last": {"$max": "$_id"}, "n": {"$sum": 1}}},
        {"$match": {"n": {"$gt": 1}, "$expr": {"$ne": ["$first", "$last"]}}},
        {
            "$group": {
                "_id": None,
                "keys": {"$sum": 1},
                "documents": {"$sum": "$n"},
                "sample": {"$firstN": {"input": "$_id", "n": SAMPLE_SIZE}},
            }
        },
    ]


def _covered(definition: Mapping[str, Any], paths: Sequence[str]) -> Document:
    """Return which documents are in the index."""
    conditions: list[Any] = [{path: {"$ne": []}} for path in paths]
    if definition.get("sparse"):
        conditions.append({"$or": [{path: {"$exists": True}} for path in paths]})
    if definition.get("partialFilterExpression"):
        conditions.append(dict(definition["partialFilterExpression"]))
    return {"$and": conditions}


def _parts(paths: Sequence[str]) -> Sequence[str]:
    """Return every place where a list may stand, outer ones first."""
    beginnings = (
        ".".join(path.split(".")[:depth]) for path in paths for depth in range(1, path.count(".") + 2)
    )
    return list(dict.fromkeys(beginnings))
