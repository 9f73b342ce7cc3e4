"""Erasing from collections of MongoDB."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pymongo import ReadPreference
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from accord import conf, isolation
from accord.erased.folding import Fold
from accord.seam.registry import Registry
from accord.secrets.redact import address
from gdpr.datamap.actions import Anonymise, Delete, Detach, Manual, Nothing, Pull, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import MapFinding
from gdpr.datamap.keys import Plain, plain
from gdpr.datamap.locators import Keyed, parts
from gdpr.datamap.lock import Inventory
from gdpr.datamap.subjects import Keys
from gdpr.stores import filters, mongo_edits
from gdpr.stores.base import SAMPLE, Erased, ErasureStore, Found, IndexUse, plain_field
from gdpr.stores.collection_dates import DatedCollections
from gdpr.stores.filters import Filter
from gdpr.stores.folded import Folded
from gdpr.stores.paths import at as values_at
from gdpr.stores.scrubs import Scrubbed
from gdpr.stores.shares import arrays, own_part, undivided
from mongo_migrations.client import Place, translated

if TYPE_CHECKING:
    from mongo_migrations.store import MongoStore

Document = dict[str, Any]
_GRID_FILES = ".files"


class CollectionErasure(DatedCollections, ABC):
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
        """Return the database over the connection that is used for work."""

    @abstractmethod
    def fresh(self) -> AbstractContextManager[Database[Document]]:
        """Return the database over a connection that nothing else uses."""

    @abstractmethod
    def place(self) -> Place:
        """Return where that is, for messages."""

    def collection_name(self, entry: Entry) -> str:
        """Return the name of an entry's collection."""
        return entry.target

    def localised(self, entry: Entry) -> Entry:
        """Return an entry in the words of the collection."""
        return entry

    def condition(self, entry: Entry, keys: Keys) -> Filter:
        """Return the filter of an entry's locator."""
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
                collected.setdefault(str(plain(held[0])), []).append(plain(document["_id"]))
        return collected

    def erase(self, entry: Entry, keys: Keys, limit: int) -> Erased:
        if isinstance(entry.action, Manual | Nothing):
            return Erased(matched=0, affected=0, done=True)
        with self.translated():
            target, left = self._target(entry), self._pending(entry, keys)
            matched = target.count_documents(left, limit=limit + 1)
            # Where everything fits, the list of what there is would cost more than the act.
            chosen = left if matched <= limit else self._some(target, left, limit)
            affected = self._act(entry, keys, target, chosen) if matched else 0
            done = target.find_one(left, {"_id": 1}) is None
            return Erased(matched=min(matched, limit), affected=affected, done=done)

    def residue(self, entry: Entry, keys: Keys) -> int:
        if not entry.is_looked_at:
            return 0
        with self.translated(), self.fresh() as database:
            target = database.get_collection(
                self.collection_name(entry),
                read_preference=ReadPreference.PRIMARY,
                read_concern=ReadConcern("majority"),
            )
            return mongo_edits.count_left(
                self.localised(entry), keys, target, self._loose(database, entry, keys)
            )

    def export(self, entry: Entry, keys: Keys) -> Iterator[Mapping[str, Any]]:
        with self.translated():
            target, whole = self._target(entry), self._matched(undivided(entry), keys)
            yield from target.find(whole)
            localised = self.localised(entry)
            if arrays(localised):
                for document in target.find({"$and": [self._matched(entry, keys), {"$nor": [whole]}]}):
                    own = own_part(localised, document, lambda array: filters.values_of(array, keys))
                    yield {"_id": document["_id"], **own}

    def candidates(self, entry: Entry, locator: Keyed, fold: Fold, wanted: Sequence[str]) -> Iterator[object]:
        with self.translated():
            target, path = self.place_of_key(entry, locator)
            for found, collation in filters.candidates(path, fold, wanted):
                for document in target.find(found, {path: 1}, collation=collation):
                    yield from values_at(document, path)

    def place_of_key(self, entry: Entry, locator: Keyed) -> tuple[Collection[Document], str]:
        """Return the collection that a locator compares in, and the path there."""
        part = self.localised(replace(entry, locator=locator)).locator
        return self._target(entry), filters.path_of(part)

    def explain(self, entry: Entry, keys: Keys) -> IndexUse:
        from gdpr.stores.collection_paths import explain

        with self.translated():
            return explain(self.database(), self.collection_name(entry), self._matched(entry, keys))

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        from gdpr.stores.collections import Collections

        with self.translated():
            return Collections(self).inventory(entries)

    def some(self, entry: Entry, limit: int) -> Iterator[Mapping[str, object]]:
        with self.translated():
            yield from self._target(entry).find().limit(limit)

    def inspect(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
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

    def scrub(self, entries: Sequence[Entry]) -> Sequence[Scrubbed]:
        from gdpr.stores.collection_scrubs import scrub

        with self.translated():
            return scrub(self.database(), [self.collection_name(entry) for entry in entries])

    def _target(self, entry: Entry) -> Collection[Document]:
        return self.database().get_collection(
            self.collection_name(entry),
            read_preference=ReadPreference.PRIMARY,
            write_concern=WriteConcern("majority"),
        )

    def _matched(self, entry: Entry, keys: Keys) -> Filter:
        if not entry.is_looked_at:
            return filters.NOTHING
        return mongo_edits.among(self.condition(entry, keys), keys.only(entry.id))

    def _pending(self, entry: Entry, keys: Keys) -> Filter:
        if isinstance(entry.action, Manual | Nothing):
            return filters.NOTHING
        localised = self.localised(entry)
        left = filters.pending(localised.action, localised.locator, keys)
        return {"$and": [self._matched(entry, keys), left]}

    def _loose(self, database: Database[Document], entry: Entry, keys: Keys) -> Filter:
        """Return the filter of a second look; see :func:`gdpr.stores.mongo_edits.in_every_form`."""
        found = [mongo_edits.in_every_form(part, keys) for part in parts(self.localised(entry).locator)]
        return mongo_edits.apart_from({"$or": found}, keys.apart(entry.id))

    def _some(self, target: Collection[Document], left: Filter, limit: int) -> Filter:
        batch = [document["_id"] for document in target.find(left, {"_id": 1}).limit(limit)]
        return {"$and": [{"_id": {"$in": batch}}, left]}

    def _act(self, entry: Entry, keys: Keys, target: Collection[Document], chosen: Filter) -> int:
        localised = self.localised(entry)
        match localised.action:
            case Delete():
                return self._delete(target, chosen)
            case Pull():
                return mongo_edits.pull(target, chosen, localised.locator, keys)
            case Detach(name):
                return target.update_many(chosen, {"$set": {name: None}}).modified_count
            case Unset(fields):
                return mongo_edits.unset(target, chosen, fields, localised.locator, keys)
            case Anonymise() | Retain():
                return mongo_edits.anonymise(
                    target, chosen, localised.action.strategies, localised.locator, keys
                )
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
    """
    Collections of a store of :mod:`mongo_migrations`.

    Args:
        store: The store, open for this piece of work alone.
        options: What it was built from.
    """

    def __init__(self, store: MongoStore, options: Mapping[str, Any]) -> None:
        super().__init__(store.alias)
        self._store = store
        self._options = options

    def database(self) -> Database[Document]:
        return self._store.database()

    @contextmanager
    def fresh(self) -> Iterator[Database[Document]]:
        with closing(type(self._store)(self.alias, self._options)) as store:
            yield store.database()

    def place(self) -> Place:
        return Place(self.alias, address(str(self._options.get("URL") or "")))


def adapter(alias: str, opened: Registry) -> ErasureStore:
    """Return the adapter of a store of :mod:`mongo_migrations`."""
    options = isolation.options_of(conf.load().store_settings()[alias])
    return Folded(MongoErasure(cast("MongoStore", opened[alias]), options))


def _by_text(counted: Iterable[tuple[object, int]]) -> Mapping[str, int]:
    """Add up what one key has in its different forms."""
    found: Counter[str] = Counter()
    for key, rows in counted:
        found[str(plain(key))] += rows
    return found


# --- acting ------------------------------------------------------------------------------------------
