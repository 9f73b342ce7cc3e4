"""Operations on indexes, and our reading of definitions beside the server's."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

import mongo_migrations as mongo
from accord.errors import ConflictingState
from accord.seam.types import Presence

pytestmark = pytest.mark.integration

DEFINITIONS = {
    "plain": mongo.Index([("owner_id", 1)]),
    "compound": mongo.Index([("owner_id", 1), ("name", -1)], name="owner"),
    "unique_sparse": mongo.Index([("isrc", 1)], unique=True, sparse=True),
    "ttl": mongo.Index([("seen_at", 1)], expire_after_seconds=3600),
    "partial": mongo.Index([("plays", 1)], partial_filter={"plays": {"$gt": 5}}),
    "partial_values": mongo.Index(
        [("at", 1)],
        partial_filter={
            "at": {"$gt": dt.datetime(2026, 1, 1, 1, 2, 3, 456789, dt.UTC)},
            "kind": {"$type": ("string", "null")},
        },
    ),
    "collation": mongo.Index([("name", 1)], collation={"locale": "fr", "strength": 2}),
    "hidden": mongo.Index([("name", 1)], hidden=True),
    "hashed": mongo.Index([("owner_id", "hashed")]),
    "sphere": mongo.Index([("place", "2dsphere")]),
    "flat": mongo.Index([("place", "2d")], options={"bits": 20}),
    "text": mongo.Index([("title", "text"), ("words", "text")], weights={"title": 5}, name="words"),
    "text_in_the_middle": mongo.Index(
        [("year", 1), ("title", "text"), ("plays", -1)], options={"default_language": "french"}
    ),
    "wildcard": mongo.Index([("$**", 1)], wildcard_projection={"tags": 1, "notes.public": 1}),
}


@pytest.mark.parametrize("default", [None, {"locale": "de", "strength": 1}], ids=["simple", "collation"])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_kind_of_index_comes_goes_and_comes_again(bench: Any, name: str, default: Any) -> None:
    """Build, recognise, drop, build: and the server's own reading of the definition is ours."""
    index = DEFINITIONS[name]
    if default and index.definition()["key"].get("place") == "2d":
        index = mongo.Index(index.keys, options={**index.options, "collation": {"locale": "simple"}})
    if default and name.startswith("text"):
        index = mongo.Index(
            index.keys,
            name=index.name,
            weights=index.weights,
            options={**index.options, "collation": {"locale": "simple"}},
        )
    bench.db.create_collection("music", **({"collation": default} if default else {}))
    operation = mongo.CreateIndexes("music", [index])

    applied = bench.apply(operation)
    first = bench.indexes("music")
    assert bench.presence(operation) is Presence.DONE
    bench.revert(operation)
    assert bench.indexes("music") == {}
    assert bench.presence(operation) is Presence.ABSENT
    bench.apply(operation)

    assert applied.changed == 1
    assert bench.indexes("music") == first
    assert bench.apply(operation, name="0002_again").changed == 0


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (
            mongo.Index([("owner_id", -1)], name="owner"),
            "key is { owner_id: 1 }, declared is { owner_id: -1 }",
        ),
        (mongo.Index([("owner_id", 1)], name="owner", unique=True), "unique is false, declared is true"),
        (mongo.Index([("owner_id", 1)], name="owner", sparse=True), "sparse is false, declared is true"),
        (mongo.Index([("owner_id", 1)], name="owner", hidden=True), "hidden is false, declared is true"),
        (
            mongo.Index([("owner_id", 1)], name="owner", expire_after_seconds=5),
            "expireAfterSeconds is null, declared is 5",
        ),
        (mongo.Index([("owner_id", 1)], name="owner", collation={"locale": "fr"}), "collation is null"),
        (mongo.Index([("owner_id", 1)], name="by_owner"), "name is owner, declared is by_owner"),
    ],
)
def test_index_with_another_definition_is_refused_in_words(
    bench: Any, other: mongo.Index, difference: str
) -> None:
    """What is there stays, and the message names the difference."""
    bench.db.music.create_index([("owner_id", 1)], name="owner")
    before = bench.indexes("music")

    with pytest.raises(ConflictingState) as caught:
        bench.apply(mongo.CreateIndexes("music", [other]))

    assert difference in caught.value.message
    assert bench.indexes("music") == before


def test_second_text_index_is_refused(bench: Any) -> None:
    """MongoDB has one text index a collection; the message names the one that is there."""
    bench.db.music.create_index([("title", "text")], name="titles")

    with pytest.raises(ConflictingState, match="titles"):
        bench.apply(mongo.CreateIndex("music", [("words", "text")]))


def test_dropped_index_comes_back_as_the_server_had_it(bench: Any) -> None:
    """Without a declared definition the ledger keeps the live one for the revert."""
    bench.db.music.create_index([("name", 1)], name="names", collation={"locale": "fr"}, sparse=True)
    bench.db.music.create_index([("title", "text")], name="words", weights={"title": 3})
    before = bench.indexes("music")
    operations = [mongo.DropIndex("music", "names"), mongo.DropIndex("music", "words")]

    bench.apply(*operations)
    assert bench.indexes("music") == {}
    bench.revert(*operations)

    assert bench.indexes("music") == before


def test_dropped_index_comes_back_as_declared(bench: Any) -> None:
    """A declared definition is what a revert builds, also when there was no index to drop."""
    operation = mongo.DropIndex("music", mongo.Index([("name", 1)], name="names", unique=True))

    bench.apply(operation)
    bench.revert(operation)

    assert bench.indexes("music")["names"]["unique"] is True


def test_another_index_than_the_declared_one_is_not_dropped(bench: Any) -> None:
    """Dropping by definition looks at the definition first."""
    bench.db.music.create_index([("name", 1)], name="names")

    with pytest.raises(ConflictingState, match="unique"):
        bench.apply(mongo.DropIndex("music", mongo.Index([("name", 1)], name="names", unique=True)))

    assert set(bench.indexes("music")) == {"names"}


def test_index_of_a_conflicting_state_is_not_dropped_by_a_revert(bench: Any) -> None:
    """What stopped a step was never its own, so undoing the half step leaves it alone."""
    bench.db.music.create_index([("name", 1)], name="names")
    operations = [mongo.CreateCollection("lists"), mongo.CreateIndex("music", [("name", -1)], name="names")]
    with pytest.raises(ConflictingState):
        bench.apply(*operations)

    bench.revert(*operations)

    assert set(bench.indexes("music")) == {"names"}
    assert "lists" not in bench.db.list_collection_names()
