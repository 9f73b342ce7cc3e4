"""Django system checks of the settings: what can be told without asking any server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name

from accord import conf, db, extras
from accord.errors import AccordError, ConfigurationError


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
    elif db.product_of(entry.get("ENGINE", "")) != "postgresql":
        yield Error(
            f"The coordinator “{alias}” is no PostgreSQL: its ENGINE is {entry.get('ENGINE') or 'not set'}.",
            hint="Leases, journal and audit trail are kept in PostgreSQL: name such an alias in COORDINATOR.",
            id="accord.E002",
        )


def _backends(stores: Any) -> Iterator[CheckMessage]:
    for store in stores:
        module, _, name = store.backend.rpartition(".")
        try:
            extras.require(module, f"The store “{store.alias}”")
            getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as exc:
            yield Error(
                f"The backend {store.backend} of the store “{store.alias}” can't be imported: {exc}.",
                hint="Correct BACKEND, or install the package that has it.",
                id="accord.E003",
            )
        except AccordError as exc:
            yield Error(exc.message, hint=exc.hint, id="accord.E003")


def check_apps(**_kwargs: Any) -> Sequence[CheckMessage]:
    """
    Check that what belongs together is installed together.

    Returns:
        accord.E004 where an app can't work without another one, accord.W001 where it does half of
        what it is for.
    """
    return [*_missing(_NEEDS, Error, "accord.E004"), *_missing(_WANTS, Warning, "accord.W001")]


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


def refuse_missing_apps() -> None:
    """
    Make sure that no app lacks one without which it can't work; commands look before anything else.

    Raises:
        ConfigurationError: The first thing that :func:`check_apps` calls an error.
    """
    for found in _missing(_NEEDS, Error, "accord.E004"):
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
