"""Entries that earlier versions wrote are read, whatever state they are in; and whose facts are whose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandListener, CommandStartedEvent

import mongo_migrations as mongo
from accord.errors import ChecksumMismatch, LedgerNotUnderstood

pytestmark = pytest.mark.integration

KEY = "mongodb:bench.0001_bench"
RENAME = mongo.RenameCollection("music", "songs")
RULES = {"name": {"$type": "string"}}


def plant(bench: Any, **entry: Any) -> None:
    """Write an entry as an earlier version did."""
    usual = {"state": "applying", "operations_done": 0, "checksum": "1:x", "fingerprint": "x", "fence": 1}
    bench.db.accord_ledger.insert_one({"_id": KEY, "run_id": "run-1", **usual, **entry})


def test_what_an_earlier_version_put_away_is_put_back(bench: Any) -> None:
    """An applied entry without titles holds the rules that stood before."""
    bench.db.create_collection("music", validator=RULES)
    before = bench.options("music")
    operation = mongo.SetValidator("music", {})
    bench.apply(operation)
    bench.db.accord_ledger.update_one({"_id": KEY}, {"$unset": {"saved.0_title": ""}})

    bench.revert(operation)

    assert bench.options("music") == {**before, "validationLevel": "strict", "validationAction": "error"}


@pytest.mark.parametrize("word", ["state", "how"])
def test_word_of_a_newer_version_stops(bench: Any, word: str) -> None:
    """A state, or a way to become applied, that this version doesn't know is neither applied nor not."""
    plant(bench, **{word: "pondering"})

    for question in (bench.store.applied, bench.store.recorded):
        with pytest.raises(LedgerNotUnderstood, match="0001_bench that it is “pondering”"):
            question()


def test_batches_of_an_earlier_version_go_on_behind_their_checkpoint(bench: Any) -> None:
    """Documents in front of the checkpoint are left as they are."""
    bench.db.plays.insert_many([{"_id": number, "n": 0} for number in range(10)])
    operation = mongo.UpdateInBatches("plays", {"$inc": {"n": 1}}, backward={"$inc": {"n": -1}}, batch_size=2)
    last = '{"last": {"$numberInt": "5"}, "done": {"$numberInt": "6"}}'
    plant(bench, checkpoint=last, changed=6, finished=[], saved={})

    outcome = bench.apply(operation)

    assert outcome.changed == 10
    assert [found["n"] for found in bench.db.plays.find().sort("_id", 1)] == [0] * 6 + [1] * 4


def as_it_is(entry: dict[str, Any]) -> dict[str, Any]:
    """Leave what the ledger keeps."""
    return entry


def as_once(entry: dict[str, Any]) -> dict[str, Any]:
    """Write what was put away as an early version did: a dot in a name made a document in a document."""
    written: dict[str, Any] = {}
    for name, text in entry["saved"].items():
        *path, last = name.split(".")
        place = written
        for part in path:
            place = place.setdefault(part, {})
        place[last] = text
    return {**entry, "saved": written}


