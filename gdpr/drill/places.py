"""Where the stores of a project are during a drill: each on a server that was started for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from django.db import connections
from django.utils.module_loading import import_string

from accord import conf
from gdpr.errors import DrillRefused

POSTGRES, MONGODB, SEARCH, ALEMBIC = "postgresql", "mongodb", "search", "alembic"
_KINDS = {
    "mongo_migrations.store.MongoStore": MONGODB,
    "searchindex.store.SearchStore": SEARCH,
    "migrator.alembic.store.AlembicStore": ALEMBIC,
}
_SERVERS = {POSTGRES: "postgres", MONGODB: "mongodb", SEARCH: "opensearch"}
"""Which embedded server stands in for which kind of store."""
_FREE = "Only what lies in PostgreSQL, MongoDB, Elasticsearch or OpenSearch can be moved for a drill."


@dataclass(frozen=True, kw_only=True)
class Place:
    """
    A store, and where it is during the drill.

    Attributes:
        kind: What holds it.
        name: Database there, or what the names of its indexes begin with.
    """

    kind: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Moved:
    """
    Where everything is during a drill.

    Attributes:
        places: The stores that can be backed up, by alias.
        databases: What stands in `DATABASES` in place of the project's addresses, by alias.
        stores: The same for the options of `ACCORD["STORES"]`.
        further: Databases of PostgreSQL that only Alembic has.
        instead: Addresses of the project to those of the drill, for settings that repeat them.
    """

    places: Mapping[str, Place]
    databases: Mapping[str, Mapping[str, str]]
    stores: Mapping[str, Mapping[str, str]]
    further: Sequence[str] = ()
    instead: Mapping[str, str] = field(default_factory=dict, repr=False)

    def for_settings(self) -> Mapping[str, Any]:
        """Return what :mod:`gdpr.drill.settings` reads."""
        return {name: asdict(self)[name] for name in ("databases", "stores", "instead")}


def kind_of(backend: str) -> str:
    """
    Return what holds a store, by its class or by one that it inherits from; empty for anything else.

    Args:
        backend: Dotted path of the class.
    """
    names = (f"{one.__module__}.{one.__qualname__}" for one in import_string(backend).__mro__)
    return next((_KINDS[name] for name in names if name in _KINDS), "")


def servers() -> Sequence[str]:
    """
    Name the embedded servers that a drill of this project needs.

    Raises:
        DrillRefused: A store lies elsewhere.
    """
    kinds = dict.fromkeys([*_vendors().values(), *_kinds().values()])
    return [_SERVERS[kind] for kind in kinds if kind in _SERVERS]


def moved(urls: Mapping[str, str], folder: Path) -> Moved:
    """
    Give every store of the project a place on other servers.

    Args:
        urls: Those of the servers, by their names.
        folder: For databases that are files.

    Raises:
        DrillRefused: A store can't be moved.
    """
    names, databases = _database_names(), dict[str, Mapping[str, str]]()
    places, instead = dict[str, Place](), dict[str, str]()
    for alias, vendor in _vendors().items():
        databases[alias] = _database(vendor, names[alias], urls, folder)
        if vendor != "sqlite":
            places[alias] = Place(kind=vendor, name=names[alias])
    stores = {}
    for alias, kind in _kinds().items():
        stores[alias] = _store(alias, kind, urls, names)
        before = str(_options(alias).get("URL") or "")
        instead |= {before: stores[alias]["URL"]} if before else {}
        if kind == MONGODB:
            places[alias] = Place(kind=MONGODB, name=stores[alias]["DATABASE"])
        elif kind == SEARCH:
            places[alias] = Place(kind=SEARCH, name=str(_options(alias).get("PREFIX") or ""))
    further = {f"drill_{alias}".lower() for alias, kind in _kinds().items() if kind == ALEMBIC} - set(
        names.values()
    )
    used = {urlsplit(one["URL"]).path.strip("/") for one in stores.values()}
    return Moved(
        places=places,
        databases=databases,
        stores=stores,
        further=sorted(further & used),
        instead=instead,
    )


def at(url: str, database: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _vendors() -> Mapping[str, str]:
    found = {alias: connections[alias].vendor for alias in connections}
    for alias, vendor in found.items():
        if vendor not in (POSTGRES, MONGODB, "sqlite"):
            raise DrillRefused(
                f"DATABASES['{alias}'] is a {vendor}: no server can be started for it.", hint=_FREE
            )
    return found


def _kinds() -> Mapping[str, str]:
    found = {alias: kind_of(one.backend) for alias, one in conf.load().configured_stores().items()}
    for alias, kind in found.items():
        if not kind:
            raise DrillRefused(f"Nobody knows what holds the store “{alias}”.", hint=_FREE)
    return found


def _options(alias: str) -> Mapping[str, object]:
    return conf.load().configured_stores()[alias].configured


def _database_names() -> Mapping[str, str]:
    """Name the databases of the drill; aliases of one database have one there, too."""
    named: dict[tuple[object, ...], str] = {}
    for alias in connections:
        named.setdefault(_address(alias), f"drill_{alias}".lower())
    return {alias: named[_address(alias)] for alias in connections}


def _address(alias: str) -> tuple[object, ...]:
    entry = connections[alias].settings_dict
    return tuple(entry.get(name) or "" for name in ("ENGINE", "HOST", "PORT", "NAME"))


def _database(vendor: str, name: str, urls: Mapping[str, str], folder: Path) -> Mapping[str, str]:
    if vendor == "sqlite":
        return {"NAME": str(folder / f"{name}.sqlite3")}
    url = urls[_SERVERS[vendor]]
    if vendor == MONGODB:
        return {"HOST": at(url, ""), "NAME": name}
    parts = urlsplit(url)
    found = {"HOST": parts.hostname, "PORT": parts.port, "USER": parts.username, "PASSWORD": parts.password}
    return {"NAME": name, **{key: unquote(str(value or "")) for key, value in found.items()}}


def _store(alias: str, kind: str, urls: Mapping[str, str], names: Mapping[str, str]) -> Mapping[str, str]:
    if kind == ALEMBIC:
        return {"URL": at(urls["postgres"], _database_of_alembic(alias, names))}
    if kind == SEARCH:
        return {"URL": urls["opensearch"]}
    options = _options(alias)
    database = str(options.get("DATABASE") or unquote(urlsplit(str(options.get("URL"))).path.strip("/")))
    return {"URL": at(urls["mongodb"], database), "DATABASE": database}


def _database_of_alembic(alias: str, names: Mapping[str, str]) -> str:
    parts = urlsplit(str(_options(alias).get("URL") or ""))
    if not parts.path.strip("/"):
        raise DrillRefused(
            f"The database of the store “{alias}” is not in its settings, but in its env.py.",
            hint=f"Give ACCORD['STORES']['{alias}'] the URL of its database.",
        )
    return next(iter(_same(parts.path.strip("/"), names)), f"drill_{alias}".lower())


def _same(name: str, names: Mapping[str, str]) -> Iterator[str]:
    """Yield what the database of a name is called in the drill, where Django has it, too."""
    for alias, new in names.items():
        database = connections[alias]
        if database.vendor == POSTGRES and database.settings_dict["NAME"] == unquote(name):
            yield new
