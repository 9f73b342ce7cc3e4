"""Dotted paths into documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accord.erased.subject_key import same


def at(document: Mapping[str, Any], path: str) -> list[Any]:
    """Return what stands at a dotted path of a document, of every element where an array is on the way."""
    places: list[Any] = [document]
    for step in path.replace("[]", "").split("."):
        flat = [one for place in places for one in (place if isinstance(place, list) else [place])]
        places = [place[step] for place in flat if isinstance(place, Mapping) and step in place]
    return [one for place in places for one in (place if isinstance(place, list) else [place])]


def own_elements(document: Mapping[str, Any], array: str, inner: str, wanted: list[Any]) -> list[Any]:
    """
    Return the elements of an array that belong to a person.

    Args:
        document: The whole document.
        array: Path of the array.
        inner: Path of the key within an element; empty where the elements are the keys.
        wanted: Forms of the key.
    """
    return [one for one in at(document, array) if belongs(one, inner, wanted)]


def belongs(element: Any, inner: str, wanted: list[Any]) -> bool:
    """Return whether an element holds one of the keys, as stores compare them."""
    held = at(element, inner) if inner else [element]
    return any(same(key, one) for key in wanted for one in held)
