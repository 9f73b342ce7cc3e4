"""
Locators and actions as filters and updates of MongoDB.

Keys are compared in exactly the declared type: MongoDB never takes 42 for "42", nor an ObjectId
for its text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from bson import Binary, ObjectId
from pymongo.collation import Collation

from accord.erased.folding import Fold
from gdpr.datamap.actions import Action, Anonymise, Detach, Retain, Unset
from gdpr.datamap.keys import KeyType, Plain, key_type, variants
from gdpr.datamap.locators import (
    AnyOf,
    Array,
    External,
    Generic,
    Key,
    Keyed,
    Locator,
    Path,
    Rows,
    Sessions,
    Through,
    needs,
)
from gdpr.datamap.strategies import Equals, Strategy
from gdpr.datamap.subjects import Keys
from gdpr.errors import ErasureRefused

Filter = dict[str, Any]
NOTHING: Filter = {"_id": {"$in": []}}
CASELESS = Collation("en", strength=2)
"""Collation of an index that serves a folding: letters in any case."""


def typed(value: Plain, declared: object) -> tuple[Any, ...]:
    """Return the forms in which a key may be stored, ObjectIds as such."""
    forms = variants(value, declared)
    if key_type(declared) is KeyType.OBJECT_ID:
        return tuple(ObjectId(str(form)) for form in forms)
    # A driver that was not told how UUIDs are stored refuses them; this is the standard way.
    return tuple(Binary.from_uuid(form) if isinstance(form, UUID) else form for form in forms)


def values_of(locator: Keyed, keys: Keys) -> list[Any]:
    """Return the forms of the key that a locator compares with; none where the person has no such key."""
    return [form for value in keys.values(locator.by) for form in typed(value, locator.type)]


def candidates(path: str, fold: Fold, wanted: Sequence[str]) -> Iterator[tuple[Filter, Collation | None]]:
    """
    Yield filters, and how each compares, that find every spelling of a key and more.

    Texts in ASCII are found by a collation that an index may have. All others are candidates.

    Args:
        path: Where the key stands.
        fold: Which spellings are one.
        wanted: Keys, folded.
    """
    plain = [one for one in wanted if one.isascii()]
    if plain:
        yield {path: {"$in": plain}}, None if fold is Fold.FORM else CASELESS
    yield {path: {"$regex": r"[^\x00-\x7F]"}}, None


def path_of(locator: object) -> str:
    """Return the dotted path of the field that a locator compares with."""
    return str(getattr(locator, "field", "") or getattr(locator, "path", "")).replace("[]", "")


def collected(entry_id: str, keys: Keys) -> Sequence[Plain]:
    """
    Return the collected keys of an entry.

    Raises:
        ErasureRefused: They were not collected; finding nothing would be a lie.
    """
    if entry_id in keys.collected:
        return keys.collected[entry_id]
    raise ErasureRefused(
        f"The keys of entry “{entry_id}” have not been collected.",
        hint="Collect the entries of DataMap.to_collect() before anything is looked for.",
    )


def condition(locator: Locator | None, keys: Keys) -> Filter:
    """
    Turn a locator into a filter.

    Args:
        locator: What to look for.
        keys: Whom.

    Raises:
        ErasureRefused: The locator is one of tables.
    """
    match locator:
        case None:
            return NOTHING
        case Key():
            return {locator.field: {"$in": values_of(locator, keys)}, **locator.where}
        case Path(name):
            return {name: {"$in": values_of(locator, keys)}}
        case Array():
            wanted = {"$in": values_of(locator, keys)}
            # By the dotted path, which also finds a single object where others have an array.
            return {f"{locator.array}.{locator.inner}" if locator.inner else locator.array: wanted}
        case Rows():
            found = [form for key in collected(locator.entry, keys) for form in typed(key, locator.type)]
            return {locator.field: {"$in": found}, **locator.where}
        case AnyOf():
            return {"$or": [condition(part, keys) for part in locator.locators]}
        case Through() | Generic() | Sessions() | External():
            raise ErasureRefused(
                f"A collection can't be searched by {type(locator).__name__}"
                f"{' of ' + ', '.join(needs(locator)) if needs(locator) else ''}.",
                hint="Use Key, Path, Array or Rows for collections.",
            )


def pending(action: Action, locator: Locator | None, keys: Keys) -> Filter:
    """Return the filter on documents that an action has still to change."""
    match action:
        case Detach(name):
            return {name: {"$ne": None}}
        case Unset(fields):
            return {"$or": [_has(name, locator, keys, {"$exists": True}) for name in fields]}
        case Anonymise() | Retain() if action.strategies:
            left = [_has(name, locator, keys, unsettled(one)) for name, one in action.strategies.items()]
            return {"$or": left}
        case Retain():
            return NOTHING
        case _:
            return {}


def unsettled(strategy: Strategy) -> Filter:
    """Return the condition on a value that a strategy has yet to replace; what isn't there needs nothing."""
    test = strategy.settled
    if isinstance(test, Equals):
        return {"$nin": [None] if test.value is None else [None, storable(test.value)]}
    return {"$ne": None, "$not": {"$regex": f"^{test.pattern}$"}}


def inside(name: str, locator: Locator | None) -> str:
    """Return the part of a field's name that lies within an array's element; empty when it lies outside."""
    if isinstance(locator, Array) and name.startswith(f"{locator.array}[]."):
        return name.partition("[].")[2]
    return ""


def element(locator: Array, keys: Keys) -> Filter | list[Any]:
    """Return the condition on an array's own elements."""
    wanted = {"$in": values_of(locator, keys)}
    return {locator.inner: wanted} if locator.inner else wanted


def storable(value: object) -> object:
    """Turn a value into one that MongoDB keeps: it has moments, and no dates."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else value


def same(stored: object, value: object) -> bool:
    """Return whether a stored value is a given one; moments come back without a zone."""
    if isinstance(stored, datetime) and stored.tzinfo is None:
        stored = stored.replace(tzinfo=UTC)
    return stored == storable(value)


def _has(name: str, locator: Locator | None, keys: Keys, wanted: Filter) -> Filter:
    inner = inside(name, locator)
    if not inner:
        return {name: wanted}
    assert isinstance(locator, Array)  # noqa: S101 - `inside` has looked
    found = element(locator, keys)
    return {locator.array: {"$elemMatch": {"$and": [found, {inner: wanted}]}}}
