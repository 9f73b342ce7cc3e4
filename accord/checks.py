"""Django system checks of the settings: what can be told without asking any server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error

from accord import conf
from accord.errors import AccordError
from accord.seam.stores import NamesLedger

_COORDINATORS = ("django.db.backends.postgresql", "django.contrib.gis.db.backends.postgis")


def check_settings(**_kwargs: Any) -> Sequence[CheckMessage]:
    """
    Check `ACCORD`.

    Returns:
        accord.E001 when it can't be read, accord.E002 when the coordinator is no PostgreSQL of
        `DATABASES`, accord.E003 for each store whose backend can't be imported, accord.E004 for
        stores that keep their ledgers in one place.
    """
    try:
        settings = conf.load()
        stores = settings.store_settings()
    except AccordError as exc:
        return [Error(exc.message, hint=exc.hint, id="accord.E001")]
    return [
        *_coordinator(settings.coordinator),
        *_backends(stores.values()),
        *_shared_ledgers(stores.values()),
    ]


def _coordinator(alias: str) -> Iterator[CheckMessage]:
    entry = django_settings.DATABASES.get(alias)
    if entry is None:
        yield Error(
            f"ACCORD['COORDINATOR'] names “{alias}”, which is no alias of DATABASES.",
            hint=f"Choose one of: {', '.join(django_settings.DATABASES) or 'none is configured'}.",
            id="accord.E002",
        )
    elif entry.get("ENGINE") not in _COORDINATORS:
        yield Error(
            f"The coordinator “{alias}” is no PostgreSQL.",
            hint="Leases, journal and audit trail are kept in PostgreSQL: name such an alias in COORDINATOR.",
            id="accord.E002",
        )


def _backends(stores: Iterable[conf.StoreSettings]) -> Iterator[CheckMessage]:
    for store in stores:
        try:
            _class_of(store)
        except (ImportError, AttributeError, ValueError) as exc:
            yield Error(
                f"The backend {store.backend} of the store “{store.alias}” can't be imported: {exc}.",
                hint="Correct BACKEND, or install the extra that the backend belongs to.",
                id="accord.E003",
            )


def _class_of(store: conf.StoreSettings) -> Any:
    module, _, name = store.backend.rpartition(".")
    return getattr(import_module(module), name)


def _shared_ledgers(stores: Iterable[conf.StoreSettings]) -> Iterator[CheckMessage]:
    places: dict[str, list[str]] = defaultdict(list)
    for store in stores:
        # What can't be imported, or whose options don't fit, is told elsewhere.
        with suppress(ImportError, AttributeError, ValueError, AccordError):
            backend = _class_of(store)
            if isinstance(backend, NamesLedger):
                places[backend.ledger_place(store.alias, store.options)].append(store.alias)
    for place, aliases in places.items():
        if len(aliases) > 1:
            yield Error(
                f"The stores {', '.join(aliases)} keep their ledgers in one place: {place}.",
                hint="Each would take the other's entries for its own, whose files are gone. Give each a "
                "ledger of its own (VERSION_TABLE, LEDGER or PREFIX), or make them one store.",
                id="accord.E004",
            )
