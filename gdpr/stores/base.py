"""
The seam between what is to be erased and the stores it is erased from.

An adapter knows one store. Everything that it writes is bounded, idempotent and can be repeated
after a kill; what it reads for verification takes another way, over a connection of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from django.apps import apps
from django.db import models
from django.utils.module_loading import import_string

from accord import conf, isolation
from accord.errors import UnknownStore
from accord.seam.registry import Registry, opened
from gdpr.datamap import moved
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import MapFinding
from gdpr.datamap.keys import Plain
from gdpr.datamap.locators import Generic, Key, Rows
from gdpr.datamap.lock import Inventory
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import Keys
from gdpr.errors import InvalidDataMap
from gdpr.stores.own import Own
from gdpr.stores.scrubs import Scrubbed

SAMPLE = 5
"""Primary keys that a preview shows of each entry."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """
    What a store holds of a person, for one entry.

    Attributes:
        count: Rows, documents or elements' owners that the locator finds.
        pending: How many of them an erasure has still to change; the others are kept or done.
        sample: A few primary keys of them.
    """

    count: int
    pending: int
    sample: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Erased:
    """
    What one batch did.

    Attributes:
        matched: Rows or documents that the batch found to change.
        affected: How many it changed.
        done: Whether nothing was left when it ended.
    """

    matched: int
    affected: int
    done: bool


@dataclass(frozen=True, kw_only=True)
class IndexUse:
    """
    How a store would find an entry's data.

    Attributes:
        uses_index: Whether it needs not read everything.
        detail: The access path in the store's words, without any value.
        read_in_full: Whether the kind of locator makes reading everything unavoidable.
    """

    uses_index: bool
    detail: str
    read_in_full: bool = False


def plain_field(entry: Entry) -> str:
    """Name the field that holds the key of whoever a row belongs to; empty when the locator is another."""
    locator = entry.locator
    return locator.field if isinstance(locator, Key | Rows) else ""


def owner_fields(entry: Entry) -> tuple[str, ...]:
    """Name the fields that together say whose a row is; none when they don't."""
    locator = entry.locator
    if isinstance(locator, Generic):
        kind = locator.content_type
        return f"{kind}__app_label", f"{kind}__model", locator.object_id
    field = plain_field(entry)
    return (field,) if field else ()


