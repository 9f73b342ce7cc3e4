"""What is foretold of MongoDB revisions is what the server says then, and looking changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo.errors import PyMongoError

import mongo_migrations as mongo
from accord.errors import AccordError
from accord.revisions.loader import LoadedRevision
from accord.seam.foretelling import MASKED, Foretold, Outlook
from accord.seam.types import Direction, Source, Step, StepKey

pytestmark = pytest.mark.integration

NAMED = {"$jsonSchema": {"required": ["name"]}}
LONG = "n" * 256


def foretold(
    bench: Any, *operations: mongo.Operation, way: Direction = Direction.APPLY
) -> Sequence[Foretold]:
    """Look at one step of these operations."""
    key = StepKey("mongodb", "bench", "0001_bench")
    step = Step(key=key, source=Source(Path("0001_bench.py"), b""))
    bench.store._revisions = {key: LoadedRevision(step=step, operations=operations)}
    return list(bench.store.foretell([step], way))


def outlooks(found: Iterable[Foretold]) -> set[Outlook]:
    return {item.outlook for item in found}


def fill(bench: Any) -> None:
    """Make what the cases are about."""
    bench.db.music.insert_many(
        [
            {"_id": 1, "mail": "a@x", "tags": ["x", "y"], "more": [1, 2], "at": {"n": [1]}},
            {"_id": 2, "mail": "a@x", "tags": ["y", "y"], "at": {"n": [2]}},
            {"_id": 3, "mail": "b@x", "tags": [], "at": {"n": [3, 1]}, "place": [200, 95]},
            {"_id": 6, "mail": "c@x", "tags": "v", "at": [{"place": [1, 2]}, {"place": "Lyon"}]},
            {"_id": 4, "tags": "z", "name": "named", "draft": True},
            {"_id": 5, "tags": "w", "name": "named", "draft": True},
        ]
    )
    bench.db.music.create_index([("k", 1)], name="k")
    bench.db.texts.create_index([("words", "text")], name="words")
    bench.db.create_collection("capped", capped=True, size=4096)
    bench.db.create_collection("series", timeseries={"timeField": "t"})
    bench.db.command("create", "view", viewOn="music", pipeline=[])


def index(*keys: tuple[str, Any], **options: Any) -> mongo.Operation:
    return mongo.CreateIndex("music", list(keys), **options)


REFUSED = {
    "duplicates": index(("mail", 1), unique=True),
    "duplicates of nothing": index(("nowhere", 1), unique=True),
    "duplicates in lists": index(("tags", 1), unique=True),
    "duplicates in lists of subdocuments": index(("at.n", 1), unique=True),
    "duplicates within a part": index(("name", 1), unique=True, partial_filter={"draft": True}),
    "duplicates but for their case": mongo.CreateIndexes(
        "cases", [mongo.Index([("a", 1)], unique=True, collation={"locale": "en", "strength": 2})]
    ),
    "index of the name with other keys": index(("other", 1), name="k"),
    "index of the keys under another name": index(("k", 1), name="k2"),
    "second text index": mongo.CreateIndex("texts", [("title", "text")]),
    "lists in two fields": index(("tags", 1), ("more", 1)),
    "list in a hash": index(("tags", "hashed")),
    "no place on the sphere": index(("place", "2dsphere")),
    "no place in lists of subdocuments": index(("at.place", "2dsphere"), ("mail", 1)),
    "language that is none": index(("title", "text"), options={"language_override": "tags"}),
    "index that expires by two fields": index(("a", 1), ("b", 1), expire_after_seconds=9),
    "index of a kind that isn't there": index(("a", "nosuch")),
    "filter that no index takes": index(("a", 1), partial_filter={"a": {"$ne": 1}}),
    "filter and sparse": index(("a", 1), sparse=True, partial_filter={"a": 1}),
    "collation that isn't there": index(("a", 1), collation={"locale": "zz"}),
    "option that isn't there": index(("a", 1), options={"nosuch": 1}),
    "hash that is unique": index(("a", "hashed"), unique=True),
    "wrong index of a collection to come": mongo.CreateIndex("new", [("a", "nosuch")]),
    "wrong options of a collection": mongo.CreateCollection("new", options={"nosuch": 1}),
    "wrong series": mongo.CreateCollection("new", timeseries={"timeField": "a.b"}),
    "wrong stages of a view": mongo.CreateCollection(
        "new", options={"viewOn": "x", "pipeline": [{"$no": 1}]}
    ),
    "index of a view": mongo.CreateIndex("view", [("a", 1)]),
    "unique index of a time series": mongo.CreateIndex("series", [("a", 1)], unique=True),
    "more indexes than a collection has": mongo.CreateIndexes(
        "music", [mongo.Index([(f"f{number}", 1)]) for number in range(64)]
    ),
    "collection with other options": mongo.CreateCollection("capped"),
    "name that is too long": mongo.CreateCollection(LONG),
    "name that is none": mongo.CreateCollection("a$b"),
    "rules that can't be read": mongo.CreateCollection("new", validator={"$jsonSchema": {"nonsense": 1}}),
    "rules that can't be read, of documents": mongo.SetValidator("music", {"$nonsense": 1}),
    "rules of nothing": mongo.SetValidator("nosuch", NAMED),
    "rules of a view": mongo.SetValidator("view", NAMED),
    "rename of nothing": mongo.RenameCollection("nosuch", "new"),
    "rename onto another": mongo.RenameCollection("music", "capped"),
    "rename of a time series": mongo.RenameCollection("series", "new"),
    "rename to a name that is too long": mongo.RenameCollection("music", LONG),
    "drop of documents": mongo.DropCollection("music"),
    "drop of another index": mongo.DropIndex("music", mongo.Index([("j", 1)], name="k")),
    "batches of nothing": mongo.UpdateInBatches("nosuch", {"$set": {"n": 1}}),
    "batches of a capped collection": mongo.UpdateInBatches("capped", {"$set": {"n": 1}}),
    "batches of a time series": mongo.UpdateInBatches("series", {"$set": {"n": 1}}),
    "batches of a view": mongo.RunBatches("view", lambda *_: None),
}


@pytest.mark.parametrize("kind", list(REFUSED))
def test_what_is_foretold_as_refused_is_refused(bench: Any, kind: str) -> None:
    """The look names the reason and a way on, leaves everything as it was, and the server agrees."""
    fill(bench)
    bench.db.cases.insert_many([{"a": "x"}, {"a": "X"}])
    before = sorted(bench.db.list_collection_names())

    found = foretold(bench, REFUSED[kind])

    told = [item for item in found if item.outlook is Outlook.REFUSED]
    assert told
    assert all(item.text and item.hint for item in told)
    assert sorted(bench.db.list_collection_names()) == before
    with pytest.raises((AccordError, PyMongoError)):
        bench.apply(REFUSED[kind])


FINE = {
    "unique index that leaves documents out": index(
        ("mail", 1), unique=True, partial_filter={"mail": {"$in": ["b@x"]}}
    ),
    "sparse unique index": index(("nowhere", 1), unique=True, sparse=True),
    "list with the same element twice": mongo.CreateIndex("lists", [("a", 1)], unique=True),
    "another index on the same keys": index(("k", 1), name="k_sparse", sparse=True),
    "index in another collation": index(("k", 1), name="k_fr", collation={"locale": "fr"}),
    "index that is there": index(("k", 1), name="k"),
    "collection that is there": mongo.CreateCollection("music"),
    "rules": mongo.CreateCollection("new", validator=NAMED),
    "view": mongo.CreateCollection("new", options={"viewOn": "music", "pipeline": []}),
    "series": mongo.CreateCollection("new", timeseries={"timeField": "t"}),
    "index of a series": mongo.CreateIndex("series", [("a", 1), ("t", -1)]),
    "place left out": index(("place", "2dsphere"), partial_filter={"_id": {"$lt": 3}}),
    "text": index(("title", "text"), options={"language_override": "nowhere"}),
    "index of a collection to come": mongo.CreateIndex("new", [("a", 1)], unique=True),
    "batches": mongo.UpdateInBatches("music", {"$set": {"n": 1}}, where={"draft": True}),
    "batches of what may be missing": mongo.UpdateInBatches("no", {"$set": {"n": 1}}, missing_ok=True),
    "drop where the revision says so": mongo.DropCollection("music", even_with_data=True),
    "rename": mongo.RenameCollection("music", "songs"),
}


@pytest.mark.parametrize("kind", list(FINE))
def test_what_the_server_takes_is_not_foretold_as_refused(bench: Any, kind: str) -> None:
    """A false alarm would stop a run."""
    fill(bench)
    bench.db.lists.insert_many([{"a": ["x", "x"]}, {"a": []}, {"a": None}])

    found = foretold(bench, FINE[kind])

    assert not outlooks(found) & {Outlook.REFUSED, Outlook.UNKNOWN}
    bench.apply(FINE[kind])


def nothing(documents: list[Any], db: Any, session: Any) -> None:
    """Change nothing."""


@pytest.mark.parametrize("way", list(Direction))
def test_undo_that_is_wider_than_the_update_is_warned_of(bench: Any, way: Direction) -> None:
    """Both ways, and not where it is said, where all documents were meant, or where nothing is undone."""
    fill(bench)
    some, there, back = {"draft": True}, {"$inc": {"n": 1}}, {"$inc": {"n": -1}}
    wider = [
        mongo.UpdateInBatches("music", there, where=some, backward=back),
        mongo.RunBatches("music", nothing, nothing, where=some),
    ]
    meant = [
        mongo.UpdateInBatches("music", there, where=some, backward=back, backward_where=some),
        mongo.UpdateInBatches("music", there, where=some, backward=back, backward_where={}),
        mongo.UpdateInBatches("music", there, where=some, backward={}),
        mongo.UpdateInBatches("music", there, backward=back),
        mongo.RunBatches("music", nothing, nothing, where=some, backward_where={}),
    ]

    for operation in wider:
        [told] = [one for one in foretold(bench, operation, way=way) if one.outlook is Outlook.WARNING]
        assert "undone in every document" in told.text
        assert "backward_where={}" in told.hint
    for operation in meant:
        assert Outlook.WARNING not in outlooks(foretold(bench, operation, way=way))


def test_duplicates_are_counted_and_their_values_are_masked(bench: Any) -> None:
    """Two documents have one key, two have none; nobody knows that it is no person's."""
    fill(bench)

    [told] = [item for item in foretold(bench, REFUSED["duplicates"]) if item.outlook is Outlook.REFUSED]

    assert (told.rows, told.sample) == (4, (MASKED, MASKED))
    assert "a@x" not in repr(told)


