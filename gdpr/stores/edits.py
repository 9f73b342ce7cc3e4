"""Changes of documents that stay: computed here, because an index has no updates by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from gdpr.datamap.actions import Anonymise, Detach, Pull, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import Array
from gdpr.datamap.strategies import Null, Strategy
from gdpr.datamap.subjects import Keys
from gdpr.stores.mapping import values_of
from gdpr.stores.paths import belongs


def edited(entry: Entry, keys: Keys, source: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Return what has to change in a document: whole top-level fields, with their new content.

    Args:
        entry: What is to be done.
        keys: Whose data go.
        source: The document.

    Returns:
        Nothing where nothing has to change any more.
    """
    changed = _copy(dict(source))
    if isinstance(entry.action, Pull) and isinstance(entry.locator, Array):
        _pull(changed, entry.locator, values_of(entry.locator, keys))
    for name, strategy in _strategies(entry).items():
        _replace(changed, name, strategy, entry, keys)
    return {name: value for name, value in changed.items() if value != source.get(name)}


def guarded(hit: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a write of a document needs to be refused where another one came first."""
    routing = {"routing": hit["_routing"]} if "_routing" in hit else {}
    return {
        "_id": hit["_id"],
        "if_seq_no": hit["_seq_no"],
        "if_primary_term": hit["_primary_term"],
        **routing,
    }


def _strategies(entry: Entry) -> Mapping[str, Strategy]:
    match entry.action:
        case Unset(fields):
            return dict.fromkeys(fields, Null())
        case Detach(name):
            return {name: Null()}
        case Anonymise() | Retain():
            return entry.action.strategies
        case _:
            return {}


def _pull(document: dict[str, Any], locator: Array, wanted: list[Any]) -> None:
    *above, name = locator.array.split(".")
    for place in _places(document, above):
        content = place.get(name)
        if isinstance(content, list):
            place[name] = [one for one in content if not belongs(one, locator.inner, wanted)]
        elif content is not None and belongs(content, locator.inner, wanted):
            place[name] = None


def _replace(document: dict[str, Any], path: str, strategy: Strategy, entry: Entry, keys: Keys) -> None:
    if isinstance(entry.locator, Array) and path.startswith(f"{entry.locator.array}[]."):
        wanted = values_of(entry.locator, keys)
        elements = _places(document, entry.locator.array.split("."))
        places = [one for one in elements if belongs(one, entry.locator.inner, wanted)]
        *above, name = path.partition("[].")[2].split(".")
    else:
        places = [document]
        *above, name = path.replace("[]", "").split(".")
    for place in (inner for one in places for inner in _places(one, above)):
        _settle(place, name, strategy)


def _settle(place: dict[str, Any], name: str, strategy: Strategy) -> None:
    value = place.get(name)
    fresh = strategy.replacement(value)
    plain = fresh.isoformat() if isinstance(fresh, date) else fresh
    if value is not None and value != plain and not strategy.is_settled(value):
        place[name] = plain


def _places(document: dict[str, Any], steps: list[str]) -> list[dict[str, Any]]:
    """Return the objects at a path, each element of an array of them."""
    places: list[Any] = [document]
    for step in steps:
        found = [place.get(step) for place in places if isinstance(place, dict)]
        places = [one for content in found for one in (content if isinstance(content, list) else [content])]
    return [place for place in places if isinstance(place, dict)]


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(part) for name, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value
