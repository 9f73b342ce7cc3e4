"""What was found stays, what was made goes, and what was refused never was."""

from __future__ import annotations

from typing import Any

import pytest

import mongo_migrations as mongo
from accord.errors import AccordError, StepFailed
from accord.revisions import losing
from accord.revisions.entry import EntryState, StepEntry
from accord.seam.types import Direction, Origin, StepKey
from accord.testing import make_lease

pytestmark = pytest.mark.integration

KEY = StepKey("mongodb", "bench", "0001_bench")
USERS = (mongo.CreateCollection("users"), mongo.CreateIndex("users", [("a", 1)]))


def ledger(bench: Any) -> Any:
    return bench.store.connected_ledger()


def raising(*_: object) -> None:
    raise ZeroDivisionError


def fill(bench: Any, *, index: bool) -> None:
    bench.db.users.insert_many([{"a": number} for number in range(20)])
    if index:
        bench.db.users.create_index([("a", 1)])


def test_what_was_there_before_stays_when_the_step_is_undone(bench: Any) -> None:
    """Collection and index were found, and the outcome says that they are left."""
    fill(bench, index=True)

    bench.apply(*USERS)
    outcome = bench.revert(*USERS)

    assert bench.db.users.count_documents({}) == 20
    assert set(bench.indexes("users")) == {"a_1"}
    assert outcome.detail == "left, because it was found there: collection users, index a_1 of users"
    assert ledger(bench).entry(KEY, make_lease()) is None


def test_what_the_step_made_goes_and_what_it_found_stays(bench: Any) -> None:
    """One operation found its object, the other one made it; of several indexes, each for itself."""
    fill(bench, index=True)
    more = mongo.CreateIndexes("users", [mongo.Index([("a", 1)]), mongo.Index([("b", 1)])])

    bench.apply(USERS[0], more)
    bench.revert(USERS[0], more)

    assert bench.db.users.count_documents({}) == 20
    assert set(bench.indexes("users")) == {"a_1"}


def test_what_the_step_made_is_undone_as_ever(bench: Any) -> None:
    """The neighbour: with documents that came since."""
    bench.apply(*USERS)
    fill(bench, index=False)

    outcome = bench.revert(*USERS)

    assert "users" not in bench.db.list_collection_names()
    assert outcome.detail == ""


def test_entry_of_an_earlier_version_drops_nothing(bench: Any) -> None:
    """It kept no word of what was found: not to know is no permission."""
    bench.apply(*USERS)
    fill(bench, index=False)
    entry = ledger(bench).entry(KEY, make_lease())
    older = {number: {"title": facts["title"]} for number, facts in entry.saved.items()}
    ledger(bench).commit(StepEntry(**{**vars(entry), "saved": older}), make_lease())

    outcome = bench.revert(*USERS)

    assert bench.db.users.count_documents({}) == 20
    assert "collection users" in outcome.detail


def test_mended_file_does_not_make_another_ones_objects_ours(bench: Any) -> None:
    """What the operation saw before it was killed is about the objects that it named then."""
    fill(bench, index=True)
    bench.db.users.create_index([("b", 1)])

    wanted = (mongo.CreateCollection("wanted"), mongo.CreateIndex("users", [("c", 1)]))
    for number, (killed, mended) in enumerate(zip(wanted, USERS, strict=True), start=1):
        name = f"000{number}_bench"
        runner = bench._runner((killed,), name, 1)
        progress = runner._progress(StepEntry(key=runner.key))
        progress.turn_to(0, Direction.APPLY)
        runner._capture(progress, 0)
        progress.begin()
        bench.apply(mended, name=name)
        bench.revert(mended, name=name)

    assert bench.db.users.count_documents({}) == 20
    assert set(bench.indexes("users")) == {"a_1", "b_1"}


def test_adopted_rules_are_left(bench: Any) -> None:
    """What stood before a validator that a baseline found is not known."""
    rules = mongo.SetValidator("users", {"a": {"$exists": True}})
    bench.db.create_collection("users", validator={"a": {"$exists": True}})
    adopted = StepEntry(key=KEY, state=EntryState.APPLIED, operations_done=1, how=Origin.ADOPTED)
    ledger(bench).commit(adopted, make_lease())

    bench.revert(rules)

    assert bench.options("users")["validator"] == {"a": {"$exists": True}}


