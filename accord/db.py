"""What a database of Django's settings does when it fails: one name for its errors, and a way back."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

ERRORS = (DatabaseError, InterfaceError)
"""Whatever Django raises about a database; what a dropped connection raises is no DatabaseError."""


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
