"""The question that finds what a geospatial index would refuse: values that are no place on the sphere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]
_CRS = {"type": "name", "properties": {"name": "urn:x-mongodb:crs:strictwinding:EPSG:4326"}}
_SIDE = 0.001  # degrees


def misplaced(path: str) -> Sequence[Document]:
    """
    Return stages that leave the documents that a `2dsphere` index on a field would refuse.

    The server itself reads each value: what it can't read as a place meets neither of two regions that
    together are the whole sphere. A list counts as a place where it begins with two numbers; the index
    takes no list of places. Missing, null and empty values are no place, and no fault.

    Args:
        path: The field.
    """
    value = f"${path}"
    outer = path.split(".")[:-1]
    lists = [".".join(outer[:depth]) for depth in range(1, len(outer) + 1)]
    listed = {"$cond": [{"$isArray": value}, value, []]}
    pair = {"$and": [{"$isNumber": {"$arrayElemAt": [listed, number]}} for number in (0, 1)]}
    nowhere = [
        {path: {"$geoIntersects": {"$geometry": region}}}
        for region in (_all_but(10, 10), _all_but(-100, -40))
    ]
    return [
        *({"$unwind": {"path": f"${part}", "preserveNullAndEmptyArrays": True}} for part in lists),
        {"$match": {"$expr": {"$not": [_is_empty(value)]}}},
        {"$match": {"$or": [
            {"$nor": nowhere},
            {"$expr": {"$and": [{"$isArray": value}, {"$not": [pair]}]}},
        ]}},
    ]  # fmt: skip


def _is_empty(value: str) -> Document:
    nothing = {"$in": [{"$type": value}, ["missing", "null", "undefined"]]}
    return {"$or": [nothing, {"$in": [value, [{}, []]]}]}


def _all_but(longitude: float, latitude: float) -> Document:
    """Return the sphere without a small square: its edge, run through clockwise."""
    east, north = longitude + _SIDE, latitude + _SIDE
    corners = [(longitude, latitude), (longitude, north), (east, north), (east, latitude)]
    ring = [list(corner) for corner in (*corners, corners[0])]
    return {"type": "Polygon", "coordinates": [ring], "crs": _CRS}
