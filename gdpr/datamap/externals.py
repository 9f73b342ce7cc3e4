"""
External places: what only a project's own code reaches, such as files, a cache, or a processor's API.

An entry names such a place as its store, `external:` and a name, and a class of the project finds, deletes
and verifies there. Whatever it is, the saga is the same: see :mod:`gdpr.stores.external`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from django.utils.module_loading import import_string

from gdpr.datamap.actions import Delete, Manual, Retain
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about
from gdpr.datamap.locators import External, parts
from gdpr.datamap.terms import After
from gdpr.errors import InvalidDataMap

EXTERNAL = "external:"
"""What the store of an entry begins with whose place only the project's own code reaches."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_METHODS = {"where": 0, "find": 1, "delete": 1, "verify": 1, "export": 1}
"""What a class has, and how many arguments each method takes."""
_OPTIONAL = "export"


class ExternalPlace(Protocol):
    """
    What a class of the project offers. It is made without arguments, once for each piece of work.

    Each call runs in a thread of its own and has a time limit. Whatever was called may be called again, with
    the same arguments: after an error, a time limit, a kill. A method `export` is optional.
    """

    def where(self) -> str:
        """Say which place this is, for receipts. Asks the place, so that it fails where that is away."""
        ...

    def find(self, keys: Sequence[Any]) -> Iterable[str]:
        """Return an id for each thing that is there of the people with these keys, and nobody else's."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Delete things, or have them deleted later; what is gone is no error. Return how many it took."""
        ...

    def verify(self, keys: Sequence[Any]) -> Iterable[str]:
        """Return an id for each thing that is still there; by another way than :meth:`find` if there is."""
        ...


class Exports(Protocol):
    """A class of which an access export holds more than ids."""

    def export(self, ids: Sequence[str]) -> Iterable[Mapping[str, Any]]:
        """Return what is there, for the person to read."""
        ...


def made(path: str) -> ExternalPlace:
    """
    Make the object that speaks to a place.

    Args:
        path: Dotted path of its class.

    Raises:
        InvalidDataMap: There is no such class, it can't be made, or it lacks a method.
    """
    try:
        place: ExternalPlace = import_string(path)()
    except Exception as exc:
        raise InvalidDataMap(
            f"{path} can't be imported and made: {type(exc).__name__}.",
            hint="Correct the path of External(...); the class is made without arguments.",
        ) from exc
    wrong = [name for name, count in _METHODS.items() if not _takes(place, name, count)]
    if wrong:
        raise InvalidDataMap(
            f"{path} has no method {wrong[0]} that takes {_METHODS[wrong[0]]} arguments.",
            hint="See “External places” in the reference of the data map.",
        )
    return place


def _takes(place: ExternalPlace, name: str, count: int) -> bool:
    method = getattr(place, name, None)
    if method is None:
        return name == _OPTIONAL
    try:
        inspect.signature(method).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return callable(method)


def externals(entry: Entry) -> Iterator[MapFinding]:
    """
    Look for what is wrong with an entry of an external place, without calling anything there.

    Args:
        entry: Any entry; of others than external ones there is nothing to say.
    """
    outside = entry.store.startswith(EXTERNAL)
    found = [part for part in parts(entry.locator) if isinstance(part, External)]
    if outside != bool(found):
        what = "has an External locator, or a store `external:…`, and not both"
        yield about(Fault.WRONG_ACTION, entry, what, 'Write store="external:NAME" beside External(...).')
    if outside and not _NAME.fullmatch(entry.store.removeprefix(EXTERNAL)):
        what = f"names the place {entry.store}"
        hint = "Small letters, digits and _, at most 50, and first a letter."
        yield about(Fault.NO_STORE, entry, what, hint)
    if outside and not isinstance(entry.action, Delete | Manual | Retain):
        what = "changes what an external place has, which can only be deleted, retained, or left to a person"
        yield about(Fault.WRONG_ACTION, entry, what, "Use Delete().")
    if outside and isinstance(entry.action, Retain) and entry.action.strategies:
        yield about(Fault.WRONG_ACTION, entry, "minimises what an external place has", "Leave it out.")
    if outside and isinstance(entry.action, Retain) and isinstance(entry.action.until, After):
        what = "counts a term from a field, and an external place has none"
        yield about(Fault.WRONG_ACTION, entry, what, "Write a date, or words.")
    for locator in found:
        yield from _class(entry, locator)


def _class(entry: Entry, locator: External) -> Iterator[MapFinding]:
    if not locator.timeout > 0:
        yield about(Fault.BAD_PLACE, entry, "has no time limit", "Give seconds: timeout=30.")
    try:
        made(locator.place)
    except InvalidDataMap as exc:
        yield about(Fault.BAD_PLACE, entry, f"names a class that can't be used: {exc.message}", exc.hint)
