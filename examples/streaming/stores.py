"""How the service reaches the stores that aren't Django's: by the connections that Accord has configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from accord.registry import registry

if TYPE_CHECKING:
    from pymongo.database import Database

    from searchindex.store import SearchStore


def collections() -> Database[dict[str, Any]]:
    """Give the database of playlists, plays and recommendations."""
    from mongo_migrations.store import MongoStore

    return cast("MongoStore", registry()["mongodb"]).database()


def search() -> SearchStore:
    """Give the store of the indexes: tracks, venues, embeddings."""
    return cast("SearchStore", registry()["search"])
