"""Stores and data of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo.database import Database

from gdpr.stores.mongo import MongoErasure
from gdpr.stores.search import SearchErasure
from mongo_migrations.store import MongoStore
from searchindex.store import SearchStore


class OwnMongo(MongoErasure):
    """The adapter on a store that stands in no settings."""

    def __init__(self, url: str) -> None:
        super().__init__("mongodb")
        self.url = url
        self.own = MongoStore("mongodb", {"URL": url})

    def _store(self) -> MongoStore:
        return self.own

    @contextmanager
    def fresh(self) -> Iterator[Database[dict[str, Any]]]:
        store = MongoStore("mongodb", {"URL": self.url})
        try:
            yield store.database()
        finally:
            store.close()


class OwnSearch(SearchErasure):
    """The adapter on a store that stands in no settings."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__("search")
        self.own = SearchStore("search", {"URL": url, "PREFIX": prefix})

    def store(self) -> SearchStore:
        return self.own


@pytest.fixture
def mongo(mongo_url: str) -> Iterator[OwnMongo]:
    """Give the adapter of collections on an empty database."""
    adapter = OwnMongo(mongo_url)
    yield adapter
    adapter.own.close()
