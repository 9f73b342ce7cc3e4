"""Backfills leave erased people alone."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64
from django.db import connections
from pymongo import InsertOne

import mongo_migrations as mongo
from accord.erased import tombstones
from accord.errors import InvalidRevision, StoreError
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

KIND = "streaming.listener"
SUBJECT = (KIND, "listener_id")


def erase(*keys: object) -> None:
    """Raise the fence of some listeners."""
    for key in keys:
        tombstones.raise_fence(tombstones.subject_tag(KIND, key))


def plays(bench: Any, count: int = 30) -> None:
    """Write plays of ten listeners, and one of nobody."""
    bench.db.plays.insert_many([{"_id": number, "listener_id": number % 10} for number in range(count)])
    bench.db.plays.insert_one({"_id": count})


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_update_leaves_out_erased_people(bench: Any, trail: Trail, size: int) -> None:
    """Their documents stay as they are; everybody else's, and nobody's, are changed."""
    plays(bench)
    erase(3, "7")

    bench.apply(mongo.UpdateInBatches("plays", {"$set": {"seen": 1}}, subject=SUBJECT, batch_size=size))

    assert {found["listener_id"] for found in bench.db.plays.find({"seen": None})} == {3, 7}
    assert bench.db.plays.count_documents({"seen": 1}) == 31 - 6


def test_key_of_another_type_is_the_same_person(bench: Any, trail: Trail) -> None:
    """MongoDB gives a person's key back as a double, a decimal or a Binary: they stay left out."""
    person = uuid.UUID("abcdef01-1234-5678-1234-567812345678")
    forms = [3.0, Int64(3), Decimal128("3"), Binary.from_uuid(person), str(person).upper(), [5, 3.0]]
    erase(3, person)
    bench.db.plays.insert_many([{"listener_id": form} for form in [*forms, 4.0, "", None, True, [], ""]])

    bench.apply(mongo.UpdateInBatches("plays", {"$set": {"seen": 1}}, subject=SUBJECT))

    left = [found["listener_id"] for found in bench.db.plays.find({"seen": None})]
    assert left == [3.0, 3, Decimal128("3"), Binary.from_uuid(person), str(person).upper(), [5, 3.0]]
    assert bench.db.plays.count_documents({"seen": 1}) == 6


def test_function_never_sees_erased_people(bench: Any, trail: Trail) -> None:
    """What is derived from documents brings nobody back, forward or backward."""
    plays(bench)
    erase(3)

    def derive(documents: list[Any], db: Any, session: Any) -> None:
        owners = {found.get("listener_id") for found in documents}
        db.owners.bulk_write([InsertOne({"of": owner}) for owner in owners], session=session)

    operation = mongo.RunBatches("plays", derive, derive, subject=SUBJECT, batch_size=4)
    bench.apply(operation)
    bench.revert(operation)

    assert set(bench.db.owners.distinct("of")) == {None, *range(10)} - {3}


def test_people_in_lists_and_sub_documents_count(bench: Any, trail: Trail) -> None:
    """The key may stand deep inside; one erased person among many is enough."""
    bench.db.lists.insert_many(
        [
            {"_id": 1, "by": [{"who": 1}, {"who": 2}]},
            {"_id": 2, "by": [{"who": 2}]},
            {"_id": 3, "by": {"who": [5, 1]}},
            {"_id": 4, "by": []},
        ]
    )
    erase(1)

    bench.apply(mongo.UpdateInBatches("lists", {"$set": {"seen": 1}}, subject=(KIND, "by.who")))

    assert [found["_id"] for found in bench.db.lists.find({"seen": 1}).sort("_id")] == [2, 4]


def test_fence_waits_for_the_batch_under_way(bench: Any, trail: Trail) -> None:
    """A fence that comes in the middle of a batch stands once the batch is written, never between."""
    plays(bench)
    order: list[str] = []

    def fence() -> None:
        try:
            erase(3)
            order.append("fence")
        finally:
            connections[trail.alias].close()

    rival = threading.Thread(target=fence)

    def slow(documents: list[Any], db: Any, session: Any) -> None:
        if not order:
            order.append("batch")
            rival.start()
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while trail.rows(waiting) == [(0,)]:
                pass
            order.append("written")

    bench.apply(mongo.RunBatches("plays", slow, subject=SUBJECT, batch_size=1000))
    rival.join()

    assert order == ["batch", "written", "fence"]


def test_nothing_is_written_while_tombstones_cannot_be_read(bench: Any, trail: Trail) -> None:
    """A missing table is no empty one."""
    plays(bench)
    trail.sql("DROP TABLE accord_tombstone")

    with pytest.raises(StoreError, match="tombstones"):
        bench.apply(mongo.UpdateInBatches("plays", {"$set": {"seen": 1}}, subject=SUBJECT))

    assert bench.db.plays.count_documents({"seen": 1}) == 0


@pytest.mark.parametrize("subject", ["listener_id", (KIND,), (KIND, ""), (KIND, 1), [KIND, "listener_id"]])
def test_subject_that_is_none_is_refused(subject: Any) -> None:
    """The mistake shows when the revision is read."""
    with pytest.raises(InvalidRevision, match="subject"):
        mongo.UpdateInBatches("plays", {"$set": {"seen": 1}}, subject=subject)
