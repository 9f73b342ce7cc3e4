"""How the service reaches the stores that aren't Django's: by connections of its own to the same servers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from accord import conf
from accord.seam.registry import Registry

if TYPE_CHECKING:
    from pymongo.database import Database

    from mongo_migrations.store import MongoStore
    from searchindex.store import SearchStore


@cache
def _connections() -> Registry:
    """Open them once a process: a service keeps its connections, and threads may share both drivers."""
    return Registry(conf.load().store_settings())


def collections() -> Database[dict[str, Any]]:
    """Give the database of playlists, plays and recommendations."""
    return cast("MongoStore", _connections()["mongodb"]).database()


def search() -> SearchStore:
    """Give the store of the indexes: tracks, venues, embeddings."""
    return cast("SearchStore", _connections()["search"])
