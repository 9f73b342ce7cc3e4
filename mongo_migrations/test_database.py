"""The test database of a store of MongoDB: what it is called, how it is made and how it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pymongo.database import Database

from accord.errors import ConfigurationError

_LONGEST = 63
"""Bytes that the server allows in a database's name."""


def options(
    alias: str,
    real: Mapping[str, object],
    test: Mapping[str, object],
    suffix: str,
    refuse_unknown: Callable[[str, Mapping[str, object]], None],
) -> Mapping[str, object]:
    """
    Return the options of the test store; see :class:`accord.seam.stores.HasTestStore`.

    Args:
        alias: Alias of the store.
        real: Options of the real store.
        test: `NAME` of the database (default: `test_` and the real name), `URL` of another server.
        suffix: Put behind the name.
        refuse_unknown: Raises for options that the store doesn't know.

    Raises:
        ConfigurationError: `TEST` can't be used.
    """
    place = f"ACCORD['STORES']['{alias}']['TEST']"
    for name, value in test.items():
        if name not in ("NAME", "URL") or not (isinstance(value, str) and value):
            raise ConfigurationError(
                f"{place}['{name}'] can't be used.",
                hint="Options: NAME of the test database, URL of another server for tests; both are texts.",
            )
    refuse_unknown(alias, real)
    name = str(test.get("NAME") or f"test_{_name(real)}") + (f"_{suffix}" if suffix else "")
    if len(name.encode()) > _LONGEST:
        raise ConfigurationError(
            f"The test database of “{alias}” would be called {name}, which MongoDB finds too long.",
            hint=f"Name a shorter one: {place}['NAME'] = ...",
        )
    return {**real, "URL": test.get("URL", real.get("URL", "")), "DATABASE": name}


def is_same(test: Mapping[str, object], real: Mapping[str, object]) -> bool:
    """Return whether two stores' databases have one name; a server takes one that differs in case for it."""
    return _name(test).casefold() == _name(real).casefold()


def make(database: Database[dict[str, Any]], ledger: str, *, keep: bool) -> None:
    """
    Make sure that a test database is there to be used: empty, unless what is there is to be kept.

    Args:
        database: The test database.
        ledger: Name of the ledger, by which a test database of ours is known.
        keep: Leave what an earlier run of tests left.

    Raises:
        ConfigurationError: It holds something, and no ledger.
    """
    found = database.list_collection_names()
    if found and ledger not in found:
        raise ConfigurationError(
            f"The database {database.name} holds {len(found)} collections and no ledger ({ledger}): tests of "
            "ours didn't make it, and they would empty it.",
            hint="Drop it if nobody needs it, or name another test database with TEST = {'NAME': ...}.",
        )
    if not keep:
        drop(database, ledger)


def drop(database: Database[dict[str, Any]], ledger: str) -> None:
    """Drop a test database, its ledger last: a kill in between leaves what is known again."""
    for name in database.list_collection_names():
        if name != ledger and not name.startswith("system."):
            database.drop_collection(name)
    database.client.drop_database(database.name)


def _name(options: Mapping[str, object]) -> str:
    """Return the database's name, as the store reads it."""
    return str(options.get("DATABASE") or unquote(urlsplit(str(options.get("URL") or "")).path.lstrip("/")))
