"""
Reading MongoDB's ledgers by the driver alone.

Django's backend of MongoDB looks for the geographic library GDAL three times while it is loaded,
in processes of their own: longer than everything else that a run with nothing to do does together.
So that run reads both tables by the driver, and leaves the backend to runs that need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from accord.mongo_driver import briefly

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.database import Database


def version(settings: Mapping[str, Any]) -> str:
    """
    Ask the server for its version, and whether it lets us read.

    Args:
        settings: The alias's entry in `DATABASES`.

    Raises:
        PyMongoError: It can't be reached, or refuses us.
    """
    with _glance(settings) as client:
        # A server tells anybody its version; reading takes a right.
        _database(client, settings)["django_migrations"].find_one({}, {"_id": 1})
        return str(client.admin.command("buildInfo")["version"])


def rows(
    settings: Mapping[str, Any], tables: Mapping[str, Sequence[str]]
) -> Mapping[str, Sequence[tuple[Any, ...]]] | None:
    """
    Read fields of several collections.

    Args:
        settings: The alias's entry in `DATABASES`.
        tables: Collections, each with the fields to read.

    Returns:
        Tuples in the order of the fields, by collection; one that isn't there is empty. None when the driver
        can't do it, and Django's backend should, which also tells why.
    """
    from pymongo.errors import PyMongoError

    try:
        with _glance(settings) as client:
            database = _database(client, settings)
            return {table: _tuples(database[table], fields) for table, fields in tables.items()}
    except (PyMongoError, TypeError, ValueError):
        return None


@contextmanager
def _glance(settings: Mapping[str, Any]) -> Iterator[MongoClient[dict[str, Any]]]:
    """Yield a client for a question or two."""
    from pymongo import MongoClient

    with briefly(), MongoClient[dict[str, Any]](**_parameters(settings)) as client:
        yield client


def _database(client: MongoClient[dict[str, Any]], settings: Mapping[str, Any]) -> Database[dict[str, Any]]:
    """Return the database; where it has no NAME, the one of the address, as Django's backend does."""
    return client[settings["NAME"]] if settings.get("NAME") else client.get_default_database()


def _parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Build the driver's parameters as Django's backend does."""
    named = {"username": "USER", "password": "PASSWORD", "port": "PORT"}
    given = {ours: settings[theirs] for ours, theirs in named.items() if settings.get(theirs)}
    return {
        "host": settings["HOST"] or None,
        "tz_aware": True,
        "serverMonitoringMode": "poll",
        **settings.get("OPTIONS", {}),
        **given,
    }


def _tuples(collection: Any, fields: Sequence[str]) -> Sequence[tuple[Any, ...]]:
    found = collection.find({}, dict.fromkeys(fields, 1) | {"_id": 0})
    return [tuple(document.get(name) for name in fields) for document in found]
