"""Exports and imports of collections: every type comes back, and a batch that comes twice is there once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.binary import Binary
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from tests.fix_bulk import Bulk

pytestmark = pytest.mark.acceptance
SELDOM = pytest.mark.by_turns(3)
STORE = ("--store", "mongodb")
# `_id`s of several types, in the order in which a server sorts them.
AWKWARD: list[dict[str, Any]] = [
    {"_id": 1, "int": 5, "long": Int64(5), "double": 5.0, "nan": float("nan"), "none": None, "": "empty"},
    {
        "_id": Int64(2**40),
        "decimal": Decimal128("1.50"),
        "text": 'a"b\n\u2028漢 \x00',
        "list": [1, [2.5, {}]],
    },
    {"_id": "text", "binary": Binary(b"\x00\xff", 128), "uuid": Binary.from_uuid(UUID(int=7))},
    {"_id": {"a": 1}, "date": datetime(2000, 2, 29, tzinfo=UTC), "far": DatetimeMS(10**17)},
    {
        "_id": ObjectId("507f1f77bcf86cd799439011"),
        "re": Regex("^a", "i"),
        "code": Code("f()"),
        "min": MinKey(),
    },
    {"_id": datetime(1969, 12, 31, tzinfo=UTC), "stamp": Timestamp(7, 1), "max": MaxKey(), "$odd.name": True},
]


@contextmanager
def collection(bulk: Bulk, name: str) -> Iterator[Any]:
    """Give a collection as raw documents, gone afterwards."""
    with MongoClient[RawBSONDocument](bulk.project.mongodb_url, document_class=RawBSONDocument) as client:
        found = client.get_default_database()[name]
        try:
            yield found
        finally:
            found.drop()
            client.get_default_database()["accord_import"].drop()


def raw(found: Any) -> list[bytes]:
    return [bytes(document.raw) for document in found.find().sort("_id", 1)]


@pytest.mark.parametrize("how", [("bson", "gzip"), ("ejson", "none")], ids=" ".join)
def test_every_type_comes_back(bulk: Bulk, how: tuple[str, str]) -> None:
    """Out in parts, whose order is that of mixed keys; in again: byte for byte the same documents."""
    with collection(bulk, "odd") as odd:
        odd.insert_many(AWKWARD)
        before = raw(odd)
        manifest = bulk.out("odd", "odd", *STORE, "--part-rows", "2", "--files", how[0], "--compress", how[1])
        odd.delete_many({})
        answer = bulk.back("odd")
        again = bulk.back("odd")

        assert [part["rows"] for part in manifest["parts"]] == [2, 2, 2]
        assert len({part["snapshot"] for part in manifest["parts"]}) == 1
        assert manifest["parts"][0]["snapshot"].split(".")[0].isdigit()
        assert answer["rows"] == len(AWKWARD)
        assert again["before"] is True
        assert raw(odd) == before


def test_bson_is_what_the_tools_of_mongodb_read(bulk: Bulk) -> None:
    """One document behind the other, and nothing else."""
    with collection(bulk, "odd") as odd:
        odd.insert_many(AWKWARD)
        bulk.out("odd", "odd", *STORE, "--query", '{"_id": "text"}')
        with (bulk.folder / "odd" / "part-00000.bson").open("rb") as file:
            [found] = bson.decode_file_iter(file)

    assert found["_id"] == "text"


def test_documents_that_are_refused_are_dead_letters(bulk: Bulk) -> None:
    """The validator's no, another document of the same key, what is no JSON; the same document is none."""
    with collection(bulk, "few") as few:
        few.database.create_collection("few", validator={"n": {"$gte": 0}})
        few.insert_many([{"_id": 1, "n": 1}, {"_id": 2, "n": 2}])
        lines = [
            '{"_id": 1, "n": 1}',
            '{"_id": 2, "n": 9}',
            '{"_id": 3, "n": -1}',
            "{",
            '{"n": 4}',
            '{"_id": 5, "n": 5}',
        ]
        (bulk.folder / "few.ejson").write_text("\n".join(lines).replace("1}", '{"$numberInt": "1"}}', 1))
        call = ("bulk_import", bulk.folder / "few.ejson", "--into", "few", *STORE, "--format", "json")
        done = bulk.run(*call)
        letters = bulk.letters(json.loads(done.stdout))

        assert done.returncode == 1
        assert [letter["line"] for letter in letters] == [2, 3, 4]
        assert ["11000" in letters[0]["reason"], "121" in letters[1]["reason"]] == [True, True]
        assert few.count_documents({}) == 4


def test_upsert_and_merge(bulk: Bulk) -> None:
    """The one writes documents over, the other sets what the file has; the last one of a key counts."""
    with collection(bulk, "few") as few:
        few.insert_many([{"_id": 1, "a": 1, "b": 1}, {"_id": 2, "a": 2, "b": 2}])
        (bulk.folder / "few.jsonl").write_text('{"_id": 1, "a": 5}\n{"_id": 1, "a": 6}\n{"_id": 3, "a": 3}\n')
        bulk.back("few.jsonl", "--into", "few", *STORE, "--mode", "upsert")
        (bulk.folder / "more.jsonl").write_text('{"_id": 2, "a": 7, "b": null}\n')
        bulk.back("more.jsonl", "--into", "few", *STORE, "--mode", "merge")
        found = [bson.decode(one) for one in raw(few)]

    assert found == [{"_id": 1, "a": 6}, {"_id": 2, "a": 7, "b": 2}, {"_id": 3, "a": 3}]


