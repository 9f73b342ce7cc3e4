"""What the MongoDB store does beyond the conformance suite: outcomes, explanations, probes, settling."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from accord.errors import IrreversibleStep, StepFailed
from accord.events import StepNoted
from accord.seam.differences import DifferenceKind, texts
from accord.seam.types import Direction, Presence
from accord.testing import RecordingReporter, make_lease
from tests.conformance.harness_mongo import LEDGER, MongoHarness

pytestmark = pytest.mark.integration

HALF = '''"""The second of two operations can't be done yet."""

import mongo_migrations as mongo


class Migration(mongo.Migration):
    operations = [
        mongo.CreateCollection("artists"),
        mongo.RenameCollection("singers", "voices"),
    ]
'''


def apply_all(harness: MongoHarness, count: int = 3) -> list[int]:
    store = harness.store()
    return [store.apply(harness.step(name), make_lease()).changed for name in harness.step_names[:count]]


def test_outcomes_count_objects_and_documents(mongo_harness: MongoHarness) -> None:
    """A report says how much was changed."""
    assert apply_all(mongo_harness) == [2, 303, 301]


def test_entry_carries_the_servers_time(mongo_harness: MongoHarness) -> None:
    """The time of a step is the server's, with its zone."""
    apply_all(mongo_harness, 1)

    [applied] = [
        entry for key, entry in mongo_harness.store().applied().items() if key.app == mongo_harness.app
    ]
    now = mongo_harness.db.client.admin.command("hello")["localTime"]

    assert applied.applied_at is not None
    assert abs((applied.applied_at.replace(tzinfo=None) - now).total_seconds()) < 60


def test_entries_of_another_store_in_the_same_collection_are_left_out(mongo_harness: MongoHarness) -> None:
    """Django's documents may share the database; their ledger has the same name and other keys."""
    apply_all(mongo_harness, 1)
    before = mongo_harness.store().applied()
    mongo_harness.db[LEDGER].insert_one({"app": "documents", "name": "0001_initial", "state": "applied"})

    assert mongo_harness.store().applied() == before


WORDS = '''"""Words that the server quotes."""

import mongo_migrations as mongo


def tag(db, session):
    db.people.update_many({}, {"$set": {"tags.$[wrong]": 1}}, session=session)


class Migration(mongo.Migration):
    operations = [%s]