def test_values_are_shown_where_they_are_nobodys(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data map is asked for the fields of the key, and for the ids of what breaks rules."""
    fill(bench)
    asked = []

    def answers(*place: Any) -> bool:
        asked.append(place)
        return True

    monkeypatch.setattr("accord.personal._answers", [answers])
    found = foretold(bench, REFUSED["duplicates"], mongo.SetValidator("music", NAMED))

    assert asked == [("mongodb", "music", ["mail"]), ("mongodb", "music", ["_id"])]
    samples = [set(item.sample) for item in found if item.sample]
    assert samples[0] == {"a@x", "None"}
    assert samples[1] <= {"1", "2", "3", "6"}


@pytest.mark.parametrize(
    ("level", "action", "outlook"),
    [
        ("strict", "error", Outlook.WARNING),
        ("moderate", "error", Outlook.NOTE),
        ("strict", "warn", Outlook.NOTE),
    ],
)
def test_documents_that_break_rules_are_counted(
    bench: Any, level: str, action: str, outlook: Outlook
) -> None:
    """The server doesn't look at them, so the step is not refused; what becomes of them depends."""
    fill(bench)
    rules = mongo.SetValidator("music", NAMED, validation_level=level, validation_action=action)

    found = foretold(bench, rules)

    assert [(item.outlook, item.rows) for item in found if item.sample] == [(outlook, 4)]
    assert Outlook.REFUSED not in outlooks(found)


def test_documents_that_are_due_at_once_are_counted(bench: Any) -> None:
    """An index that expires documents removes the old ones as soon as it stands."""
    old = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    bench.db.music.insert_many([{"at": old}, {"at": dt.datetime.now(dt.UTC)}, {"at": "no date"}])

    found = foretold(bench, index(("at", 1), expire_after_seconds=86400))

    assert [(item.rows, "no date" in item.text) for item in found if item.outlook is Outlook.WARNING] == [
        (1, False), (1, True),
    ]  # fmt: skip


PLACES = {
    "point": ({"type": "Point", "coordinates": [1, 2]}, True),
    "point in the corner": ({"type": "Point", "coordinates": [-180, -90]}, True),
    "point in one of the two squares": ({"type": "Point", "coordinates": [10.0005, 10.0005]}, True),
    "line": ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, True),
    "pair": ([1, 2], True),
    "pair with names": ({"lng": 1, "lat": 2}, True),
    "nothing": (None, True),
    "empty": ({}, True),
    "empty list": ([], True),
    "text": ("Lyon", False),
    "beyond": ({"type": "Point", "coordinates": [200, 1]}, False),
    "pair beyond": ([1, 95], False),
    "line that is a point": ({"type": "LineString", "coordinates": [[0, 0]]}, False),
    "ring that crosses itself": (
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, False),
    "list of points": ([{"type": "Point", "coordinates": [1, 1]}], False),
    "list of pairs": ([[1, 2], [3, 4]], False),
    "list of nothing": ([None], False),
    "other": ({"type": "point", "coordinates": [1, 2]}, False),
}  # fmt: skip


