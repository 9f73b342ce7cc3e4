"""Erasing from collections of MongoDB."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from bson import Binary, ObjectId
from pymongo import ReadPreference, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from accord import conf
from accord.redact import address
from accord.registry import registry
from gdpr.actions import Anonymise, Delete, Detach, Manual, Nothing, Pull, Retain, Unset
from gdpr.entries import Entry
from gdpr.errors import InvalidDataMap
from gdpr.findings import Finding
from gdpr.keys import Plain, plain
from gdpr.locators import Array, Locator, Rows, parts
from gdpr.stores import filters
from gdpr.stores.base import SAMPLE, Erased, Found, IndexUse, plain_field
from gdpr.stores.filters import Filter
from gdpr.stores.paths import at as values_at
from gdpr.stores.paths import own_elements
from gdpr.strategies import Null, Strategy
from gdpr.subjects import Keys
from mongo_migrations.client import Place, translated

if TYPE_CHECKING:
    from gdpr.datamap import DataMap
    from mongo_migrations.store import MongoStore

Document = dict[str, Any]
_GRID_FILES = ".files"
_ELEMENT = "person"


class CollectionErasure(ABC):
    """
    What erasing from collections has in common, however they are reached.

    Documents are changed in batches of their `_id`, confirmed by a majority; each write repeats
    the filter, so that a document which has changed meanwhile is looked at again.

    Args:
        alias: Name of the store.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias

    # --- how the collections are reached -----------------------------------------------------------

    @abstractmethod
    def database(self) -> Database[Document]:
        """Give the database over the connection that is used for work."""

    @abstractmethod
    def fresh(self) -> AbstractContextManager[Database[Document]]:
        """Give the database over a connection that nothing else uses."""

    @abstractmethod
    def place(self) -> Place:
        """Say where that is, for messages."""

    def collection_name(self, entry: Entry) -> str:
        """Give the name of an entry's collection."""
        return entry.target

    def localised(self, entry: Entry) -> Entry:
        """Give an entry in the words of the collection."""
        return entry

    def condition(self, entry: Entry, keys: Keys) -> Filter:
        """Give the filter of an entry's locator."""
        return filters.condition(entry.locator, keys)

    # --- ErasureStore --------------------------------------------------------------------------------

    def find(self, entry: Entry, keys: Keys) -> Found:
        with self.translated():
            target, matched = self._target(entry), self._matched(entry, keys)
            sample = target.find(matched, {"_id": 1}).limit(SAMPLE)
            return Found(
                count=target.count_documents(matched),
                pending=target.count_documents(self._pending(entry, keys)),
                sample=tuple(str(document["_id"]) for document in sample),
            )

    def collect(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]]:
        with self.translated():
            found = self._target(entry).find(self._matched(entry, keys), {"_id": 1})
            return {entry.id: [plain(document["_id"]) for document in found]}

    def tally(self, entry: Entry, keys: Keys, *, pending: bool = False) -> Mapping[str, int] | None:
        field = plain_field(self.localised(entry))
        if not field:
            return None
        with self.translated():
            found = self._pending(entry, keys) if pending else self._matched(entry, keys)
            counted = [{"$match": found}, {"$group": {"_id": f"${field}", "rows": {"$sum": 1}}}]
            groups = list(self._target(entry).aggregate(counted))
        if any(isinstance(group["_id"], list) for group in groups):
            # The field holds several keys: such a document belongs to more than one person.
            return None
        return _by_text((group["_id"], group["rows"]) for group in groups)

    def collect_by_key(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]] | None:
        field = plain_field(self.localised(entry))
        if not field:
            return None
        collected: dict[str, list[Plain]] = {}
        with self.translated():
            for document in self._target(entry).find(self._matched(entry, keys), {field: 1}):
                held = list(values_at(document, field))
                if len(held) != 1:
                    return None
                collected.setdefault(str(held[0]), []).append(plain(document["_id"]))
        return collected

    def erase(self, entry: Entry, keys: Keys, limit: int) -> Erased:
        if isinstance(entry.action, Manual | Nothing):
            return Erased(matched=0, affected=0, done=True)
        with self.translated():
            target, left = self._target(entry), self._pending(entry, keys)
            batch = [document["_id"] for document in target.find(left, {"_id": 1}).limit(limit)]
            chosen = {"$and": [{"_id": {"$in": batch}}, left]}
            affected = self._act(entry, keys, target, chosen) if batch else 0
            return Erased(
                matched=len(batch), affected=affected, done=target.find_one(left, {"_id": 1}) is None
            )

    def residue(self, entry: Entry, keys: Keys) -> int:
        if not entry.is_looked_at:
            return 0
        with self.translated(), self.fresh() as database:
            target = database.get_collection(
                self.collection_name(entry),
                read_preference=ReadPreference.PRIMARY,
                read_concern=ReadConcern("majority"),
            )
            return _left(self.localised(entry), keys, target, self._loose(database, entry, keys))

    def export(self, entry: Entry, keys: Keys) -> Iterator[Mapping[str, Any]]:
        with self.translated():
            for document in self._target(entry).find(self._matched(entry, keys)):
                yield _own_part(entry, keys, document)

    def explain(self, entry: Entry, keys: Keys) -> IndexUse:
        from gdpr.stores.collections import explain

        with self.translated():
            return explain(self.database(), self.collection_name(entry), self._matched(entry, keys))

    def inspect(self, entries: Sequence[Entry], data_map: DataMap) -> Iterator[Finding]:
        from gdpr.stores.collections import Collections

        with self.translated():
            yield from Collections(self).inspect(entries)

    def fingerprint(self) -> str:
        with self.translated():
            database = self.database()
            hello = database.client.admin.command("hello")
            version = database.client.admin.command("buildInfo")["version"]
        member = hello.get("setName") or hello.get("msg") or "stands alone"
        return f"MongoDB {version}, {member}, database {database.name}"

    # --- inside ----------------------------------------------------------------------------------------

    def _target(self, entry: Entry) -> Collection[Document]:
        return self.database().get_collection(
            self.collection_name(entry),
            read_preference=ReadPreference.PRIMARY,
            write_concern=WriteConcern("majority"),
        )

    def _matched(self, entry: Entry, keys: Keys) -> Filter:
        return self.condition(entry, keys) if entry.is_looked_at else filters.NOTHING

    def _pending(self, entry: Entry, keys: Keys) -> Filter:
        if isinstance(entry.action, Manual | Nothing):
            return filters.NOTHING
        localised = self.localised(entry)
        left = filters.pending(localised.action, localised.locator, keys)
        return {"$and": [self._matched(entry, keys), left]}

    def _loose(self, database: Database[Document], entry: Entry, keys: Keys) -> Filter:
        """Give the filter of a second look; see :func:`_wide`."""
        return {"$or": [_wide(part, keys) for part in parts(self.localised(entry).locator)]}

    def _act(self, entry: Entry, keys: Keys, target: Collection[Document], chosen: Filter) -> int:
        localised = self.localised(entry)
        match localised.action:
            case Delete():
                return self._delete(target, chosen)
            case Pull():
                return _pull(target, chosen, localised.locator, keys)
            case Detach(name):
                return target.update_many(chosen, {"$set": {name: None}}).modified_count
            case Unset(fields):
                return _unset(target, chosen, fields, localised.locator, keys)
            case Anonymise() | Retain():
                return _anonymise(target, chosen, localised.action.strategies, localised.locator, keys)
        return 0

    def _delete(self, target: Collection[Document], chosen: Filter) -> int:
        if target.name.endswith(_GRID_FILES):
            # A file of GridFS: its chunks go first, because only its own document names them.
            files = [document["_id"] for document in target.find(chosen, {"_id": 1})]
            chunks = self.database()[target.name.removesuffix(_GRID_FILES) + ".chunks"]
            chunks.delete_many({"files_id": {"$in": files}})
        return target.delete_many(chosen).deleted_count

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the driver's errors into the suite's; they never quote a document."""
        with translated(self.place()):
            yield


class MongoErasure(CollectionErasure):
    """Collections of a store of :mod:`mongo_migrations`."""

    def database(self) -> Database[Document]:
        return self._store().database()

    @contextmanager
    def fresh(self) -> Iterator[Database[Document]]:
        store = type(self._store())(self.alias, conf.load().store_settings()[self.alias].options)
        try:
            yield store.database()
        finally:
            store.close()

    def place(self) -> Place:
        url = conf.load().store_settings()[self.alias].options.get("URL")
        return Place(self.alias, address(str(url or "")))

    def _store(self) -> MongoStore:
        return cast("MongoStore", registry()[self.alias])


def _by_text(counted: Iterable[tuple[object, int]]) -> Mapping[str, int]:
    """Add up what one key has in its different forms."""
    found: Counter[str] = Counter()
    for key, rows in counted:
        found[str(key)] += rows
    return found


# --- acting ------------------------------------------------------------------------------------------


def _pull(target: Collection[Document], chosen: Filter, locator: Locator | None, keys: Keys) -> int:
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


def _unset(
    target: Collection[Document],
    chosen: Filter,
    fields: Sequence[str],
    locator: Locator | None,
    keys: Keys,
) -> int:
    names = [_positional(name, locator) for name in fields]
    options = _elements({name: {"$exists": True} for name in names}, locator, keys)
    return target.update_many(chosen, {"$unset": dict.fromkeys(names, "")}, **options).modified_count


def _anonymise(
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
    """Give the filter on elements: the person's own, where one of the fields is still to be changed."""
    mark = f"$[{_ELEMENT}]."
    inner = {name.partition(mark)[2]: test for name, test in wanted.items() if mark in name}
    if not isinstance(locator, Array) or not inner:
        return {}
    path = f"{_ELEMENT}.{locator.inner}" if locator.inner else _ELEMENT
    own = {path: {"$in": filters.values_of(locator, keys)}}
    left = [{f"{_ELEMENT}.{name}": test} for name, test in inner.items()]
    return {"array_filters": [{"$and": [own, {"$or": left}]}]}