'''


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ("mongo.RunPython(tag)", "No array filter found for identifier 'wrong' in path 'tags.$[wrong]'"),
        ('mongo.CreateCollection("a", validator={"$jsonSchema": {"$ref": "b"}})', "keyword '$ref' is not"),
        ('mongo.CreateCollection("a", options={"colour": 1})', "'create.colour' is an unknown field"),
        ('mongo.CreateIndex("a", [("b", "odd")])', "Unknown index plugin 'odd'"),
        ('mongo.UpdateInBatches("people", [{"$set": {"n": {"$toInt": "$mail"}}}])', "parse number “…” in"),
    ],
)
def test_words_of_a_revision_are_told(mongo_harness: MongoHarness, operation: str, told: str) -> None:
    """The server quotes what the file says; what it quotes of a document is masked."""
    mongo_harness.db.people.insert_one({"mail": "jane's@example.com", "tags": [1]})
    mongo_harness.write_revision("0004_words", WORDS % operation)

    with pytest.raises(StepFailed) as failure:
        mongo_harness.store().apply(mongo_harness.step("0004_words"), make_lease())

    assert told in failure.value.message
    assert "example.com" not in str(failure.value)


def test_irreversible_step_is_refused_untouched(mongo_harness: MongoHarness) -> None:
    """A step without a way back stays, and so does everything in it."""
    apply_all(mongo_harness)
    before = mongo_harness.observe()

    with pytest.raises(IrreversibleStep, match="no backward update"):
        mongo_harness.store().revert(mongo_harness.step("0003_titles"), make_lease())

    assert mongo_harness.observe() == before


def test_reading_creates_no_database(mongo_harness: MongoHarness) -> None:
    """Asking for the ledger and probing leave an empty server empty."""
    store = mongo_harness.store()

    store.ping()
    store.applied()
    list(store.probe([mongo_harness.step("0001_playlists")]))

    assert mongo_harness.db.list_collection_names() == []


def test_corrected_revision_continues_behind_what_is_done(mongo_harness: MongoHarness) -> None:
    """A failed step keeps its finished operations and says that it continues."""
    mongo_harness.write_revision("0004_half", HALF)
    with pytest.raises(StepFailed, match="no collection singers"):
        mongo_harness.store().apply(mongo_harness.step("0004_half"), make_lease())
    mongo_harness.db.create_collection("singers")
    reporter = RecordingReporter()

    mongo_harness.store().apply(mongo_harness.step("0004_half"), make_lease(), reporter)

    assert "voices" in mongo_harness.db.list_collection_names()
    assert [event.note for event in reporter.of(StepNoted)] == [
        "Continues an interrupted run: 1 of 2 operations are done."
    ]


def test_interrupted_revert_is_completed_before_applying_again(mongo_harness: MongoHarness) -> None:
    """Forward after half a way back ends where a first apply does."""
    apply_all(mongo_harness, 2)
    expected = mongo_harness.observe()
    plays = mongo_harness.step("0002_plays")
    entry = {"_id": str(plays.key)}
    mongo_harness.db[LEDGER].update_one(entry, {"$set": {"state": "reverting", "operations_done": 2}})
    mongo_harness.db.playlists.update_many({}, {"$inc": {"plays": -1}})
    mongo_harness.db.command({"collMod": "playlists", "validator": {}})

    mongo_harness.store().apply(plays, make_lease())

    documents = expected["playlists"]["documents"]  # type: ignore[index]  # a harness observes any object
    assert mongo_harness.observe()["playlists"]["documents"] == documents  # type: ignore[index]  # as above
    assert plays.key in mongo_harness.store().applied()


def test_probe_judges_each_step_by_what_stands_after_all(mongo_harness: MongoHarness) -> None:
    """A collection that a later step renames is looked for under its last name."""
    apply_all(mongo_harness)
    steps = [mongo_harness.step(name) for name in mongo_harness.step_names]

    after_all = {probe.key.name: probe.presence for probe in mongo_harness.store().probe(steps)}
    first_alone = next(iter(mongo_harness.store().probe(steps[:1])))

    assert after_all == dict.fromkeys(mongo_harness.step_names, Presence.DONE)
    assert first_alone.presence is Presence.ABSENT
    assert "Collection playlists does not exist." in texts(first_alone.findings)


def test_probe_tells_partial_and_conflicting(mongo_harness: MongoHarness) -> None:
    """A missing index is partial, other rules are a conflict, each with its finding."""
    apply_all(mongo_harness, 1)
    step = mongo_harness.step("0001_playlists")

    mongo_harness.db.playlists.drop_index("owner")
    [partial] = mongo_harness.store().probe([step])
    mongo_harness.db.command({"collMod": "playlists", "validationLevel": "moderate"})
    [conflicting] = mongo_harness.store().probe([step])

    assert [one.kind for one in partial.findings] == [DifferenceKind.MISSING]
    assert {one.kind for one in conflicting.findings} == {DifferenceKind.MISSING, DifferenceKind.DIFFERENT}
    assert (partial.presence, texts(partial.findings)) == (
        Presence.PARTIAL,
        ("Index owner of playlists does not exist.",),
    )
    assert conflicting.presence is Presence.CONFLICTING
    assert any('validationLevel is "moderate"' in line for line in texts(conflicting.findings))


def test_collections_and_indexes_that_nobody_declares_are_named(mongo_harness: MongoHarness) -> None:
    """Views, too; not the ledger, what the server keeps for itself, or the index of `_id`."""
    apply_all(mongo_harness)
    steps = [mongo_harness.step(name) for name in mongo_harness.step_names]
    store = mongo_harness.store()
    assert list(store.undeclared(steps)) == []

    mongo_harness.db.create_collection("by_hand")
    mongo_harness.db.create_collection("seen", viewOn="lists", pipeline=[])
    mongo_harness.db.create_collection("measured", timeseries={"timeField": "at"})
    mongo_harness.db.lists.create_index([("owner_id", 1)], name="owner.by_hand")

    found = list(store.undeclared(steps))
    assert [(one.what, one.thing) for one in found] == [
        ("collection", "by_hand"), ("collection", "measured"), ("collection", "seen"),
        ("index", "lists.owner.by_hand"),
    ]  # fmt: skip
    assert found[-1].text == "The index owner.by_hand of lists is there, and no step declares it."


def test_explanation_reads_like_mongosh(mongo_harness: MongoHarness) -> None:
    """Commands are shown as a person would type them; Python says that it is Python."""
    steps = [mongo_harness.step(name) for name in mongo_harness.step_names]
    shown: dict[str, Any] = {
        step.key.name: [(item.text, item.opaque) for item in statements]
        for step, statements in mongo_harness.store().explain(steps, Direction.APPLY)
    }
    back = [
        item.text
        for _, statements in mongo_harness.store().explain(steps[:1], Direction.REVERT)
        for item in statements
    ]

    assert shown["0001_playlists"][1] == (
        'db.playlists.createIndex({ owner_id: 1, name: -1 }, { name: "owner" })',
        False,
    )
    assert ("Runs fill(db, session) in one transaction with the ledger.", True) in shown["0002_plays"]
    assert shown["0003_titles"][0] == ('db.playlists.renameCollection("lists")', False)
    assert back == ['db.playlists.dropIndex("owner")', "db.playlists.drop()"]


def test_two_threads_on_one_store_take_no_client_away_from_each_other(mongo_harness: MongoHarness) -> None:
    """The brief client of one question is that question's own; whoever works meanwhile keeps theirs."""
    apply_all(mongo_harness, 1)
    store = mongo_harness.store()

    def ask(number: int) -> int:
        if number % 3 == 0:
            return len(store.database().list_collection_names()) and len(store.applied())
        return len(store.applied()) if number % 3 == 1 else len(store.recorded().begun) + 1

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(ask, range(90)))
    store.close()

    assert answers == [1] * 90
