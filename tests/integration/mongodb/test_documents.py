"""Operations on documents: each change exactly once, in one transaction or in many."""

from __future__ import annotations

import datetime as dt
import json
import re
import tracemalloc
import uuid
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from pymongo import InsertOne, UpdateOne

import mongo_migrations as mongo
from accord.errors import ChecksumMismatch, LeaseLost, StepFailed
from accord.events import StepProgressed
from accord.revisions.runner import Runner
from accord.seam.types import Lease
from accord.testing import make_lease

pytestmark = pytest.mark.integration

MIXED_IDS: list[Any] = [
    MinKey(),
    None,
    -5,
    0,
    1,
    1.5,
    Int64(2**40),
    Decimal128("3.25"),
    "",
    "a",
    "é",
    {"day": 1},
    {"day": 1, "hour": 2},
    Binary(b"\x00\x01", 0),
    Binary(uuid.UUID(int=5).bytes, 4),
    ObjectId("0" * 24),
    False,
    True,
    dt.datetime(1, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    Timestamp(5, 6),
    MaxKey(),
]


def fail(db: Any, session: Any) -> None:
    raise ZeroDivisionError


def look(documents: list[Any], db: Any, session: Any) -> None:
    """Change nothing."""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_documents_with_ids_of_every_type_are_each_changed_once(bench: Any, size: int) -> None:
    """Batches go on behind an id of any type, though no comparison in a query spans two types."""
    bench.db.music.insert_many([{"_id": found, "n": 0} for found in MIXED_IDS])
    operation = mongo.UpdateInBatches(
        "music", {"$inc": {"n": 1}}, backward={"$inc": {"n": -1}}, batch_size=size
    )

    outcome = bench.apply(operation)
    wrong = [found["_id"] for found in bench.db.music.find({"n": {"$ne": 1}})]
    bench.revert(operation)

    assert wrong == []
    assert outcome.changed == len(MIXED_IDS)
    assert {found["n"] for found in bench.db.music.find()} == {0}


@pytest.mark.parametrize(
    "options",
    [{"collation": {"locale": "fr", "strength": 1}}, {"clusteredIndex": {"key": {"_id": 1}, "unique": True}}],
)
def test_walk_follows_the_order_of_unusual_collections(bench: Any, options: dict[str, Any]) -> None:
    """A default collation or a clustered collection changes the order of ids, not the number of visits."""
    bench.db.create_collection("music", **options)
    bench.db.music.insert_many([{"_id": f"{letter}{number}"} for letter in "béaZ" for number in range(10)])
    bench.db.music.insert_many([{"_id": number} for number in range(10)])

    bench.apply(mongo.UpdateInBatches("music", {"$inc": {"n": 1}}, batch_size=3))

    assert [found["n"] for found in bench.db.music.find()] == [1] * 50


@pytest.mark.parametrize("last", [ObjectId("f" * 24), MaxKey(), None])
@pytest.mark.parametrize("size", [1, 4])
def test_walk_ends_where_the_collection_ended_when_it_began(bench: Any, size: int, last: Any) -> None:
    """Whatever is put behind that meanwhile, by the function itself, too; each older one is met once."""
    ids = [*range(6), *([] if last is None else [last])]
    bench.db.music.insert_many([{"_id": found, "n": 0} for found in ids])

    def double(documents: list[Any], db: Any, session: Any) -> list[Any]:
        if db.music.count_documents({}, session=session) > 50:
            raise AssertionError("the walk meets what it wrote")
        changed = [UpdateOne({"_id": found["_id"]}, {"$inc": {"n": 1}}) for found in documents]
        return [*changed, *(InsertOne({"copy_of": found["_id"]}) for found in documents)]

    bench.apply(mongo.RunBatches("music", double, where={"copy_of": None}, batch_size=size))

    assert [found["n"] for found in bench.db.music.find({"copy_of": {"$exists": False}})] == [1] * len(ids)
    assert bench.db.music.count_documents({"copy_of": {"$exists": True}}) == len(ids)


def test_deleted_end_loses_no_document(bench: Any) -> None:
    """The document at which the walk was to end is gone; it ends before the next one."""
    bench.db.music.insert_many([{"_id": number} for number in range(6)])

    def replace_last(documents: list[Any], db: Any, session: Any) -> list[Any]:
        db.seen.insert_many([{"of": found["_id"]} for found in documents], session=session)
        db.music.delete_one({"_id": 5}, session=session)
        db.music.insert_one({"_id": 100 + documents[0]["_id"]}, session=session)
        return []

    bench.apply(mongo.RunBatches("music", replace_last, batch_size=2))

    assert [found["of"] for found in bench.db.seen.find()] == [0, 1, 2, 3, 4]


def test_deleted_bound_loses_no_document(bench: Any) -> None:
    """The document where the last batch ended may be gone when the next one begins."""
    bench.db.music.insert_many([{"_id": number} for number in [1, 2, 3]] + [{"_id": True}, {"_id": "x"}])

    def delete_last_and_count(documents: list[Any], db: Any, session: Any) -> list[Any]:
        db.seen.insert_many([{"of": found["_id"]} for found in documents], session=session)
        db.music.delete_one({"_id": documents[-1]["_id"]}, session=session)
        return []

    bench.apply(mongo.RunBatches("music", delete_last_and_count, batch_size=1))

    assert [found["of"] for found in bench.db.seen.find()] == [1, 2, 3, "x", True]


def test_function_in_batches_gives_writes_and_progress(bench: Any) -> None:
    """What the function gives back is written; people hear how far it is."""
    bench.db.music.insert_many([{"_id": number, "name": f"n{number}"} for number in range(25)])

    def copy(documents: list[Any], db: Any, session: Any) -> list[Any]:
        return [UpdateOne({"_id": found["_id"]}, {"$set": {"title": found["name"]}}) for found in documents]

    outcome = bench.apply(mongo.RunBatches("music", copy, batch_size=10))

    assert outcome.changed == 25
    assert all(found["title"] == found["name"] for found in bench.db.music.find())
    progress = [(event.done, event.total) for event in bench.reporter.of(StepProgressed)]
    assert progress == [(10, 25), (20, 25)]


def test_only_matching_documents_are_changed(bench: Any) -> None:
    """Conditions hold, also those that the update itself makes untrue."""
    bench.db.music.insert_many([{"_id": number, "old": number % 2 == 0} for number in range(30)])
    operation = mongo.UpdateInBatches(
        "music",
        [{"$set": {"new": True}}, {"$unset": "old"}],
        where={"old": True},
        backward={"$set": {"old": True}, "$unset": {"new": 1}},
        backward_where={"new": True},
        batch_size=4,
    )

    outcome = bench.apply(operation)
    assert outcome.changed == bench.db.music.count_documents({"new": True, "old": {"$exists": False}}) == 15
    bench.revert(operation)

    assert bench.db.music.count_documents({"old": True, "new": {"$exists": False}}) == 15


def test_failing_batch_is_undone_and_continued_after_correction(bench: Any) -> None:
    """The batches before stay; the one that failed left nothing; a corrected function goes on from there."""
    bench.db.music.insert_many([{"_id": number, "n": 0} for number in range(20)])
    broken = True

    def count(documents: list[Any], db: Any, session: Any) -> None:
        db.music.update_many(
            {"_id": {"$in": [d["_id"] for d in documents]}}, {"$inc": {"n": 1}}, session=session
        )
        if broken and documents[0]["_id"] >= 10:
            raise KeyError(documents[0]["n"])

    operation = mongo.RunBatches("music", count, batch_size=5)
    with pytest.raises(
        StepFailed, match=re.escape("operation 1, RunBatches: the function raised KeyError at")
    ):
        bench.apply(operation)
    assert bench.db.music.count_documents({"n": 1}) == 10
    broken = False
    bench.apply(operation)

    assert bench.db.music.count_documents({"n": 1}) == 20


def test_half_done_batches_are_not_reverted(bench: Any) -> None:
    """Nobody knows which documents a guess would undo, so the step has to be completed first."""
    bench.db.music.insert_many([{"_id": number} for number in range(20)])

    def fail_late(documents: list[Any], db: Any, session: Any) -> None:
        if documents[0]["_id"] >= 10:
            raise ValueError

    operation = mongo.RunBatches("music", fail_late, fail_late, batch_size=5)
    with pytest.raises(StepFailed):
        bench.apply(operation)

    with pytest.raises(StepFailed, match="in the middle of operation 1"):
        bench.revert(operation)


def test_function_in_a_transaction_leaves_nothing_when_it_fails(bench: Any) -> None:
    """All of its writes or none."""

    def fail(db: Any, session: Any) -> None:
        db.music.insert_one({"_id": 1}, session=session)
        raise RuntimeError("listener 5 has no name")

    with pytest.raises(StepFailed) as caught:
        bench.apply(mongo.RunPython(fail))

    assert bench.db.music.count_documents({}) == 0
    assert "listener 5" not in str(caught.value)


def test_place_of_a_failure_is_the_projects_line(bench: Any) -> None:
    """Also where the function stands in another module of it; a library's line helps nobody."""
    bench.db.music.insert_one({"name": "jane@example.com"})

    def read(db: Any, session: Any) -> None:
        json.loads(db.music.find_one({}, session=session)["name"])

    with pytest.raises(StepFailed) as own:
        bench.apply(mongo.RunPython(read))
    dumps: Any = json.dumps  # takes one argument, and is called with three
    with pytest.raises(StepFailed) as library:
        bench.apply(mongo.RunBatches("music", dumps), name="0002_library")

    line = read.__code__.co_firstlineno + 1
    assert f"raised JSONDecodeError at test_documents.py, line {line}." in own.value.message
    assert library.value.message.endswith("RunBatches: the function raised TypeError.")
    assert "jane" not in str(own.value)


def test_function_outside_a_transaction_gets_no_session(bench: Any) -> None:
    """What a transaction can't hold may be asked to run without one."""

    def index(db: Any, session: Any) -> None:
        assert session is None
        db.music.create_index("name")

    bench.apply(mongo.RunPython(index, mongo.RunPython.noop, transactional=False))

    assert "name_1" in bench.indexes("music")


def test_error_of_the_server_names_no_document(bench: Any) -> None:
    """A duplicate key is told with collection and index, and without the key."""
    bench.db.people.create_index("email", unique=True)
    bench.db.people.insert_one({"_id": 0, "email": "ada@example.org"})
    bench.db.music.insert_one({"_id": 1})

    def collide(documents: list[Any], db: Any, session: Any) -> None:
        db.people.bulk_write([InsertOne({"email": "ada@example.org"})], session=session)

    for operation in [
        mongo.RunBatches("music", collide),
        mongo.RunPython(lambda db, session: collide([], db, session)),
        mongo.UpdateInBatches("people", [{"$set": {"age": {"$toInt": "$email"}}}]),
        mongo.UpdateInBatches("people", {"$inc": {"email": 1}}),
        mongo.UpdateInBatches("people", {"$inc": {"email": 1}}, where={"email": "ada@example.org"}),
    ]:
        with pytest.raises(StepFailed) as caught:
            bench.apply(operation, name=f"0001_{operation.digest()}")
        assert "code" in caught.value.message
        assert "ada@" not in caught.value.message + caught.value.hint


def test_lost_lease_stops_between_two_batches(bench: Any) -> None:
    """The batches that were committed stay, and no other follows."""
    bench.db.music.insert_many([{"_id": number} for number in range(100)])
    asked = 0

    def guard() -> None:
        nonlocal asked
        asked += 1
        if bench.db.music.count_documents({"n": 1}) >= 30:
            raise LeaseLost("The lease is gone.", hint="Run again.")

    operation = mongo.UpdateInBatches("music", {"$inc": {"n": 1}}, batch_size=10)
    with pytest.raises(LeaseLost):
        run_with(bench, operation, Lease(scope="s", owner="o", run_id="r", fence=1, guard=guard))

    assert bench.db.music.count_documents({"n": 1}) == 30
    run_with(bench, operation, make_lease(2))
    assert bench.db.music.count_documents({"n": 1}) == 100


def test_edited_revision_does_not_continue_in_a_wrong_place(bench: Any) -> None:
    """Operations that are done must still be the first ones of the file."""
    failing = mongo.RunPython(fail)
    with pytest.raises(StepFailed):
        bench.apply(mongo.CreateCollection("music"), failing)

    with pytest.raises(ChecksumMismatch, match="edited after 1"):
        bench.apply(mongo.CreateCollection("songs"), failing)

    bench.apply(mongo.CreateCollection("music"), mongo.CreateCollection("songs"))
    assert {"music", "songs"} <= set(bench.db.list_collection_names())


def test_memory_stays_flat_however_many_documents(bench: Any) -> None:
    """Ten times the documents do not need more memory."""

    def peak(count: int, name: str) -> int:
        bench.db[name].insert_many([{"_id": number, "text": "x" * 500} for number in range(count)])
        tracemalloc.start()
        bench.apply(mongo.RunBatches(name, look, batch_size=200), name=f"0001_{name}")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(400, "warm")
    few, many = peak(1_000, "few"), peak(10_000, "many")

    assert many < few * 1.3


def run_with(bench: Any, operation: Any, lease: Lease) -> None:
    runner = bench._runner((operation,), "0001_bench", lease.fence)
    Runner(**{**vars(runner), "lease": lease}).apply()
