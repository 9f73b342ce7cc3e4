"""What of a row or document that belongs to several people is one person's: elements, nothing beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import AnyOf, Array, parts
from gdpr.stores.paths import own_elements


def arrays(entry: Entry) -> tuple[Array, ...]:
    """Return the locators that find only a share of what they find."""
    return tuple(part for part in parts(entry.locator) if isinstance(part, Array))


def undivided(entry: Entry) -> Entry:
    """Return an entry that finds what is the person's as a whole, and nothing that is shared."""
    whole = tuple(part for part in parts(entry.locator) if not isinstance(part, Array))
    if not arrays(entry):
        return entry
    # Sessions are never one of several.
    return replace(entry, locator=AnyOf(whole) if whole else None)  # type: ignore[arg-type]


def own_part(
    entry: Entry, document: Mapping[str, Any], wanted: Callable[[Array], Sequence[Any]]
) -> Mapping[str, Any]:
    """
    Project a shared document on the person's own elements, by the path of each array.

    Args:
        entry: Where the elements are, and which of their fields; without any, elements are whole.
        document: The document.
        wanted: Gives the forms of the key that a locator compares with.
    """
    part: dict[str, list[Any]] = {}
    for one in arrays(entry):
        own = own_elements(document, one.array, one.inner, list(wanted(one)))
        known = part.setdefault(one.array, [])
        known += [element for element in _declared(own, one, entry.fields) if element not in known]
    return part


def _declared(elements: list[Any], array: Array, fields: Sequence[str]) -> list[Any]:
    mark = f"{array.array}[]."
    paths = [name.removeprefix(mark) for name in fields if name.startswith(mark)]
    return [narrowed(one, [*paths, array.inner]) for one in elements] if paths and array.inner else elements


def narrowed(value: Any, paths: Sequence[str]) -> Any:
    """Leave of a value only what lies at dotted paths; in arrays, of each element."""
    if isinstance(value, list):
        return [narrowed(one, paths) for one in value]
    if not isinstance(value, Mapping):
        return None
    below: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.replace("[]", "").partition(".")
        below.setdefault(name, []).append(rest)
    return {
        name: value[name] if "" in rest else narrowed(value[name], rest)
        for name, rest in below.items()
        if name in value
    }
