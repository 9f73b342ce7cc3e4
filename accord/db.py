"""What a database of Django's settings does when it fails: one name for its errors, and a way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

from accord.connecting import trouble_of
from accord.errors import ConfigurationError, StoreError, UnknownStore
from accord.secrets.redact import first_line

ERRORS = (DatabaseError, InterfaceError)
"""Whatever Django raises about a database; what a dropped connection raises is no DatabaseError."""


# Not loaded to be known: one of them takes longer than a whole run with nothing to do.
_KNOWN = {
    "django.db.backends.postgresql": "postgresql",
    "django.contrib.gis.db.backends.postgis": "postgresql",
    "django_mongodb_backend": "mongodb",
}


@cache
def product_of(engine: str) -> str:
    """
    Return which product a backend is for, in Django's word (`vendor`), which a subclass inherits.

    Args:
        engine: `ENGINE` of a database.

    Returns:
        Empty for a backend that can't be loaded; Django says why when it is used.
    """
    if engine in _KNOWN:
        return _KNOWN[engine]
    try:
        vendor: str = load_backend(engine).DatabaseWrapper.vendor
    except (ImproperlyConfigured, ImportError, AttributeError):
        return ""
    return vendor


def revive(alias: str) -> None:
    """
    Close this thread's connection if the server has dropped it, so that the next statement opens another.

    Django does so between two HTTP requests only. Inside a transaction nothing is done: what was
    sent in it is lost with the connection, and its owner has to hear of that.

    Args:
        alias: The database.
    """
    for connection in connections.all(initialized_only=True):
        is_idle = connection.connection is not None and not connection.in_atomic_block
        if connection.alias == alias and is_idle and not _is_usable(connection):
            connection.close()


def close_own() -> None:
    """Close this thread's connections; a thread that ends would leave them open."""
    for connection in connections.all(initialized_only=True):
        connection.close()


def _is_usable(connection: BaseDatabaseWrapper) -> bool:
    try:
        return connection.is_usable()
    except NotImplementedError:
        # The backend of MongoDB can't be asked; its driver keeps a pool, and reconnects by itself.
        return True


def known(alias: str) -> str:
    """
    Return the alias of a database that somebody named.

    Raises:
        UnknownStore: `DATABASES` has none of this name.
    """
    if alias not in connections:
        raise UnknownStore(f"There is no database “{alias}”.", hint=f"Databases: {', '.join(connections)}.")
    return alias


@contextmanager
def reading(what: str, alias: str) -> Iterator[None]:
    """
    Turn what Django raises while something is read into the errors that say so.

    Args:
        what: What is read, as the subject of a sentence.
        alias: The database.

    Raises:
        StoreUnavailable: The database can't be reached, or doesn't let us work; each cause is told.
        StoreError: It refuses; its tables may not be there yet.
    """
    try:
        yield
    except ERRORS as exc:
        if trouble := trouble_of(exc):
            raise trouble.error(f"{what} can't be read: the database “{alias}”", alias, exc) from exc
        raise StoreError(
            f"{what} in “{alias}” can't be read: {first_line(exc)}.",
            hint="Run migrate_all, which creates its tables first; then run this again.",
        ) from exc


def misconfigured(error: ImproperlyConfigured) -> ConfigurationError:
    """
    Say which database Django can't connect to, whatever its server does: one without a NAME, say.

    Args:
        error: What Django raised; it names no alias, and may be about other settings.
    """
    for alias in connections:
        try:
            connections[alias].get_connection_params()
        except ImproperlyConfigured as exc:
            return ConfigurationError(
                f"DATABASES['{alias}'] can't be used: {first_line(exc)}.",
                hint=f"Correct the entry “{alias}” of DATABASES in the settings, then run it again.",
            )
    return ConfigurationError(
        f"Django can't use its settings: {first_line(error)}.", hint="Correct them; --traceback shows where."
    )