@pytest.mark.parametrize("kept", [as_it_is, as_once])
@pytest.mark.parametrize("new", ["songs", "archive.songs", "a.b.c_d.e", "0.1", "with space.é"])
def test_rename_that_a_killed_run_did_is_recognised_under_any_name(
    bench: Any, new: str, kept: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """The application made the old one anew meanwhile; nobody is told to drop the data."""
    bench.db.music.insert_one({"_id": 1})
    operation = mongo.RenameCollection("music", new)
    bench.apply(operation)
    entry = bench.db.accord_ledger.find_one({"_id": KEY})
    begun = {**kept(entry), "state": "applying", "operations_done": 0, "finished": [], "changed": 0}
    bench.db.accord_ledger.replace_one({"_id": KEY}, begun)
    bench.db.music.insert_one({"_id": 2})

    assert bench.apply(operation).changed == 0

    assert [found["_id"] for found in bench.db[new].find()] == [1]
    assert [found["_id"] for found in bench.db.music.find()] == [2]


@pytest.mark.parametrize("name", ["by.owner", "$by.$owner", "a$b", "with space"])
@pytest.mark.parametrize("path", ["owner.id", "owner"])
def test_dropped_index_of_any_name_comes_back(bench: Any, name: str, path: str) -> None:
    """Names are the user's, and no path into the ledger's entry."""
    bench.db.music.create_index([(path, 1)], name=name, sparse=True)
    before = bench.indexes("music")
    operation = mongo.DropIndex("music", name)

    bench.apply(operation)
    assert bench.indexes("music") == {}
    bench.revert(operation)

    assert bench.indexes("music") == before


def test_rules_with_operators_and_dots_come_back(bench: Any) -> None:
    """What is put away may hold any name."""
    rules = {"owner.id": {"$exists": True}, "$expr": {"$gt": ["$a.b", 1]}}
    bench.db.create_collection("music", validator=rules)
    operation = mongo.SetValidator("music", {})

    bench.apply(operation)
    bench.revert(operation)

    assert bench.options("music")["validator"] == rules


@pytest.mark.parametrize("state", ["applying", "reverting"])
def test_half_way_of_an_earlier_version_is_refused_when_edited(bench: Any, state: str) -> None:
    """The digests of what is done are those that earlier versions wrote."""
    done = mongo.CreateCollection("music")
    plant(bench, state=state, operations_done=1, finished=[done.digest()])
    bench.db.create_collection("music")

    with pytest.raises(ChecksumMismatch):
        bench.apply(mongo.CreateCollection("other"))
    assert bench.db.list_collection_names(filter={"name": "other"}) == []

    bench.apply(done)
    assert bench.db.accord_ledger.find_one({"_id": KEY})["state"] == "applied"


@pytest.mark.parametrize(
    ("title", "facts", "operation", "expected"),
    [
        ("DropCollection one", {"dropped": '"0123"'}, mongo.DropCollection("music"), []),
        (
            "RenameCollection one",
            {"renamed_songs": '"0123"'},
            mongo.RenameCollection("music", "songs"),
            ["songs"],
        ),
        # An entry of an earlier version tells no title, and its facts are those of the operation.
        (None, {"dropped": '"0123"'}, mongo.DropCollection("music"), ["music"]),
    ],
)
def test_edited_operation_never_takes_the_facts_of_another(
    bench: Any, title: str | None, facts: dict[str, str], operation: mongo.Operation, expected: list[str]
) -> None:
    """The operation that was under way may become another one, which looks for itself."""
    bench.db.create_collection("music")
    signed = {"title": f'"{title}"', **facts} if title else facts
    plant(bench, saved={f"0_{name}": text for name, text in signed.items()})

    bench.apply(operation)

    kept = [name for name in bench.db.list_collection_names() if name != "accord_ledger"]
    assert kept == expected


class Heard(CommandListener):
    """Remembers the questions that were asked about plays."""

    def __init__(self) -> None:
        self.finds: list[Any] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find" and event.command["find"] == "plays":
            self.finds.append(event.command)

    def succeeded(self, event: object) -> None: ...

    def failed(self, event: object) -> None: ...


@pytest.mark.parametrize(
    "operation",
    [
        mongo.UpdateInBatches("plays", {"$inc": {"n": 1}}, backward={"$inc": {"n": -1}}, batch_size=2),
        mongo.UpdateInBatches("plays", {"$inc": {"n": 1}}, where={"n": 0}, backward={}, batch_size=3),
        mongo.RunBatches("plays", lambda *_: None, lambda *_: None, batch_size=2),
    ],
)
def test_every_page_of_a_backfill_is_asked_for_in_order(
    bench: Any, mongo_url: str, operation: mongo.Operation
) -> None:
    """A router merges what shards answer as it arrives, unless it is asked for an order."""
    bench.db.plays.insert_many([{"_id": number, "n": 0} for number in range(7)])
    heard = Heard()
    with MongoClient[Any](mongo_url, event_listeners=[heard]) as client:
        bench.store._opened = client
        bench.apply(operation)
        bench.revert(operation)
        bench.store.close()

    paged = [command for command in heard.finds if "hint" in command]
    assert len(paged) >= 4
    # One question of each walk is which document comes last.
    assert {command["sort"]["_id"] for command in paged if "max" in command} == {1}
    assert all(command["sort"].keys() == {"_id"} for command in paged)
