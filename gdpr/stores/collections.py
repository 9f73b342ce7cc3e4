"""What a live MongoDB says about the data map: collections, fields, types of keys and indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from django.apps import apps
from django.db import connections
from pymongo.database import Database

from accord import conf, isolation
from gdpr.datamap.actions import touched
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about, no_date
from gdpr.datamap.keys import KeyType, key_type
from gdpr.datamap.locators import External, Generic, Rows, Sessions, Through, parts
from gdpr.datamap.lock import SEEN, Inventory
from gdpr.datamap.moved import absent
from gdpr.datamap.subjects import Keys, SubjectKeys
from gdpr.stores import seen
from gdpr.stores.collection_dates import others_than_dates
from gdpr.stores.collection_paths import explain
from gdpr.stores.filters import Filter, candidates, path_of
from gdpr.stores.folded import MANY, fold_of

_LEDGER = "accord_ledger"
_OWN = frozenset({"accord_ledger", "accord_fence", "accord_mark", "accord_import"})
# What a test run of a revision makes beside the real collections, and takes away.
_SCRATCH = re.compile(r"accord_scratch_[0-9a-f]{24}")
# A key of one of these types would never be found by a locator of that one.
_FOREIGN: Mapping[KeyType, tuple[str, ...]] = {
    KeyType.INT: ("string", "objectId"),
    KeyType.STR: ("number", "objectId", "binData"),
    KeyType.UUID: ("string", "number", "objectId"),
    KeyType.OBJECT_ID: ("string", "number"),
    KeyType.BOTH: ("objectId",),
}
_BSON: Mapping[KeyType, frozenset[str]] = {
    KeyType.INT: frozenset({"int", "long", "double", "decimal", "number"}),
    KeyType.STR: frozenset({"string"}),
    KeyType.UUID: frozenset({"binData"}),
    KeyType.OBJECT_ID: frozenset({"objectId"}),
    KeyType.BOTH: frozenset({"int", "long", "string", "number"}),
}
_MILLISECONDS = 5_000


class ReachedCollections(Protocol):
    """
    How collections are reached, and what an entry means there.

    Attributes:
        alias: Name of the store.
    """

    alias: str

    def database(self) -> Database[dict[str, Any]]:
        """Return the database."""
        ...

    def collection_name(self, entry: Entry) -> str:
        """Return the name of an entry's collection."""
        ...

    def localised(self, entry: Entry) -> Entry:
        """Return an entry in the words of its collection."""
        ...

    def condition(self, entry: Entry, keys: Keys) -> Filter:
        """Return the filter of an entry's locator."""
        ...


