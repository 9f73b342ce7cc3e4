"""What is sent to MongoDB about documents that stay, and how a second look knows what is left in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from bson import Binary, ObjectId
from bson.binary import OLD_UUID_SUBTYPE
from pymongo import UpdateOne
from pymongo.collection import Collection

from accord.erased.subject_key import whole_text
from gdpr.datamap.actions import Anonymise, Delete, Detach, Manual, Pull, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import Plain
from gdpr.datamap.locators import Array, Locator, Rows
from gdpr.datamap.strategies import Null, Strategy
from gdpr.datamap.subjects import Keys
from gdpr.errors import InvalidDataMap
from gdpr.stores import filters
from gdpr.stores.filters import Filter
from gdpr.stores.paths import at as values_at
from gdpr.stores.paths import own_elements

Document = dict[str, Any]
_ELEMENT = "person"
_TOO_BIG = 2**63  # for a whole number of MongoDB


def pull(target: Collection[Document], chosen: Filter, locator: Locator | None, keys: Keys) -> int:
    """Take the person's elements out of arrays, and return how many documents were changed."""
    if not isinstance(locator, Array):
        raise InvalidDataMap(
            "Elements can only be pulled where an Array locates them.", hint="Use Array(...)."
        )
    is_array = {locator.array: {"$type": "array"}}
    pulled = target.update_many(
        {"$and": [chosen, is_array]}, {"$pull": {locator.array: filters.element(locator, keys)}}
    )
    # Where one object stands in the place of an array, it is the person's alone.
    odd = {"$and": [chosen, {locator.array: {"$not": {"$type": "array"}}}]}
    emptied = target.update_many(odd, {"$unset": {locator.array: ""}})
    return pulled.modified_count + emptied.modified_count


def unset(
    target: Collection[Document],
    chosen: Filter,
    fields: Sequence[str],
    locator: Locator | None,
    keys: Keys,
) -> int:
    """Remove fields, and return how many documents were changed."""
    names = [_positional(name, locator) for name in fields]
    options = _elements({name: {"$exists": True} for name in names}, locator, keys)
    return target.update_many(chosen, {"$unset": dict.fromkeys(names, "")}, **options).modified_count


def anonymise(
    target: Collection[Document],
    chosen: Filter,
    strategies: Mapping[str, Strategy],
    locator: Locator | None,
    keys: Keys,
) -> int:
    """Write each field where it is there, and only there: an erasure adds nothing to a document."""
    changed: set[object] = set()
    for name, strategy in strategies.items():
        place = _positional(name, locator)
        wanted = {"$and": [chosen, filters.pending(Anonymise({name: strategy}), locator, keys)]}
        options = _elements({place: filters.unsettled(strategy)}, locator, keys)
        updates = []
        for document in target.find(wanted, {"_id": 1}):
            changed.add(document["_id"])
            value = filters.storable(strategy.replacement(None))
            found = {"$and": [{"_id": document["_id"]}, wanted]}
            updates.append(UpdateOne(found, {"$set": {place: value}}, **options))
        if updates:
            target.bulk_write(updates, ordered=False)
    return len(changed)


def _positional(name: str, locator: Locator | None) -> str:
    inner = filters.inside(name, locator)
    return f"{locator.array}.$[{_ELEMENT}].{inner}" if inner and isinstance(locator, Array) else name


def _elements(wanted: Mapping[str, Filter], locator: Locator | None, keys: Keys) -> dict[str, Any]:
    """Return the filter on elements: the person's own, where one of the fields is still to be changed."""
    mark = f"$[{_ELEMENT}]."
    inner = {name.partition(mark)[2]: test for name, test in wanted.items() if mark in name}
    if not isinstance(locator, Array) or not inner:
        return {}
    path = f"{_ELEMENT}.{locator.inner}" if locator.inner else _ELEMENT
    own = {path: {"$in": filters.values_of(locator, keys)}}
    left = [{f"{_ELEMENT}.{name}": test} for name, test in inner.items()]
    return {"array_filters": [{"$and": [own, {"$or": left}]}]}


# --- the second look ---------------------------------------------------------------------------------


def in_every_form(locator: object, keys: Keys) -> Filter:
    """
    Look for a key in every type that it could have been stored in.

    Wider than what erases on purpose: a document that holds the key in another type than the map
    declares was not erased, and must not go unnoticed.
    """
    if isinstance(locator, Rows):
        wanted: Sequence[Plain] = filters.collected(locator.entry, keys)
        path = locator.field
    else:
        wanted = keys.values(getattr(locator, "by", ""))
        path = filters.path_of(locator)
    further = getattr(locator, "where", {})
    return {path: {"$in": _forms(wanted)}, **further}


def among(found: Filter, only: Sequence[Plain] | None) -> Filter:
    """Narrow a filter to some documents, by the texts of their `_id`; None leaves it as it is."""
    return found if only is None else {"$and": [found, {"_id": {"$in": _forms(only)}}]}


def apart_from(found: Filter, others: Sequence[Plain]) -> Filter:
    """Take some documents out of a filter, by the texts of their `_id`."""
    return {"$and": [found, {"_id": {"$nin": _forms(others)}}]} if others else found


def _forms(keys: Sequence[Plain]) -> list[object]:
    return [form for key in keys for form in _every_form(key)]


def _every_form(key: Plain) -> Iterator[object]:
    text = str(key)
    number = whole_text(text)
    yield text
    if number is not None and abs(number) < _TOO_BIG:
        yield number  # which finds it as a double and as a decimal, too
    if ObjectId.is_valid(text):
        yield from (ObjectId(text), text.lower(), text.upper())
    try:
        found = UUID(text)
    except ValueError:
        return
    for one in (str(found), found.hex):
        yield from (one, one.upper())
    yield from (Binary.from_uuid(found), Binary(found.bytes, OLD_UUID_SUBTYPE))


def count_left(entry: Entry, keys: Keys, target: Collection[Document], found: Filter) -> int:
    """Read back what was to change; what is counted is what the documents say now."""
    match entry.action:
        case Delete() | Pull() | Manual():
            return target.count_documents(found)
        case Detach(name):
            return sum(not _kept(document, {name: Null()}, entry, keys) for document in target.find(found))
        case Unset(fields):
            unset = dict.fromkeys(fields, Null())
            return sum(not _kept(document, unset, entry, keys) for document in target.find(found))
        case Anonymise() | Retain():
            wanted = entry.action.strategies
            return sum(not _kept(document, wanted, entry, keys) for document in target.find(found))
    return 0


def _kept(document: Document, strategies: Mapping[str, Strategy], entry: Entry, keys: Keys) -> bool:
    return all(
        value is None or filters.same(value, strategy.replacement(None)) or strategy.is_settled(value)
        for name, strategy in strategies.items()
        for value in _values(document, name, entry.locator, keys)
    )


def _values(document: Document, name: str, locator: Locator | None, keys: Keys) -> list[Any]:
    """Return what stands in a field; within an array's elements, in the person's own."""
    inner = filters.inside(name, locator)
    if not inner or not isinstance(locator, Array):
        return values_at(document, name)
    own = own_elements(document, locator.array, locator.inner, filters.values_of(locator, keys))
    return [value for element in own for value in values_at(element, inner)]
