"""Operations as values: what they show, what they know of undoing, how batches are sized."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mongo_migrations as mongo
from accord.errors import InvalidRevision
from accord.seam.types import Direction
from mongo_migrations import rendering

BATCHES = "in batches of 1000 by _id, each in a transaction"
ROOT = Path(__file__).resolve().parents[3]


def forward(db: Any, session: Any) -> None: ...


def each(documents: list[Any], db: Any, session: Any) -> None: ...


@pytest.mark.parametrize(
    ("operation", "applied", "reverted"),
    [
        (mongo.CreateCollection("lists"), 'db.createCollection("lists")', "db.lists.drop()"),
        (
            mongo.CreateCollection("lists", validator={"name": {"$type": "string"}}),
            'db.createCollection("lists", { validator: { name: { $type: "string" } } })',
            "db.lists.drop()",
        ),
        (
            mongo.CreateIndex("lists", [("owner", 1)], name="owner", unique=True),
            'db.lists.createIndex({ owner: 1 }, { name: "owner", unique: true })',
            'db.lists.dropIndex("owner")',
        ),
        (
            mongo.RenameCollection("lists", "play-lists"),
            'db.lists.renameCollection("play-lists")',
            'db.getCollection("play-lists").renameCollection("lists")',
        ),
        (
            mongo.DropCollection("lists", restore=[mongo.CreateCollection("lists")]),
            "db.lists.drop()",
            'db.createCollection("lists")',
        ),
        (
            mongo.UpdateInBatches("lists", {"$inc": {"n": 1}}, backward={"$inc": {"n": -1}}),
            f"db.lists.updateMany({{}}, {{ $inc: {{ n: 1 }} }})  // {BATCHES}",
            f"db.lists.updateMany({{}}, {{ $inc: {{ n: -1 }} }})  // {BATCHES}",
        ),
    ],
)
def test_operation_shows_what_it_sends_both_ways(
    operation: mongo.Operation, applied: str, reverted: str
) -> None:
    """A dry run reads like mongosh."""
    assert [item.text for item in operation.explain(Direction.APPLY)] == [applied]
    assert [item.text for item in operation.explain(Direction.REVERT)] == [reverted]


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (mongo.DropCollection("lists"), "DropCollection('lists') does not say how to restore it."),
        (mongo.RunPython(forward), "RunPython(forward) has no backward function."),
        (mongo.RunBatches("lists", each), "RunBatches(each) has no backward function."),
        (
            mongo.UpdateInBatches("lists", {"$inc": {"n": 1}}),
            "UpdateInBatches('lists') has no backward update.",
        ),
        (mongo.RunPython(forward, mongo.RunPython.noop), ""),
        (mongo.UpdateInBatches("lists", {"$inc": {"n": 1}}, backward={}), ""),
        (mongo.SetValidator("lists", {}), ""),
        (mongo.DropIndex("lists", "owner"), ""),
    ],
)
def test_operation_says_why_it_cannot_be_undone(operation: mongo.Operation, reason: str) -> None:
    """The reason names the operation; an empty one means that it can."""
    assert operation.irreversible == reason


def test_operations_are_values() -> None:
    """Equal declarations are equal, and cannot be changed afterwards."""
    assert mongo.CreateIndex("a", [("b", 1)]) == mongo.CreateIndex("a", [("b", 1)])
    assert mongo.CreateIndex("a", [("b", 1)]).digest() != mongo.CreateIndex("a", [("b", -1)]).digest()
    with pytest.raises(AttributeError):
        mongo.CreateCollection("a").name = "b"  # type: ignore[misc]  # that it fails is the point


@pytest.mark.parametrize("size", [0, -1])
def test_batch_of_nothing_is_refused(size: int) -> None:
    """A size that would never end is an error of the revision."""
    with pytest.raises(InvalidRevision):
        mongo.UpdateInBatches("lists", {"$inc": {"n": 1}}, batch_size=size)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a.b": None, "$c": [1, 2.5, "é"]}, '{ "a.b": null, $c: [1, 2.5, "é"] }'),
        ({}, "{}"),
        (True, "true"),
        (forward, "<function>"),
    ],
)
def test_values_are_rendered_as_mongosh_reads_them(value: object, text: str) -> None:
    """Names without quotes where they need none."""
    assert rendering.render(value) == text


def test_long_commands_go_over_several_lines() -> None:
    """A schema stays readable."""
    text = rendering.call(
        "db.createCollection", "x", {"validator": {f"field{number}": "string" for number in range(9)}}
    )

    assert max(len(line) for line in text.splitlines()) < 100
    assert text.splitlines()[1].startswith("  validator: {")


def test_building_a_store_and_its_operations_loads_no_driver() -> None:
    """A run with nothing to do in MongoDB does not pay for the driver before it asks the server."""
    code = (
        "import sys, mongo_migrations.store as s;"
        "s.MongoStore('m', {'URL': 'mongodb://h/x'});"
        "sys.exit('pymongo' in sys.modules or 'bson' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
