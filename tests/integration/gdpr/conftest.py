"""Stores and data of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gdpr.stores.mongo import MongoErasure
from gdpr.stores.search import SearchErasure
from mongo_migrations.store import MongoStore
from searchindex.store import SearchStore


class OwnMongo(MongoErasure):
    """The adapter on a store that stands in no settings."""

    def __init__(self, url: str) -> None:
        self.own = MongoStore("mongodb", {"URL": url})
        super().__init__(self.own, {"URL": url})


class OwnSearch(SearchErasure):
    """The adapter on a store that stands in no settings."""

    def __init__(self, url: str, prefix: str) -> None:
        self.own = SearchStore("search", {"URL": url, "PREFIX": prefix})
        super().__init__(self.own)


@pytest.fixture
def mongo(mongo_url: str) -> Iterator[OwnMongo]:
    """Give the adapter of collections on an empty database."""
    adapter = OwnMongo(mongo_url)
    yield adapter
    adapter.own.close()