class Collections:
    """
    The live schema of one MongoDB database.

    Args:
        store: How it is reached, and what its entries mean there.
    """

    def __init__(self, store: ReachedCollections) -> None:
        self._store = store
        self._alias = store.alias

    def inspect(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        """Compare entries with the collections, and look for collections that have none."""
        yield from self._unclassified(entries)
        for entry in entries:
            if self._alias in connections.settings and _model_is_missing(entry):
                yield absent(entry, "is no model")
            elif self._store.collection_name(entry) not in self._collections:
                yield about(Fault.NO_TARGET, entry, f"names {entry.target}, which the database does not have")
            elif entry.is_looked_at:
                yield from self._entry(entry)

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        """Return what each collection's validator or model declares, and what some documents have."""
        found: dict[str, Mapping[str, str]] = {}
        for entry in entries:
            of_django = self._alias in connections.settings
            name = "" if of_django and _model_is_missing(entry) else self._store.collection_name(entry)
            if name in self._collections:
                schema = self._collections[name].get("validator", {}).get("$jsonSchema", {})
                declared = self._of_model(entry) if of_django else seen.declared(schema)
                documents = seen.paths(seen.sample(self._database[name]))
                undeclared = {path: kind + SEEN for path, kind in documents.items() if path not in declared}
                found[entry.target] = {**undeclared, **declared}
        return found

    def _of_model(self, entry: Entry) -> Mapping[str, str]:
        connection = connections[self._alias]
        fields = apps.get_model(entry.target)._meta.local_concrete_fields
        return {field.column: str(field.db_type(connection)) for field in fields}

    def _unclassified(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        classified = {
            self._store.collection_name(entry)
            for entry in entries
            if self._alias not in connections.settings or not _model_is_missing(entry)
        }
        # A view shows documents of a collection of the same database, which is to be classified itself.
        views = {name for name, kind in self._kinds.items() if kind == "view"}
        for name in sorted(self._collections.keys() - classified - views):
            if name.startswith("system.") or name in _OWN | {self._ledger} or _SCRATCH.fullmatch(name):
                continue
            label = _labels().get(name, "") if self._alias in connections.settings else ""
            if name == "django_migrations" or (name.endswith(".chunks") and _files(name) in classified):
                continue
            yield MapFinding(
                fault=Fault.UNCLASSIFIED,
                message=f"The collection {name} of “{self._alias}” has no entry in the data map.",
                hint=f'Add an Entry for "{label or name}" to a privacy.py; Nothing(reason) is one.',
                store=self._alias,
                target=label or name,
            )

    @cached_property
    def _database(self) -> Database[dict[str, Any]]:
        return self._store.database()

    @cached_property
    def _collections(self) -> Mapping[str, Mapping[str, Any]]:
        return {found["name"]: found.get("options", {}) for found in self._listed}

    @cached_property
    def _kinds(self) -> Mapping[str, str]:
        return {found["name"]: str(found.get("type")) for found in self._listed}

    @cached_property
    def _listed(self) -> Sequence[Mapping[str, Any]]:
        return list(self._database.list_collections())

    @cached_property
    def _ledger(self) -> str:
        settings = conf.load().store_settings().get(self._alias)
        return str(isolation.options_of(settings).get("LEDGER") or _LEDGER) if settings else _LEDGER

    # --- one entry -----------------------------------------------------------------------------------

    def _entry(self, declared: Entry) -> Iterator[MapFinding]:
        entry = self._store.localised(declared)
        for locator in parts(entry.locator):
            if isinstance(locator, External | Generic | Sessions) or (
                isinstance(locator, Through) and self._alias not in connections.settings
            ):
                yield about(
                    Fault.WRONG_ACTION,
                    entry,
                    f"looks by {type(locator).__name__}, which only tables can be searched by",
                    "Use Key, Path, Array or Rows for collections.",
                )
                return
        missing = [*self._fields(entry)]
        yield from missing
        if not missing:
            yield from self._index(declared)
            yield from self._spellings(entry)
            yield from self._key_types(entry)
            yield from self._dates(entry)

    def _fields(self, entry: Entry) -> Iterator[MapFinding]:
        located = [_path(locator) for locator in parts(entry.locator) if not isinstance(locator, Through)]
        for path in dict.fromkeys(
            (*located, *entry.fields, *touched(entry.action), *entry.kept, *entry.dates)
        ):
            known = self._known(entry, path)
            if known is False:
                yield about(
                    Fault.NO_FIELD,
                    entry,
                    f"names the field {path}, which neither a document nor the schema of {entry.target} has",
                )
            elif known is None:
                yield about(
                    Fault.UNKNOWN_FIELD,
                    entry,
                    f"names the field {path} of {entry.target}, which has no document and no schema yet",
                    "Declare the field in the collection's validator, or check again with data.",
                )

    def _known(self, entry: Entry, path: str) -> bool | None:
        """Return whether a field exists; None where nothing can say it."""
        if path == "_id":
            return True
        if self._alias in connections.settings:
            # Fields of models are known; what lies within a JSON field only documents know.
            columns = {field.column for field in apps.get_model(entry.target)._meta.concrete_fields}
            if path in columns:
                return True
        name = self._store.collection_name(entry)
        schema = self._collections[name].get("validator", {}).get("$jsonSchema", {})
        if _declared(schema, path) is not None:
            return True
        target = self._database[name]
        found = target.find_one(
            {path.replace("[]", ""): {"$exists": True}}, {"_id": 1}, max_time_ms=_MILLISECONDS
        )
        if found is not None:
            return True
        says_nothing = not schema and target.find_one({}, {"_id": 1}) is None
        return None if says_nothing else False

    def _index(self, entry: Entry) -> Iterator[MapFinding]:
        condition = self._store.condition(entry, _nobody(entry))
        used = explain(self._database, self._store.collection_name(entry), condition)
        if not used.uses_index:
            yield about(
                Fault.NO_INDEX,
                entry,
                f"finds documents of {entry.target} by reading all of them ({used.detail})",
                "Add an index that begins with the field the locator compares, by a revision.",
            )

    def _spellings(self, entry: Entry) -> Iterator[MapFinding]:
        name = self._store.collection_name(entry)
        for locator in parts(entry.locator):
            fold = fold_of(locator)
            if fold is None or isinstance(locator, Through):
                continue
            [(found, collation), *_] = candidates(path_of(locator), fold, ["nobody"])
            number = self._database[name].estimated_document_count()
            if number > MANY and not explain(self._database, name, found, collation).uses_index:
                yield about(
                    Fault.SPELLINGS_IN_FULL,
                    entry,
                    f"looks for other spellings by reading all of {number} documents of {name}",
                    "Add the index of “Spellings” in the reference of the data map, by a revision.",
                )

    def _key_types(self, entry: Entry) -> Iterator[MapFinding]:
        name = self._store.collection_name(entry)
        schema = self._collections[name].get("validator", {}).get("$jsonSchema", {})
        for locator in parts(entry.locator):
            if isinstance(locator, External | Through | Generic | Sessions):
                continue
            path, wanted = _path(locator), key_type(locator.type)
            declared = _declared(schema, path) or {}
            kinds = declared.get("bsonType", ())
            kinds = {kinds} if isinstance(kinds, str) else set(kinds)
            stored = self._database[name].find_one(
                {path.replace("[]", ""): {"$type": list(_FOREIGN[wanted])}},
                {"_id": 1},
                max_time_ms=_MILLISECONDS,
            )
            if stored is not None or (kinds and not kinds & _BSON[wanted]):
                where = "a document" if stored is not None else "the schema"
                yield about(
                    Fault.WRONG_KEY_TYPE,
                    entry,
                    f"declares keys of type {wanted} in {path}, and {where} of {entry.target} has another",
                    "MongoDB never takes one type for another: declare what is stored, or convert it.",
                )

    def _dates(self, entry: Entry) -> Iterator[MapFinding]:
        for path in entry.dates:
            kinds = others_than_dates(self._database[self._store.collection_name(entry)], path)
            if kinds:
                yield no_date(entry, path, " or ".join(sorted(kinds)))


def _declared(schema: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """Find what a schema says of a path, None where it says nothing."""
    place: Mapping[str, Any] = schema
    for step in path.split("."):
        name, is_array = step.removesuffix("[]"), step.endswith("[]")
        found = place.get("properties", {}).get(name)
        if found is None:
            return None
        place = found.get("items", {}) if is_array else found
    return place


def _path(locator: object) -> str:
    return str(getattr(locator, "field", "") or getattr(locator, "path", ""))


def _nobody(entry: Entry) -> Keys:
    """Make keys that fit an entry's locator and belong to no person."""
    samples: dict[KeyType, int | str] = {
        KeyType.STR: "nobody",
        KeyType.UUID: "00000000-0000-0000-0000-000000000000",
        KeyType.OBJECT_ID: "0" * 24,
    }
    alternates: dict[str, int | str] = {}
    collected: dict[str, tuple[int | str, ...]] = {}
    primary: int | str = -1
    for locator in parts(entry.locator):
        if isinstance(locator, Rows):
            collected[locator.entry] = (samples.get(key_type(locator.type), -1),)
        elif not isinstance(locator, External | Generic | Sessions):
            value = samples.get(key_type(locator.type), -1)
            if locator.by:
                alternates[locator.by] = value
            else:
                primary = value
    return SubjectKeys(kind="", primary=primary, alternates=alternates, collected=collected)


def _labels() -> Mapping[str, str]:
    return {model._meta.db_table: model._meta.label for model in apps.get_models(include_auto_created=True)}


def _model_is_missing(entry: Entry) -> bool:
    try:
        apps.get_model(entry.target)
    except (LookupError, ValueError):
        return True
    return False


def _files(name: str) -> str:
    return name.removesuffix(".chunks") + ".files"