@runtime_checkable
class ErasureStore(Protocol):
    """
    A store that a person's data can be erased from.

    Attributes:
        alias: Its name in the settings.
    """

    alias: str

    def find(self, entry: Entry, keys: Keys) -> Found:
        """Count what is there. Nothing is changed."""
        ...

    def collect(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]]:
        """Return the primary keys of an entry's rows, by the entry's id, for entries that refer to them."""
        ...

    def tally(self, entry: Entry, keys: Keys, *, pending: bool = False) -> Mapping[str, int] | None:
        """
        Count what is there of several people, by the text of the key that each row or document holds.

        For a log of any model that text is `app:model:key`, for sessions the user's key.

        Args:
            entry: Where to look.
            keys: Whose.
            pending: Count only what an erasure has still to change.

        Returns:
            None when the entry's locator is no plain field, so that no store can say whose a row is.
        """
        ...

    def collect_by_key(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]] | None:
        """Collect primary keys by the key that each row or document holds; None as for :meth:`tally`."""
        ...

    def erase(self, entry: Entry, keys: Keys, limit: int) -> Erased:
        """
        Do one bounded batch of an entry's action. Idempotent, also after a kill at any point.

        Args:
            entry: What to do.
            keys: Whose data.
            limit: Rows or documents to change at most.

        Raises:
            ErasureRefused: The store refuses; nothing of this batch was changed.
            StoreUnavailable: It can't be reached.
        """
        ...

    def residue(self, entry: Entry, keys: Keys) -> int:
        """
        Count what an erasure would have left, by code of its own and on a fresh connection.

        Reads what the store has confirmed: the primary, a majority's view, a refreshed index.
        """
        ...

    def export(self, entry: Entry, keys: Keys) -> Iterator[Mapping[str, Any]]:
        """Return the person's own rows, documents or array elements, as they are."""
        ...

    def explain(self, entry: Entry, keys: Keys) -> IndexUse:
        """Ask the store how it would find an entry's data."""
        ...

    def inspect(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        """Compare this store's entries with its live schema, and look for what has no entry."""
        ...

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        """Return the fields that the place of each entry has now, by its target, with their types."""
        ...

    def scrub(self, entries: Sequence[Entry]) -> Sequence[Scrubbed]:
        """
        Hasten what ends the bytes of deleted rows or documents of these entries. May be repeated.

        Raises:
            StoreUnavailable: The store can't be reached.
        """
        ...

    def some(self, entry: Entry, limit: int) -> Iterator[Mapping[str, object]]:
        """Read a few rows or documents of an entry's place, whosever they are."""
        ...

    def fingerprint(self) -> str:
        """Describe which server this is: product, version, and what tells it from another one."""
        ...


# What builds the adapter, by the class of the store or by one that it inherits from.
ADAPTERS: Mapping[str, str] = {
    conf.RELATIONAL_BACKEND: "gdpr.stores.relational.adapter",
    "mongo_migrations.store.MongoStore": "gdpr.stores.mongo.adapter",
    "searchindex.store.SearchStore": "gdpr.stores.search.adapter",
}

_EXTERNAL = "gdpr.stores.external.adapter"


class Stores(Mapping[str, ErasureStore]):
    """
    The adapters of the stores that something can be erased from, by alias, in the order of the settings.

    They belong to one piece of work and to one thread at a time: see :func:`opened_stores`.

    Args:
        opened: The stores below.
    """

    def __init__(self, opened: Registry) -> None:
        self._opened = opened
        self._adapters: dict[str, ErasureStore] = {}
        self.own = Own(opened)

    def __getitem__(self, alias: str) -> ErasureStore:
        """
        Return the adapter of a store.

        Raises:
            UnknownStore: No store has this alias, or nothing can be erased from its kind.
        """
        if alias not in self._adapters:
            self._adapters[alias] = self._adapter(alias)
        return self._adapters[alias]

    def __contains__(self, alias: object) -> bool:
        return isinstance(alias, str) and (alias in load_data_map().externals or _factory(alias) is not None)

    def __iter__(self) -> Iterator[str]:
        yield from (alias for alias in self._opened if _factory(alias))
        yield from load_data_map().externals

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def chosen(self, wanted: Sequence[str]) -> Sequence[ErasureStore]:
        """
        Return the adapters of some stores, or of all that have one.

        Args:
            wanted: Aliases; none stand for all.

        Raises:
            UnknownStore: One of them is not configured, or has no adapter.
        """
        return [self[alias] for alias in (known_aliases(wanted) or self)]

    def _adapter(self, alias: str) -> ErasureStore:
        if alias in load_data_map().externals:
            of_project: ErasureStore = import_string(_EXTERNAL)(alias)
            return of_project
        path = _factory(alias)
        if path is None:
            # Says so itself where the alias is unknown, or its class can't be imported.
            _ = self._opened[alias]
            raise UnknownStore(
                f"Personal data can't be kept in the store “{alias}”: nothing erases from its kind.",
                hint="Classify what it keeps under the store that holds it: "
                "Alembic's tables under their database.",
            )
        made: ErasureStore = import_string(path)(alias, self._opened)
        return made


@contextmanager
def opened_stores() -> Iterator[Stores]:
    """
    Open the stores for one piece of work: a command, a request, a check, a round of cron.

    Yields:
        Their adapters; the connections are let go at the end. Django's own connections stay open: they
        belong to their thread, and may be in the middle of the caller's transaction.
    """
    with opened() as stores:
        yield Stores(stores)


_CORRECT = "Correct its target: app_label.Model. See `gdpr_datamap check`."


def model_of(entry: Entry) -> type[models.Model]:
    """
    Return the model that an entry names.

    Raises:
        InvalidDataMap: There is none.
    """
    try:
        return apps.get_model(entry.target)
    except (LookupError, ValueError) as exc:
        raise InvalidDataMap(
            f"Entry “{entry.id}” names {entry.target}, which is no installed model.",
            hint=moved.hint(entry.target, _CORRECT),
        ) from exc


def every_row(model: type[models.Model], alias: str) -> models.QuerySet[models.Model]:
    """Return all rows of a table, those too that a manager of the project hides."""
    return models.QuerySet(model, using=alias)


def known_aliases(wanted: Sequence[str]) -> Sequence[str]:
    """
    Refuse aliases that no store has.

    Args:
        wanted: Aliases; none stand for all.

    Raises:
        UnknownStore: One of them is not configured.
    """
    configured = conf.load().store_settings()
    known = [*configured, *load_data_map().externals] if wanted else []
    unknown = [alias for alias in wanted if alias not in known]
    if unknown:
        raise UnknownStore(f"There is no store “{unknown[0]}”.", hint=f"Stores: {', '.join(known)}.")
    return wanted


def _factory(alias: str) -> str | None:
    """Find what builds the adapter of a store, by its class alone: the store itself is not built."""
    if isolation.is_real(alias):
        return None
    settings = conf.load().store_settings().get(alias)
    try:
        ancestors = import_string(settings.backend).__mro__ if settings else ()
    except ImportError:
        return None
    paths = (ADAPTERS.get(f"{one.__module__}.{one.__qualname__}") for one in ancestors)
    return next((path for path in paths if path), None)
