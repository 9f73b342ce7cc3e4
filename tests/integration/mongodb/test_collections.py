"""Operations on collections and on their rules."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from bson import Decimal128, Int64

import mongo_migrations as mongo
from accord.errors import ConflictingState, StepFailed
from accord.events import StepNoted
from accord.seam.types import Presence
from mongo_migrations.definitions import validation_differences

pytestmark = pytest.mark.integration

RULES = {
    "$jsonSchema": {"bsonType": "object", "required": ["name"], "properties": {"name": {"minLength": 1}}}
}
SHAPES = {
    "plain": mongo.CreateCollection("music"),
    "rules": mongo.CreateCollection(
        "music", validator=RULES, validation_level="moderate", validation_action="warn"
    ),
    "values": mongo.CreateCollection(
        "music",
        validator={
            "$jsonSchema": {"required": ("a", "b"), "properties": {"a": {"enum": ("x", Int64(2))}}},
            "at": {"$gt": dt.datetime(2026, 1, 1, 1, 2, 3, 456789, dt.UTC)},
            "name": re.compile("^x", re.IGNORECASE),
            "price": {"$nin": (Decimal128("1.10"), float("inf"))},
        },
    ),
    "capped": mongo.CreateCollection("music", capped_size=5000, capped_documents=10),
    "timeseries": mongo.CreateCollection(
        "music", timeseries={"timeField": "at", "metaField": "track"}, expire_after_seconds=3600
    ),
    "collation": mongo.CreateCollection("music", collation={"locale": "fr", "strength": 2}),
    "clustered": mongo.CreateCollection("music", clustered=True, expire_after_seconds=3600),
    "pre_images": mongo.CreateCollection(
        "music", options={"changeStreamPreAndPostImages": {"enabled": True}}
    ),
    "view": mongo.CreateCollection(
        "music", options={"viewOn": "plays", "pipeline": [{"$match": {"public": True}}]}
    ),
}


def fail(db: Any, session: Any) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("name", SHAPES)
def test_every_kind_of_collection_comes_goes_and_comes_again(bench: Any, name: str) -> None:
    """Create, recognise, drop, create: and the server's own reading of the options is ours."""
    operation = SHAPES[name]

    bench.apply(operation)
    first = bench.options("music")
    assert bench.presence(operation) is Presence.DONE
    bench.revert(operation)
    assert bench.presence(operation) is Presence.ABSENT
    bench.apply(operation)

    assert bench.options("music") == first
    assert bench.apply(operation, name="0002_again").changed == 0


@pytest.mark.parametrize(
    ("there", "difference"),
    [
        ({"validator": {"name": {"$exists": True}}}, "validator is"),
        ({"capped": True, "size": 4096}, "capped is true, declared is false"),
        ({"collation": {"locale": "de"}}, "collation is"),
        ({"timeseries": {"timeField": "at"}}, "timeseries is"),
    ],
)
def test_collection_with_other_options_is_refused_in_words(bench: Any, there: Any, difference: str) -> None:
    """What is there stays, and the message names the difference."""
    bench.db.create_collection("music", **there)

    with pytest.raises(ConflictingState) as caught:
        bench.apply(mongo.CreateCollection("music"))

    assert difference in caught.value.message


def test_collection_with_documents_is_not_dropped_by_accident(bench: Any) -> None:
    """Documents are only dropped by those who say so."""
    bench.db.music.insert_one({"name": "a"})

    with pytest.raises(StepFailed, match="holds documents"):
        bench.apply(mongo.DropCollection("music"))
    assert bench.db.music.count_documents({}) == 1

    bench.apply(mongo.DropCollection("music", even_with_data=True), name="0002_sure")
    assert "music" not in bench.db.list_collection_names()


def test_dropped_collection_comes_back_in_its_empty_shape(bench: Any) -> None:
    """The operations given as `restore` build it again."""
    shape = [mongo.CreateCollection("music", validator=RULES), mongo.CreateIndex("music", [("name", 1)])]
    bench.apply(*shape)
    before = bench.options("music"), bench.indexes("music")
    drop = mongo.DropCollection("music", restore=shape)

    bench.apply(drop, name="0002_drop")
    bench.revert(drop, name="0002_drop")

    assert (bench.options("music"), bench.indexes("music")) == before


