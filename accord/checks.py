"""Django system checks of the settings: what can be told without asking any server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error

from accord import conf
from accord.errors import AccordError

_COORDINATORS = ("django.db.backends.postgresql", "django.contrib.gis.db.backends.postgis")


def check_settings(**_kwargs: Any) -> Sequence[CheckMessage]:
    """
    Check `ACCORD`.

    Returns:
        accord.E001 when it can't be read, accord.E002 when the coordinator is no PostgreSQL of
        `DATABASES`, accord.E003 for each store whose backend can't be imported.
    """
    try:
        settings = conf.load()
        stores = settings.store_settings()
    except AccordError as exc:
        return [Error(exc.message, hint=exc.hint, id="accord.E001")]
    return [*_coordinator(settings.coordinator), *_backends(stores.values())]


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


def _backends(stores: Any) -> Iterator[CheckMessage]:
    for store in stores:
        module, _, name = store.backend.rpartition(".")
        try:
            getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as exc:
            yield Error(
                f"The backend {store.backend} of the store “{store.alias}” can't be imported: {exc}.",
                hint="Correct BACKEND, or install the extra that the backend belongs to.",
                id="accord.E003",
            )