def test_place_is_what_the_server_takes_for_one(bench: Any) -> None:
    """Value for value as the index itself judges them, in a list of subdocuments, too."""
    for kind, (value, is_taken) in PLACES.items():
        bench.db.places.drop()
        bench.db.places.insert_one({"at": [{"place": value}, {}]})
        create = mongo.CreateIndex("places", [("at.place", "2dsphere")])

        refused = Outlook.REFUSED in outlooks(foretold(bench, create))

        assert refused is not is_taken, kind
        try:
            bench.db.places.create_index([("at.place", "2dsphere")])
        except PyMongoError:
            assert refused, kind
        else:
            assert not refused, kind


def test_what_a_killed_look_left_is_removed_an_hour_later(bench: Any) -> None:
    """By age, so that the collection of a look that is under way stays."""
    now = dt.datetime.now(dt.UTC)
    old, young = (ObjectId.from_datetime(now - dt.timedelta(minutes=ago)) for ago in (61, 5))
    for one in (old, young):
        bench.db.create_collection(f"accord_scratch_{one}")
    bench.db.create_collection("accord_scratch_of_ours")

    foretold(bench, index(("a", 1)))

    assert sorted(bench.db.list_collection_names(filter={"name": {"$regex": "scratch"}})) == sorted(
        [f"accord_scratch_{young}", "accord_scratch_of_ours"]
    )


