"""Django system checks of the settings: what can be told without asking any server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name

from accord import conf, db, extras, isolation, proof_policy
from accord.errors import AccordError, ConfigurationError
from accord.seam.stores import NamesLedger


def check_settings(**_kwargs: Any) -> Sequence[CheckMessage]:
    """
    Check `ACCORD`.

    Returns:
        accord.E001 when it can't be read, accord.E002 when the coordinator is no PostgreSQL of
        `DATABASES`, accord.E003 for each store whose backend can't be imported, accord.E004 for
        stores that keep their ledgers in one place, accord.E006 for each that can have no test store,
        accord.E007 when the Celery workers can't be used.
    """
    # Loaded here: a command that checks nothing needs none of it.
    from accord.audit import head_places

    try:
        settings = conf.load()
        stores = settings.store_settings()
        head_places.configured()
        proof_policy.load(settings)
    except AccordError as exc:
        return [Error(exc.message, hint=exc.hint, id="accord.E001")]
    return [
        *_coordinator(settings.coordinator),
        *_backends(stores.values()),
        *_shared_ledgers(stores.values()),
        *_test_stores(stores.values()),
        *_workers(settings.workers),
    ]


def _workers(raw: Mapping[str, Any]) -> Iterator[CheckMessage]:
    if not raw:
        return
    from accord.batches.settings import refuse_unfit

    try:
        refuse_unfit()
    except AccordError as exc:
        yield Error(exc.message, hint=exc.hint, id="accord.E007")


def _coordinator(alias: str) -> Iterator[CheckMessage]:
    entry = django_settings.DATABASES.get(alias)
    if entry is None:
        yield Error(
            f"ACCORD['COORDINATOR'] names “{alias}”, which is no alias of DATABASES.",
            hint=f"Choose one of: {', '.join(django_settings.DATABASES) or 'none is configured'}.",
            id="accord.E002",
        )
    elif db.product_of(entry.get("ENGINE", "")) != "postgresql":
        yield Error(
            f"The coordinator “{alias}” is no PostgreSQL: its ENGINE is {entry.get('ENGINE') or 'not set'}.",
            hint="Leases, journal and audit trail are kept in PostgreSQL: name such an alias in COORDINATOR.",
            id="accord.E002",
        )


def _backends(stores: Iterable[conf.StoreSettings]) -> Iterator[CheckMessage]:
    for store in stores:
        try:
            extras.require(store.backend.rpartition(".")[0], f"The store “{store.alias}”")
            store.backend_class()
        except (ImportError, AttributeError, ValueError) as exc:
            yield Error(
                f"The backend {store.backend} of the store “{store.alias}” can't be imported: {exc}.",
                hint="Correct BACKEND, or install the package that has it.",
                id="accord.E003",
            )
        except AccordError as exc:
            yield Error(exc.message, hint=exc.hint, id="accord.E003")


def _shared_ledgers(stores: Iterable[conf.StoreSettings]) -> Iterator[CheckMessage]:
    places: dict[str, list[str]] = defaultdict(list)
    for store in stores:
        # What can't be imported, or whose options don't fit, is told elsewhere.
        with suppress(ImportError, AttributeError, ValueError, AccordError):
            backend = store.backend_class()
            if isinstance(backend, NamesLedger):
                places[backend.ledger_place(store.alias, isolation.options_of(store))].append(store.alias)
    for place, aliases in places.items():
        if len(aliases) > 1:
            yield Error(
                f"The stores {', '.join(aliases)} keep their ledgers in one place: {place}.",
                hint="Each would take the other's entries for its own, whose files are gone. Give each a "
                "ledger of its own (VERSION_TABLE, LEDGER or PREFIX), or make them one store.",
                id="accord.E004",
            )


def _test_stores(stores: Iterable[conf.StoreSettings]) -> Iterator[CheckMessage]:
    for store in stores:
        if isolation.TEST not in store.configured:
            continue
        # What can't be imported is told elsewhere.
        with suppress(ImportError, AttributeError, ValueError):
            try:
                isolation.isolated_options(store)
            except AccordError as exc:
                yield Error(exc.message, hint=exc.hint, id="accord.E006")


def check_apps(**_kwargs: Any) -> Sequence[CheckMessage]:
    """
    Check that what belongs together is installed together.

    Returns:
        accord.E005 where an app can't work without another one, accord.W001 where it does half of
        what it is for.
    """
    return [*_missing(_NEEDS, Error, "accord.E005"), *_missing(_WANTS, Warning, "accord.W001")]


_AUTH = "django.contrib.auth"
_NEEDS: Mapping[str, Mapping[str, str]] = {
    "migrator": {"accord": "its runs are recorded in the audit trail of that app"},
    "mongo_migrations": {"accord": "its revisions are read by that app"},
    "searchindex": {"accord": "its revisions are read by that app"},
    "gdpr": {
        "accord": "its erasures are recorded in the audit trail of that app",
        _AUTH: "who asks and who approves are accounts of that app",
    },
}
_WANTS: Mapping[str, Mapping[str, str]] = {
    "accord": {"migrator": "there is no migrate_all"},
    "mongo_migrations": {"migrator": "nothing runs its revisions"},
    "searchindex": {"migrator": "nothing runs its revisions"},
}


def is_complete() -> bool:
    """Return whether no app lacks one without which it can't work, nor most of its modules be loaded."""
    return not any(_missing(_NEEDS, Error, "accord.E005"))


def refuse_missing_apps() -> None:
    """
    Make sure that no app lacks one without which it can't work; commands look before anything else.

    Raises:
        ConfigurationError: The first thing that :func:`check_apps` calls an error.
    """
    for found in _missing(_NEEDS, Error, "accord.E005"):
        raise ConfigurationError(found.msg, hint=found.hint or "")


def _missing(
    table: Mapping[str, Mapping[str, str]], level: type[Error | Warning], number: str
) -> Iterator[CheckMessage]:
    for app, others in table.items():
        for other, why in others.items():
            if apps.is_installed(app) and not apps.is_installed(other):
                yield level(
                    f"“{app}” is installed without “{other}”: {why}.",
                    hint=f"Add “{other}” to INSTALLED_APPS.",
                    id=number,
                )