KILLED = """
import os, signal, sys
import django; django.setup()
from accord.bulk import records
records.batches.__defaults__ = (2000,)
from mongo_migrations.bulk.writing import CollectionWriting
real, counted = CollectionWriting._move, [0]
def move(self, before, after):
    counted[0] += 1
    if counted[0] == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    real(self, before, after)
CollectionWriting._move = move
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def test_killed_import_writes_nothing_twice(bulk: Bulk) -> None:
    """Killed between a batch and its position, also documents without a key are there once."""
    with collection(bulk, "few") as few:
        few.database.create_collection("few")
        lines = [json.dumps({"n": n, "x": "x" * 20}) if n % 100 else "bad" for n in range(1, 501)]
        (bulk.folder / "few.jsonl").write_text("\n".join(lines))
        call = ("bulk_import", str(bulk.folder / "few.jsonl"), "--into", "few", *STORE, "--key", "")
        killed = bulk.project.run("-c", KILLED, *call, program=())
        between = few.count_documents({})
        answer = json.loads(bulk.run(*call, "--format", "json").stdout)
        numbers = few.distinct("n")

        assert killed.returncode == -9
        assert 0 < between < 495
        assert few.count_documents({}) == len(numbers) == answer["rows"] == 495
        assert [letter["line"] for letter in bulk.letters(answer)] == [100, 200, 300, 400, 500]


def test_personal_paths_are_left_out_and_erased_people_stay_away(bulk: Bulk) -> None:
    """As of tables: the files lack them, upsert is refused, and a fence holds an import back."""
    masked = bulk.out("playlists", "masked", *STORE)
    upsert = bulk.run("bulk_import", bulk.folder / "masked", "--mode", "upsert")
    with MongoClient[dict[str, Any]](bulk.project.mongodb_url) as client:
        playlists = client.get_default_database()["playlists"]
        owner = playlists.find_one({"owner_id": {"$ne": None}})["owner_id"]  # type: ignore[index]  # there is one
        theirs, every = playlists.count_documents({"owner_id": owner}), list(playlists.find())
        whole = "\n".join(
            bson.json_util.dumps(one, json_options=bson.json_util.CANONICAL_JSON_OPTIONS) for one in every
        )
        (bulk.folder / "all.ejson").write_text(whole)
        fence = (
            "import django; django.setup()\nfrom accord.erased import tombstones as t\n"
            f"t.raise_fence(t.subject_tag('streaming.listener', {owner}))"
        )
        bulk.project.run("-c", fence, program=())
        playlists.delete_many({})
        answer = bulk.back("all.ejson", "--into", "playlists", *STORE)

        assert "owner_id" in masked["masked"]
        assert b"owner_id" not in (bulk.folder / "masked" / "part-00000.bson").read_bytes()
        assert upsert.returncode == 2
        # Another test of this project may have put up a fence, too.
        assert answer["erased"] >= theirs > 0
        assert playlists.count_documents({"owner_id": owner}) == 0
        assert answer["rows"] == playlists.count_documents({}) == len(every) - answer["erased"]


def test_airports_go_to_mongodb_and_back(bulk: Bulk) -> None:
    """By JSON Lines: what comes back to PostgreSQL is byte for byte what left it."""
    before = bulk.fill_airports(3000)
    first = bulk.out("airports", "one", "--files", "jsonl")
    with collection(bulk, "airports") as airports:
        airports.database.create_collection("airports")
        there = bulk.back("one", "--into", "airports", *STORE)
        names = ",".join(column["name"] for column in first["columns"])
        bulk.out("airports", "two", *STORE, "--files", "jsonl", "--columns", names)
    bulk.sql("TRUNCATE airports")
    bulk.back("two", "--into", "airports", "--store", "default")
    third = bulk.out("airports", "three", "--files", "jsonl")

    assert there["rows"] == 3000
    assert bulk.content("airports") == before
    assert third["parts"][0]["sha256"] == first["parts"][0]["sha256"]


@SELDOM
@pytest.mark.parametrize(
    ("name", "more", "says"),
    [
        ("nosuch", (), "ACC-103"),
        ("accord_ledger", (), "suite's own"),
        ("playlists", ("--query", "{"), "JSON"),
        ("playlists", ("--files", "csv"), "bson"),
    ],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_call_that_fits_nothing_is_refused(bulk: Bulk, name: str, more: tuple[str, ...], says: str) -> None:
    """Each says what is wrong."""
    done = bulk.run("bulk_export", name, *STORE, *more, "--output", bulk.folder / "one")

    assert done.returncode == 2, done.stderr
    assert says in done.stderr
