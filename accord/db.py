"""What a database of Django's settings does when it fails: one name for its errors, and a way back."""

from __future__ import annotations

from functools import cache

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

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


def _is_usable(connection: BaseDatabaseWrapper) -> bool:
    try:
        return connection.is_usable()
    except NotImplementedError:
        # The backend of MongoDB can't be asked; its driver keeps a pool, and reconnects by itself.
        return True