@pytest.mark.parametrize(
    "options", [{}, {"timeseries": {"timeField": "at"}}, {"capped": True, "size": 4096}], ids=str
)
def test_successor_of_a_dropped_collection_stays(bench: Any, options: Any) -> None:
    """A rerun after a kill behind the drop leaves alone what the application created since then."""
    bench.db.create_collection("music", **options)
    failing = mongo.RunPython(fail, mongo.RunPython.noop)
    drop = mongo.DropCollection("music", even_with_data=True)
    with pytest.raises(StepFailed):
        bench.apply(drop, failing)
    bench.db.accord_ledger.update_one({"_id": "mongodb:bench.0001_bench"}, {"$set": {"operations_done": 0}})
    bench.db.create_collection("music", **options)
    bench.db.music.insert_one({"at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "by": "the application"})

    bench.apply(drop)

    assert bench.db.music.count_documents({}) == 1
    assert any("is a new one" in event.note for event in bench.reporter.of(StepNoted))


def test_what_is_not_there_to_be_dropped_is_told(bench: Any) -> None:
    """It may be a typing mistake; nothing is made by it."""
    bench.apply(mongo.DropCollection("musci"), mongo.DropIndex("musci", "name_1"))

    notes = [event.note for event in bench.reporter.of(StepNoted)]
    assert notes == ["There is no collection musci to drop.", "There is no index name_1 of musci to drop."]
    assert bench.db.list_collection_names(filter={"name": "musci"}) == []


def test_view_is_dropped_without_a_word_about_documents(bench: Any) -> None:
    """They are its source's, and stay; what was made under its name since then stays, too."""
    bench.db.plays.insert_one({"public": True})
    bench.db.create_collection("music", viewOn="plays", pipeline=[])
    drop = mongo.DropCollection("music")

    with pytest.raises(StepFailed):
        bench.apply(drop, mongo.RunPython(fail, mongo.RunPython.noop))
    assert bench.db.list_collection_names(filter={"name": "music"}) == []
    bench.db.accord_ledger.update_one({"_id": "mongodb:bench.0001_bench"}, {"$set": {"operations_done": 0}})
    bench.db.create_collection("music", viewOn="plays", pipeline=[{"$match": {"public": True}}])
    bench.apply(drop)

    assert bench.db.music.count_documents({}) == bench.db.plays.count_documents({}) == 1


def test_rename_keeps_documents_and_indexes_both_ways(bench: Any) -> None:
    """The collection is the same under its other name."""
    bench.db.music.insert_one({"name": "a"})
    bench.db.music.create_index("name")
    operation = mongo.RenameCollection("music", "songs")

    bench.apply(operation)
    assert bench.db.songs.count_documents({}) == 1
    assert "music" not in bench.db.list_collection_names()
    bench.revert(operation)

    assert bench.db.music.count_documents({}) == 1
    assert set(bench.indexes("music")) == {"name_1"}


def test_rename_onto_an_existing_collection_is_refused(bench: Any) -> None:
    """Neither of the two is touched."""
    bench.db.music.insert_one({"name": "a"})
    bench.db.songs.insert_one({"name": "b"})

    with pytest.raises(ConflictingState, match="both exist"):
        bench.apply(mongo.RenameCollection("music", "songs"))

    assert bench.db.music.count_documents({}) == bench.db.songs.count_documents({}) == 1


def test_rename_done_by_a_killed_run_is_recognised(bench: Any) -> None:
    """An application that still writes to the old name does not stop the rerun."""
    bench.db.music.insert_one({"name": "a"})
    failing = mongo.RunPython(fail, mongo.RunPython.noop)
    rename = mongo.RenameCollection("music", "songs")
    with pytest.raises(StepFailed):
        bench.apply(rename, failing)
    bench.db.accord_ledger.update_one({"_id": "mongodb:bench.0001_bench"}, {"$set": {"operations_done": 0}})
    bench.db.music.insert_one({"name": "late"})

    bench.apply(rename)

    assert [found["name"] for found in bench.db.songs.find()] == ["a"]


def test_nothing_to_rename_is_an_error(bench: Any) -> None:
    """A wrong name is told, not passed over."""
    with pytest.raises(StepFailed, match="no collection music"):
        bench.apply(mongo.RenameCollection("music", "songs"))


def test_rules_are_set_and_the_old_ones_come_back(bench: Any) -> None:
    """The ledger keeps the rules that stood before."""
    bench.db.create_collection("music", validator={"name": {"$gt": "a"}}, validationLevel="moderate")
    before = bench.options("music")
    operation = mongo.SetValidator("music", RULES, validation_action="warn")

    bench.apply(operation)
    rules = {"validator": RULES, "validationLevel": "strict", "validationAction": "warn"}
    assert bench.options("music") == rules
    assert bench.presence(operation) is Presence.DONE
    bench.revert(operation)

    assert not validation_differences(before, bench.options("music"))


def test_rules_that_stand_already_are_recognised_and_not_set_again(bench: Any) -> None:
    """By a baseline and after a kill, whatever BSON made of what is declared."""
    operation = mongo.SetValidator("music", SHAPES["values"].validator or {})
    bench.apply(mongo.CreateCollection("music"), operation)

    assert bench.presence(operation) is Presence.DONE
    assert bench.apply(operation, name="0002_again").changed == 0


def test_rules_of_a_collection_without_any_go_away_again(bench: Any) -> None:
    """Reverting the first rules of a collection leaves none."""
    bench.db.create_collection("music")
    operation = mongo.SetValidator("music", RULES)

    bench.apply(operation)
    bench.revert(operation)

    bench.db.music.insert_one({"name": 5})
    assert not validation_differences({}, bench.options("music"))


def test_rules_for_a_missing_collection_are_an_error(bench: Any) -> None:
    """A wrong name is told."""
    with pytest.raises(StepFailed, match="no collection music"):
        bench.apply(mongo.SetValidator("music", RULES))
