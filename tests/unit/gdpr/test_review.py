"""What nobody has reviewed is told: each entry that goes, and each field that comes, goes or changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gdpr.coverage import check, unreviewed
from gdpr.datamap import lock, review
from gdpr.datamap.actions import Action, Anonymise, Delete, Detach, Manual, Nothing, Pull, Retain, Unset
from gdpr.datamap.entries import Entry, document
from gdpr.datamap.findings import Fault
from gdpr.datamap.locators import Array, Key
from gdpr.datamap.lock import SEEN, Lock
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.datamap.presets import is_known
from gdpr.datamap.strategies import Null
from gdpr.errors import InvalidDataMap
from gdpr.stores import seen
from tests.chance import chance

OF_SAMPLE = lock.load() or Lock()
PLACES = [(alias, target) for alias, places in OF_SAMPLE.stores.items() for target in places]
KEEPS = Retain(article="17(3)(b)", basis="Tax law", until="2040-01-01")


def entry(action: Action | None = None, **more: Any) -> Entry:
    declared: dict[str, Any] = {
        "id": "one",
        "store": "mongodb",
        "target": "people",
        "locator": Key("id", int),
    }
    return Entry(action=action or Delete(), **{**declared, **more})


def with_field(alias: str, target: str, path: str, kind: str) -> lock.Inventory:
    """Give what a store has once one field of one place is other than it was reviewed."""
    places = OF_SAMPLE.stores[alias]
    return {**places, target: {**places[target], path: kind}}


def told(alias: str, live: lock.Inventory) -> list[tuple[Fault, str]]:
    found = review.of_store(load_data_map(), OF_SAMPLE, alias, live)
    return [(one.fault, one.target) for one in found]


# --- the sample --------------------------------------------------------------------------------------


def test_lock_of_the_sample_is_up_to_date() -> None:
    """Whoever changes a model or an entry of the sample reviews it, and runs gdpr_datamap freeze."""
    assert [one.message for one in unreviewed(load_data_map(), OF_SAMPLE)] == []
    assert {alias for alias, _ in PLACES} == {"default", "documents", "mongodb", "search"}
    for alias, places in OF_SAMPLE.stores.items():
        assert told(alias, places) == []


@pytest.mark.parametrize(("alias", "target"), PLACES)
def test_any_field_that_comes_goes_or_changes_is_told(alias: str, target: str) -> None:
    """In each table, collection and index: one that is new, one that is gone, one of another type."""
    fields = OF_SAMPLE.stores[alias][target]
    one = chance(target).choice([path for path, kind in fields.items() if not kind.endswith(SEEN)])
    gone = {path: kind for path, kind in fields.items() if path != one}

    assert (Fault.NEW_FIELD, target) in told(alias, with_field(alias, target, "shoe_size", "integer"))
    assert (Fault.FIELD_RETYPED, target) in told(alias, with_field(alias, target, one, "shoe"))
    assert told(alias, {**OF_SAMPLE.stores[alias], target: gone}) == [(Fault.FIELD_GONE, target)]


def test_any_entry_that_is_dropped_is_told() -> None:
    """Also a second one for a table, which leaves no gap in a schema; what every project has stays anyhow."""
    every = load_data_map()
    for dropped in every.entries:
        rest = DataMap(tuple(one for one in every.entries if one != dropped), every.subject)
        found = {one.fault for one in review.of_map(rest, OF_SAMPLE)}
        assert found == (set() if is_known(dropped) else {Fault.ENTRY_NOT_REVIEWED}), dropped.id


def test_entry_that_comes_or_acts_otherwise_is_told() -> None:
    """Deletion that became “nothing” is as new as an entry that nobody has seen."""
    every = load_data_map()
    weaker = [replace(one, action=Nothing("Words.")) if one.id == "plays" else one for one in every.entries]
    more = (*every.entries, entry(id="new"))

    for entries, wanted in ((weaker, "plays"), (more, "new")):
        found = list(review.of_map(DataMap(tuple(entries), every.subject), OF_SAMPLE))
        assert [(one.fault, one.entry) for one in found] == [(Fault.ENTRY_NOT_REVIEWED, wanted)]


def test_models_are_compared_without_any_server() -> None:
    """A column that a model has and the lock has not, and a model without an entry."""
    stores = {**OF_SAMPLE.stores, "default": {**OF_SAMPLE.stores["default"]}}
    fields = dict(stores["default"]["streaming.Consent"])
    del fields["given"]
    older = replace(
        OF_SAMPLE, stores={**stores, "default": {**stores["default"], "streaming.Consent": fields}}
    )
    every = load_data_map()
    rest = DataMap(tuple(one for one in every.entries if one.target != "streaming.Venue"), every.subject)

    assert [(one.fault, one.target) for one in review.of_models(every, older)] == [
        (Fault.NEW_FIELD, "streaming.Consent")
    ]
    assert (Fault.UNCLASSIFIED, "streaming.Venue") in [
        (one.fault, one.target) for one in review.of_models(rest, OF_SAMPLE)
    ]


def test_without_a_lock_one_finding_says_so() -> None:
    """Not one for each column; and the entries that change rows are held to what they say all the same."""
    assert [one.fault for one in unreviewed(load_data_map(), None)] == [Fault.NO_LOCK]


# --- fields of an entry that changes rows --------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [Anonymise({"email": Null()}), Unset(("email",)), Detach("email"), replace(KEEPS, minimise=("email",))],
    ids=["anonymise", "unset", "detach", "retain"],
)
def test_what_stays_has_to_be_accounted_for(action: Action) -> None:
    """Each field of a row that is changed is named: in the action, or as kept with the reason."""
    live = {"people": {"id": "number", "email": "string", "phone": "string"}}
    partly = entry(action, keeps={"Its number.": ("id",)})
    whole = entry(action, keeps={"Its number.": ("id",), "They may be called.": ("phone",)})

    found = list(review.of_store(DataMap((partly,)), None, "mongodb", live))
    assert [one.fault for one in found] == [Fault.NEW_FIELD]
    assert "phone" in found[0].message
    assert list(review.of_store(DataMap((whole,)), None, "mongodb", live)) == []


@pytest.mark.parametrize("action", [Delete(), Pull(), Manual("Call them."), Nothing("Words.")])
def test_what_goes_as_a_whole_or_is_not_touched_needs_no_list(action: Action) -> None:
    """The lock file holds the fields of these."""
    live = {"people": {"id": "number", "phone": "string"}}

    assert list(review.of_store(DataMap((entry(action),)), None, "mongodb", live)) == []


def test_retained_fields_are_accounted_for_by_the_ground() -> None:
    """`fields` of a Retain are what the law wants kept; of an Anonymise they are what should have changed."""
    live = {"people": {"amount": "number"}}
    kept, forgotten = (entry(action, fields=("amount",)) for action in (KEEPS, Anonymise({"x": Null()})))

    assert list(review.of_store(DataMap((kept,)), None, "mongodb", live)) == []
    assert len(list(review.of_store(DataMap((forgotten,)), None, "mongodb", live))) == 1


def test_path_within_a_field_accounts_for_the_field() -> None:
    """What an action changes within an array or an object is how a column of JSON is spoken of."""
    inner = Anonymise({"comments[].text": Null()})
    live = {"people": {"comments": "jsonb", "comments[].text": "string", "comments[].by": "number"}}

    found = list(review.of_store(DataMap((entry(inner),)), None, "mongodb", live))

    assert ["comments[].by" in one.message for one in found] == [True]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"action": Delete(), "keeps": {"Why.": ("a",)}}, Fault.WRONG_ACTION),
        ({"action": Unset(("a",)), "keeps": {" ": ("b",)}}, Fault.NO_REASON),
        ({"action": Unset(("a",)), "keeps": {"Why.": ("a",)}}, Fault.CONTRADICTION),
    ],
)
def test_what_is_kept_is_kept_for_a_reason_and_not_changed(changes: dict[str, Any], fault: Fault) -> None:
    """Nothing is kept of what goes, without a reason, or of what the action changes."""
    subject = load_data_map().subject
    assert subject is not None
    alone = replace(subject, inactive=None)

    assert [one.fault for one in check(DataMap((entry(**changes),), alone))] == [fault]


def test_map_without_kept_fields_has_the_digest_that_it_had() -> None:
    """Approvals of plans that were made before are bound to it."""
    assert "keeps" not in document(entry())
    assert document(entry(Unset(("a",)), keeps={"Why.": ("b",)}))["keeps"] == {"Why.": ["b"]}


# --- the file ----------------------------------------------------------------------------------------


def some_lock(name: str) -> Lock:
    dice = chance(name)
    words = [f"w{number}" for number in range(30)]
    return Lock(
        entries=dict.fromkeys(dice.sample(words, 5), "delete a b"),
        stores={
            alias: {target: dict.fromkeys(dice.sample(words, 6), "text") for target in dice.sample(words, 4)}
            for alias in dice.sample(words, 2)
        },
    )


def test_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    """The same lock gives the same text, whatever the order it was put together in; a field is a line."""
    made = some_lock("written")
    (alias, places), *_ = made.stores.items()
    (target, fields), *_ = places.items()
    more = replace(made, stores={**made.stores, alias: {**places, target: {"added": "text", **fields}}})
    (tmp_path / "lock").write_text(lock.written(made))

    assert lock.read(tmp_path / "lock") == made
    assert lock.written(more).splitlines() != lock.written(made).splitlines()
    assert len(set(lock.written(more).splitlines()) - set(lock.written(made).splitlines())) <= 1
    assert list(lock.changes(made, more)) == [f"+ {alias} {target} added: text"]
    assert list(lock.changes(more, made)) == [f"- {alias} {target} added: text"]


@pytest.mark.parametrize(
    "text", ["", "<<<<<<< ours", "[]", "{}", '{"schema": "x"}', lock.written(Lock()).replace("{}", "[1]")]
)
def test_file_that_is_no_lock_is_refused(tmp_path: Path, text: str) -> None:
    """A merge left marks in it, or somebody wrote it by hand: never read as “nothing was reviewed”."""
    (tmp_path / "lock").write_text(text)

    with pytest.raises(InvalidDataMap, match="can't be read"):
        lock.read(tmp_path / "lock")
    assert lock.read(tmp_path / "none") is None


def test_freezing_one_store_leaves_what_was_reviewed_of_others() -> None:
    """And drops what no entry speaks of any more."""
    before = Lock(stores={"a": {"x": {"f": "text"}}, "b": {"y": {"g": "text"}}, "gone": {"z": {"h": "text"}}})
    entries = (entry(id="1", store="a", target="x"), entry(id="2", store="b", target="y"))

    after = lock.frozen(before, DataMap(entries), {"a": {"x": {"f": "date"}}})

    assert after.stores == {"a": {"x": {"f": "date"}}, "b": {"y": {"g": "text"}}}
    assert after.entries == {"1": "delete a x", "2": "delete b y"}


def test_field_that_documents_had_once_stays_reviewed() -> None:
    """A few documents show what there is, never what there is not."""
    before = Lock(stores={"mongodb": {"people": {"a": "string" + SEEN, "b": "number" + SEEN, "c": "date"}}})
    now = {"people": {"b": "string" + SEEN}}
    known = DataMap((entry(),))

    found = [one.fault for one in review.of_store(known, before, "mongodb", now)]
    after = lock.frozen(before, known, {"mongodb": now})

    assert found == [Fault.FIELD_RETYPED, Fault.FIELD_GONE]
    assert after.stores["mongodb"]["people"] == {"a": "string" + SEEN, "b": "number|string" + SEEN}
    assert [*review.of_store(known, after, "mongodb", {"people": {"b": "number" + SEEN}})] == []


# --- what documents show -------------------------------------------------------------------------------


def test_paths_of_documents_are_told_without_any_value() -> None:
    """Objects by dots, elements by brackets; what is empty shows nothing."""
    documents = [
        {"_id": 1, "name": "Ada", "tags": ["x"], "none": None, "empty": [], "at": {"city": "Paris"}},
        {"_id": 2, "name": 5, "orders": [{"lines": [{"sum": 1.5}]}]},
    ]

    assert seen.paths(documents) == {
        "_id": "number",
        "name": "number|string",
        "tags[]": "string",
        "at.city": "string",
        "orders[].lines[].sum": "number",
    }


def test_names_that_are_data_are_not_repeated() -> None:
    """An object by e-mail address, by number, or by more names than a schema would have."""
    by_mail = {"friends": {"ada@example.com": {"since": "x"}, "bob": {"since": 3}}}
    many = {"scores": {f"word{number}": number for number in range(51)}}

    assert seen.paths([by_mail, many]) == {"friends.*.since": "number|string", "scores.*": "number"}


def test_validator_declares_leaves() -> None:
    """Objects and elements down to what holds a value."""
    schema = {
        "properties": {
            "id": {"bsonType": ["long", "int"]},
            "free": {"bsonType": "object"},
            "who": {"bsonType": "object", "properties": {"mail": {"bsonType": "string"}, "x": {}}},
            "tags": {"bsonType": "array", "items": {"bsonType": "string"}},
            "notes": {"items": {"properties": {"text": {"type": "string"}}}},
        }
    }

    assert seen.declared(schema) == {
        "id": "int|long",
        "free": "object",
        "who.mail": "string",
        "who.x": "any",
        "tags[]": "string",
        "notes[].text": "string",
    }


def test_array_locator_is_no_account_of_its_fields() -> None:
    """A person is found by it; what becomes of the elements the action says."""
    found = entry(Anonymise({"comments[].text": Null()}), locator=Array("comments[].by", int))
    live = {"people": {"comments[].by": "number"}}

    assert [one.fault for one in review.of_store(DataMap((found,)), None, "mongodb", live)] == [
        Fault.NEW_FIELD
    ]
