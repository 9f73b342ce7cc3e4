"""A walk is exactly once whatever the options of the URL make of an `_id`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp, json_util
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne

import mongo_migrations as mongo
from accord.errors import StepFailed
from tests.integration.mongodb.conftest import Bench

pytestmark = pytest.mark.integration

DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LONG_AGO = RawBSONDocument(b"\x12\x00\x00\x00\x09_id\x00" + b"\x00" * 7 + b"\x80\x00")  # no year of Python's
IDS: dict[str, list[Any]] = {
    "dates": [DAY + dt.timedelta(days=number) for number in range(5)],
    "uuids": [Binary.from_uuid(uuid.UUID(int=number)) for number in range(5)],
    "legacy uuids": [Binary(bytes([number] * 16), 3) for number in range(5)],
    "days in documents": [{"day": DAY, "of": Binary.from_uuid(uuid.UUID(int=n))} for n in range(5)],
    "numbers": [float("nan"), -1, Int64(2**40), 2.5, Decimal128("3.10"), float("inf")],
    "all": [
        MinKey(),
        None,
        1,
        "é",
        {"at": DAY},
        Binary(b"\x00"),
        ObjectId(),
        True,
        DAY,
        Timestamp(1, 2),
        MaxKey(),
    ],
}
OPTIONS = [
    "tz_aware=true",
    "uuidRepresentation=standard",
    "uuidRepresentation=pythonLegacy",
    "datetime_conversion=DATETIME_CLAMP",
    "tz_aware=true&uuidRepresentation=csharpLegacy",
]


@pytest.fixture
def benches(mongo_db: Any, mongo_url: str) -> Iterator[Callable[[str], Bench]]:
    """Give a maker of benches whose URL has further options."""
    made: list[Bench] = []

    def make(options: str) -> Bench:
        made.append(Bench(mongo_db, f"{mongo_url}&{options}".rstrip("&")))
        return made[-1]

    yield make
    for bench in made:
        bench.store.close()


def tick(documents: list[Any], db: Any, session: Any) -> list[Any]:
    return [UpdateOne({"_id": found["_id"]}, {"$inc": {"n": 1}}) for found in documents]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("size", [1, 3])
def test_each_document_is_changed_once_under_any_options(benches: Any, options: str, size: int) -> None:
    """Not twice, not without end, and never an error about a function that isn't there."""
    bench = benches(options)
    for name, found in IDS.items():
        bench.db[name].insert_many([{"_id": value, "n": 0} for value in found])
    operations = [mongo.UpdateInBatches(name, {"$inc": {"n": 1}}, batch_size=size) for name in IDS]

    outcome = bench.apply(*operations)

    assert outcome.changed == sum(map(len, IDS.values()))
    assert [bench.db[name].count_documents({"n": {"$ne": 1}}) for name in IDS] == [0] * len(IDS)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("tz_aware=true", "dates"),
        ("uuidRepresentation=standard", "uuids"),
        ("tz_aware=true", "days in documents"),
    ],
)
def test_function_gets_documents_as_its_client_reads_them(benches: Any, options: str, name: str) -> None:
    """Aware dates and UUIDs, as the URL says; and what it writes by them is written once."""
    bench = benches(options)
    bench.db.music.insert_many([{"_id": value, "n": 0} for value in IDS[name]])
    seen: list[Any] = []

    def look(documents: list[Any], db: Any, session: Any) -> list[Any]:
        seen.extend(document["_id"] for document in documents)
        return tick(documents, db, session)

    bench.apply(mongo.RunBatches("music", look, batch_size=2))

    assert {found["n"] for found in bench.db.music.find()} == {1}
    expected = bench.store.database().music.find().sort("_id", 1)
    assert seen == [found["_id"] for found in expected]


def test_id_that_python_has_no_date_for_is_walked_over(benches: Any) -> None:
    """The bytes of an id are sent, so that it need not be understood."""
    bench = benches("datetime_conversion=DATETIME_CLAMP")
    bench.db.music.insert_many([LONG_AGO, {"_id": DAY}])

    bench.apply(mongo.UpdateInBatches("music", {"$inc": {"n": 1}}, batch_size=1))

    assert bench.db.music.count_documents({"n": 1}) == 2


@pytest.mark.parametrize(
    ("options", "name"), [("tz_aware=true", "dates"), ("tz_aware=true", "numbers"), ("", "all")]
)
def test_run_that_an_earlier_version_began_goes_on(benches: Any, options: str, name: str) -> None:
    """Its checkpoint holds the id as extended JSON."""
    bench = benches(options)
    bench.db.music.insert_many([{"_id": value, "n": 0} for value in IDS[name]])
    third = list(bench.db.music.find().sort("_id", 1))[2]["_id"]
    last = json_util.dumps({"last": third, "done": 3}, json_options=json_util.CANONICAL_JSON_OPTIONS)
    entry = {"state": "applying", "operations_done": 0, "fence": 1, "checkpoint": last, "changed": 3}
    bench.db.accord_ledger.insert_one({"_id": "mongodb:bench.0001_bench", "run_id": "run-1", **entry})

    bench.apply(mongo.UpdateInBatches("music", {"$inc": {"n": 1}}, batch_size=2))

    assert [found["n"] for found in bench.db.music.find().sort("_id", 1)] == [0] * 3 + [1] * (
        len(IDS[name]) - 3
    )


@pytest.mark.parametrize(
    "options", ["uuidRepresentation=standard", "tz_aware=true", "uuidRepresentation=javaLegacy"]
)
def test_rules_with_uuids_and_dates_are_put_away_and_put_back(benches: Any, options: str) -> None:
    """What the ledger keeps for a revert makes no trip through the options of the URL either."""
    bench = benches(options)
    rules = {
        "by": {"$ne": Binary.from_uuid(uuid.UUID(int=7))},
        "old": Binary(bytes(16), 3),
        "at": {"$gt": DAY},
    }
    bench.db.create_collection("music", validator=rules)
    before = bench.options("music")["validator"]
    operation = mongo.SetValidator("music", {})

    bench.apply(operation)
    bench.revert(operation)

    assert bench.options("music")["validator"] == before


def test_document_that_no_driver_can_read_is_named(benches: Any) -> None:
    """A text that is no UTF-8 stops the function's batch, with the id and the way on."""
    bench = benches("")
    text = b"\x02t\x00\x02\x00\x00\x00\xff\x00"
    body = b"\x10_id\x00\x05\x00\x00\x00" + text
    bench.db.music.insert_one(RawBSONDocument((len(body) + 5).to_bytes(4, "little") + body + b"\x00"))

    with pytest.raises(StepFailed, match=r"a document of music \(_id 5\) can't be read") as caught:
        bench.apply(mongo.RunBatches("music", tick))
    benches("unicode_decode_error_handler=replace").apply(mongo.RunBatches("music", tick))

    assert "unicode_decode_error_handler" in caught.value.hint
    assert bench.db.music.count_documents({"n": 1}) == 1
