"""Batches that a server does not take become smaller; what never fits is told as what it is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient, UpdateOne
from pymongo.errors import OperationFailure

import mongo_migrations as mongo
from accord.errors import StepFailed
from accord.events import StepNoted
from mongo_migrations.operations import walk

pytestmark = pytest.mark.integration

MEGABYTE = 1024 * 1024


@pytest.fixture
def short_lives(mongo_db: Any) -> Iterator[None]:
    """Let the server end transactions after a second; a minute is usual."""
    set_parameter = {"setParameter": 1, "transactionLifetimeLimitSeconds": 1}
    before = mongo_db.client.admin.command(set_parameter)["was"]
    yield
    mongo_db.client.admin.command({**set_parameter, "transactionLifetimeLimitSeconds": before})


def sizes(bench: Any) -> list[int]:
    """Return the sizes that were tried next."""
    notes = [event.note for event in bench.reporter.of(StepNoted)]
    return [int(found[1]) for found in (re.search(r"trying (\d+)", note) for note in notes) if found]


def test_slow_function_gets_smaller_batches(bench: Any, short_lives: None) -> None:
    """Each document once, although no transaction holds as many as the revision says."""
    bench.db.music.insert_many([{"_id": number} for number in range(150)])

    def slow(documents: list[Any], db: Any, session: Any) -> list[Any]:
        time.sleep(0.02 * len(documents))
        return [UpdateOne({"_id": found["_id"]}, {"$inc": {"n": 1}}) for found in documents]

    outcome = bench.apply(mongo.RunBatches("music", slow))

    assert sizes(bench) == [25]
    assert outcome.changed == bench.db.music.count_documents({"n": 1}) == 150


def test_document_that_never_fits_is_named(
    bench: Any, short_lives: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server was reached all the time, so nobody is sent to look at the network."""
    monkeypatch.setattr(walk, "_LAST_PATIENCE", 1.0)
    bench.db.music.insert_many([{"_id": number} for number in range(10)])

    def stuck(documents: list[Any], db: Any, session: Any) -> list[Any]:
        if any(found["_id"] == 7 for found in documents):
            time.sleep(2.5)
        return [UpdateOne({"_id": found["_id"]}, {"$inc": {"n": 1}}) for found in documents]

    with pytest.raises(StepFailed) as caught:
        bench.apply(mongo.RunBatches("music", stuck, batch_size=2))

    assert "document 8 of the walk over music (_id 7) can't be changed" in caught.value.message
    assert bench.db.music.count_documents({"n": 1}) == 7


def test_document_that_grows_too_large_is_named(bench: Any) -> None:
    """Those before it stay changed; a corrected revision goes on there."""
    bench.db.music.insert_many([{"_id": n, "text": "x" * (9 * MEGABYTE if n == 5 else 9)} for n in range(8)])
    twice = mongo.UpdateInBatches("music", [{"$set": {"twice": "$text"}}])

    with pytest.raises(StepFailed, match=r"document 6 of the walk over music \(_id 5\)"):
        bench.apply(twice)
    assert bench.db.music.count_documents({"twice": {"$exists": True}}) == 5

    bench.apply(mongo.UpdateInBatches("music", {"$set": {"twice": ""}}))
    assert bench.db.music.count_documents({"twice": ""}) == 3


def test_batch_holds_so_many_bytes_and_no_more(bench: Any) -> None:
    """The memory of a process does not depend on what a revision counts."""
    bench.db.music.insert_many([{"_id": number, "text": "x" * MEGABYTE} for number in range(40)])
    held: list[int] = []

    def look(documents: list[Any], db: Any, session: Any) -> None:
        held.append(len(documents))

    bench.apply(mongo.RunBatches("music", look))

    assert sum(held) == 40
    assert max(held) == walk._MOST_BYTES // MEGABYTE


def test_writer_in_the_way_is_waited_for(bench: Any, mongo_url: str) -> None:
    """An application's transaction that holds one document costs time, and no document is left out."""
    bench.db.music.insert_many([{"_id": number} for number in range(60)])
    with MongoClient[Any](mongo_url) as client, client.start_session() as session:
        session.start_transaction()
        db = client.get_default_database()
        db.music.update_one({"_id": 30}, {"$set": {"by": "application"}}, session=session)
        seen: list[int] = []

        def count(documents: list[Any], db: Any, inner: Any) -> list[Any]:
            if len(documents) == 1 and session.in_transaction:
                session.commit_transaction()
            seen.append(len(documents))
            return [UpdateOne({"_id": found["_id"]}, {"$inc": {"n": 1}}) for found in documents]

        bench.apply(mongo.RunBatches("music", count))

    assert [found["n"] for found in bench.db.music.find()] == [1] * 60
    assert bench.db.music.find_one({"_id": 30})["by"] == "application"
    assert 1 in seen


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"capped": True, "size": 4096}, "a capped collection"),
        ({"timeseries": {"timeField": "at"}}, "a time series"),
        ({"viewOn": "other", "pipeline": []}, "a view"),
    ],
)
@pytest.mark.parametrize(
    "operation",
    [mongo.UpdateInBatches("music", {"$set": {"n": 1}}), mongo.RunBatches("music", lambda *_: None)],
)
def test_collection_of_another_kind_is_refused_before_anything_is_written(
    bench: Any, options: dict[str, Any], kind: str, operation: mongo.Operation
) -> None:
    """No transaction walks over it; the message says what does."""
    bench.db.create_collection("music", **options)

    with pytest.raises(StepFailed, match=f"music is {kind}") as caught:
        bench.apply(operation)

    assert "transactional=False" in caught.value.hint
    assert bench.db.accord_ledger.count_documents({"_id": {"$regex": "^mongodb:"}}) == 0


@pytest.mark.parametrize("verb", ["UpdateInBatches", "RunBatches"])
def test_collection_that_is_not_there_is_refused(bench: Any, verb: str) -> None:
    """A name with a typing mistake is no work well done."""

    def make(**options: Any) -> mongo.Operation:
        if verb == "RunBatches":
            return mongo.RunBatches("musci", lambda *_: None, **options)
        return mongo.UpdateInBatches("musci", {"$set": {"n": 1}}, **options)

    with pytest.raises(StepFailed, match="no collection musci"):
        bench.apply(make())

    assert bench.apply(make(missing_ok=True), name="0002_free").changed == 0
    assert bench.apply(mongo.CreateCollection("musci"), make(), name="0003_made").changed == 1


def test_transaction_that_is_ended_by_the_server_is_told_so(
    bench: Any, short_lives: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that takes too long is the revision's business, not the network's."""
    monkeypatch.setattr("mongo_migrations.retries.LONG", 1.0)
    bench.db.create_collection("music")
    ledger = bench.store.connected_ledger()
    monkeypatch.setattr(ledger, "_patience", 1.0)

    def slow(db: Any, session: Any) -> None:
        db.music.insert_one({"_id": 1}, session=session)
        time.sleep(2.5)
        db.music.insert_one({"_id": 2}, session=session)

    with pytest.raises(StepFailed, match="operation 1, RunPython") as caught:
        bench.apply(mongo.RunPython(slow))

    assert "RunBatches" in caught.value.hint
    assert isinstance(caught.value.__cause__, OperationFailure)
    assert bench.db.music.count_documents({}) == 0