def test_documents_that_a_person_vouched_for_are_left(bench: Any) -> None:
    """Nobody knows what they were before, and nothing of it was done here."""
    fill(bench, index=False)
    named = mongo.UpdateInBatches("users", {"$set": {"mood": "calm"}}, backward={"$unset": {"a": ""}})
    before = list(bench.db.users.find())
    vouched = StepEntry(key=KEY, state=EntryState.APPLIED, operations_done=1, how=Origin.RECORDED)
    ledger(bench).commit(vouched, make_lease())

    outcome = bench.revert(named)

    assert list(bench.db.users.find()) == before
    assert "left, because it was found there" in outcome.detail
    assert bench.store.recorded().applied == {}


REFUSED = {
    "unique index over duplicates": mongo.CreateIndex("users", [("k", 1)], unique=True),
    "unknown option": mongo.CreateCollection("odd", options={"nonsense": 1}),
    "validator that can't be read": mongo.SetValidator("users", {"$nonsense": 1}),
    "batch that can't be changed": mongo.UpdateInBatches("users", {"$inc": {"text": 1}}, backward={}),
    "function in a transaction": mongo.RunPython(raising, mongo.RunPython.noop),
}


@pytest.mark.parametrize("kind", list(REFUSED))
def test_refused_first_operation_is_on_no_record(bench: Any, kind: str) -> None:
    """The server said no, and nothing of it stands: the step is pending, as before."""
    bench.db.users.insert_many([{"k": 1, "text": "a"} for _ in range(3)])

    for _ in range(2):
        with pytest.raises(AccordError):
            bench.apply(REFUSED[kind])

    assert ledger(bench).entry(KEY, make_lease()) is None


def test_function_outside_a_transaction_may_have_done_anything(bench: Any) -> None:
    """So it stays begun, and a revert calls its way back."""
    back: list[int] = []
    function = mongo.RunPython(raising, lambda *_: back.append(1), transactional=False)
    with pytest.raises(StepFailed):
        bench.apply(function)

    assert bench.store.recorded().begun[KEY].done == 0
    bench.revert(function)
    assert (back, ledger(bench).entry(KEY, make_lease())) == ([1], None)


def test_half_applied_step_is_undone_as_far_as_it_went(bench: Any) -> None:
    """The strict rules go, although an operation that never ran has no way back."""
    bench.db.create_collection("users")
    bench.db.users.insert_many([{"k": 1}, {"k": 1}])
    operations = (
        mongo.SetValidator("users", {"name": {"$exists": True}}),
        mongo.CreateIndex("users", [("k", 1)], unique=True),
        mongo.DropCollection("users", even_with_data=True),
    )
    with pytest.raises(StepFailed):
        bench.apply(*operations)
    assert bench.store.recorded().begun[KEY].done == 1

    bench.revert(*operations)

    bench.db.users.insert_one({"k": 2})
    assert bench.store.recorded().begun == {}


def lost(bench: Any, *operations: mongo.Operation) -> dict[str, int | None]:
    """Count what undoing the step would drop."""
    concerned = [(KEY, operations, None)]
    found = losing.losses(concerned, Direction.REVERT, ledger(bench), bench.store.documents)
    return {loss.what: loss.count.number for loss in found}


def test_losses_are_what_a_run_made_by_the_name_that_it_has_today(bench: Any) -> None:
    """A renamed collection is counted as it is called now; what was found or adopted is no loss."""
    fill(bench, index=True)
    operations = (*USERS, mongo.CreateCollection("plays"), mongo.RenameCollection("plays", "heard"))
    bench.apply(*operations)
    bench.db.heard.insert_many([{} for _ in range(3)])

    assert lost(bench, *operations) == {"collection heard": 3}
    bench.revert(*operations)
    assert lost(bench, *operations) == {}


@pytest.mark.parametrize("done", [1, 2])
def test_losses_of_a_begun_step_are_those_of_what_stands(bench: Any, done: int) -> None:
    """Operations that never ran drop nothing, though their collections may stand for other reasons."""
    first = [mongo.CreateCollection("plays"), mongo.CreateCollection("lists")][:done]
    with pytest.raises(StepFailed):
        bench.apply(*first, mongo.RunPython(raising), mongo.CreateCollection("users"))
    fill(bench, index=False)
    bench.db.plays.insert_one({})

    found = lost(bench, *first, mongo.RunPython(raising), mongo.CreateCollection("users"))

    whole = {"collection plays": 1, "collection lists": 0}
    assert found == (whole if done == 2 else {"collection plays": 1})