def test_size_and_lock_of_what_is_touched_are_told(bench: Any) -> None:
    """Documents and bytes, in the server's own numbers."""
    fill(bench)

    [note] = foretold(bench, index(("new", 1)))

    assert (note.outlook, note.rows) == (Outlook.NOTE, 6)
    assert note.bytes
    assert "X on the collection" in note.lock


HIDDEN: dict[str, tuple[mongo.Operation, mongo.Operation]] = {
    "made": (mongo.CreateCollection("new"), mongo.CreateIndex("new", [("a", 1)], unique=True)),
    "mended in batches": (
        mongo.UpdateInBatches("music", {"$unset": {"mail": 1}}), REFUSED["duplicates"]
    ),
    "mended by code": (mongo.RunPython(lambda *_: None), REFUSED["duplicates"]),
    "out of the way": (
        mongo.DropIndex("music", "k"), REFUSED["index of the keys under another name"]
    ),
    "renamed": (mongo.RenameCollection("music", "songs"), mongo.SetValidator("songs", NAMED)),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(HIDDEN))
def test_what_an_earlier_operation_makes_is_unknown(bench: Any, kind: str) -> None:
    """Neither well nor refused: an earlier one may mend it."""
    fill(bench)
    first, second = HIDDEN[kind]

    found = foretold(bench, first, second)

    assert found[-1].outlook is Outlook.UNKNOWN
    assert "until" in found[-1].text
    assert first.title in found[-1].text
    assert Outlook.REFUSED not in outlooks(found)


def test_what_changes_nothing_hides_nothing(bench: Any) -> None:
    """A collection that is there already, other rules, another index."""
    fill(bench)
    before = [mongo.CreateCollection("music"), mongo.SetValidator("music", {}), index(("z", 1))]

    assert Outlook.REFUSED in outlooks(foretold(bench, *before, REFUSED["duplicates"]))


def test_way_back_is_looked_at_too(bench: Any) -> None:
    """Building a dropped unique index again meets the documents that came since."""
    fill(bench)
    back = mongo.DropIndex("music", mongo.Index([("mail", 1)], unique=True))

    assert Outlook.REFUSED in outlooks(foretold(bench, back, way=Direction.REVERT))
    assert Outlook.REFUSED in outlooks(
        foretold(bench, mongo.RenameCollection("capped", "music"), way=Direction.REVERT)
    )


def test_look_that_takes_too_long_is_unknown(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends it, and nobody takes that for well."""
    monkeypatch.setattr("mongo_migrations.looks._MILLISECONDS", 1)
    bench.db.music.insert_many([{"a": number, "text": "x" * 500} for number in range(20_000)])

    found = foretold(bench, index(("a", 1), unique=True))

    assert Outlook.UNKNOWN in outlooks(found)


def test_empty_database_refuses_nothing(bench: Any) -> None:
    """So a run need not ask; one with documents is asked."""
    assert not bench.store.could_refuse([], Direction.APPLY)
    fill(bench)
    assert bench.store.could_refuse([], Direction.APPLY)