def _own_part(entry: Entry, keys: Keys, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave other people's elements out of a document that only holds some of this person."""
    if not isinstance(entry.locator, Array):
        return document
    wanted = filters.values_of(entry.locator, keys)
    own = own_elements(document, entry.locator.array, entry.locator.inner, wanted)
    return {"_id": document["_id"], entry.locator.array: own}


# --- the second look ---------------------------------------------------------------------------------


def _wide(locator: object, keys: Keys) -> Filter:
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
        path = str(getattr(locator, "field", "") or getattr(locator, "path", "")).replace("[]", "")
    further = getattr(locator, "where", {})
    return {path: {"$in": [form for key in wanted for form in _every_form(key)]}, **further}


def _every_form(key: Plain) -> Iterator[object]:
    yield str(key)
    if str(key).removeprefix("-").isdigit() and len(str(key)) < 19:  # noqa: PLR2004 - digits of a 64-bit number
        yield int(key)
    if ObjectId.is_valid(str(key)):
        yield ObjectId(str(key))
    try:
        yield Binary.from_uuid(UUID(str(key)))
    except ValueError:
        return


def _left(entry: Entry, keys: Keys, target: Collection[Document], found: Filter) -> int:
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
    part = _own_part(entry, keys, document)
    return all(
        value is None or filters.same(value, strategy.replacement(None)) or strategy.is_settled(value)
        for name, strategy in strategies.items()
        for value in values_at(part if filters.inside(name, entry.locator) else document, name)
    )
