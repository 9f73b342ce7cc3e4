"""What is asked of Django's MongoDB by the driver alone, however its database is named."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from migrator.relational import documents

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("named", ["by NAME", "by the address", "by both"])
def test_database_is_found_by_its_name_or_by_the_address(mongo_url: str, named: str) -> None:
    """Django's backend takes either; NAME counts where both are given."""
    parts = urlsplit(mongo_url)
    name = parts.path.strip("/")
    elsewhere = parts._replace(path={"by NAME": "/", "by both": "/other"}.get(named, parts.path)).geturl()
    settings = {"HOST": elsewhere, "NAME": "" if named == "by the address" else name}
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client[name]["seen"].insert_one({"app": "a", "name": "0001"})

    assert documents.rows(settings, {"seen": ["app", "name"]}) == {"seen": [("a", "0001")]}
    assert documents.version(settings).count(".") == 2


def test_database_that_nothing_names_is_left_to_django(mongo_url: str) -> None:
    """Its backend says what is missing."""
    settings = {"HOST": urlsplit(mongo_url)._replace(path="/").geturl(), "NAME": ""}

    assert documents.rows(settings, {"seen": ["app"]}) is None
    with pytest.raises(PyMongoError):
        documents.version(settings)
