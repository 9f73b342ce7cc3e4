"""What stands in a database of the settings, for the stores that live in it."""

from __future__ import annotations

from django.db import connections

from accord.seam.describing import Description
from migrator.relational import failures
from migrator.relational.taking import takes_part
from migrator.relational.vendors import vendor_of


def described(alias: str) -> Description | None:
    """
    Describe a database.

    Args:
        alias: Its name in `DATABASES`.

    Returns:
        The description; None where the product can't be described, or where it is not ours to migrate: a
        replica stands as its primary does.

    Raises:
        StoreUnavailable: The server can't be reached.
    """
    if not takes_part(alias):
        return None
    with failures.translated(alias):
        connection = connections[alias]
        return vendor_of(connection).describe(connection)
