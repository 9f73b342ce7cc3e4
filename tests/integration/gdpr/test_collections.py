"""Erasing from collections: keys of every type, arrays, odd shapes, and what a live check says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Int64, ObjectId
from bson.binary import Binary

from gdpr.datamap.actions import Action, Anonymise, Delete, Detach, Manual, Pull, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault
from gdpr.datamap.locators import AnyOf, Array, Generic, Key, Locator, Path, Rows
from gdpr.datamap.strategies import CoarseDate, Null, RandomToken, Redact
from gdpr.datamap.subjects import SubjectKeys
from tests.integration.gdpr.conftest import OwnMongo

pytestmark = pytest.mark.integration

KEYS = SubjectKeys(
    kind="x", primary=42, alternates={"id": 42, "email": "ada@example.com"}, collected={"orders": (7, 8)}
)
ID = "5e0be1010000000700000000"


def entry(action: Action, locator: Locator, **changes: Any) -> Entry:
    return Entry(id="one", store="mongodb", target="things", action=action, locator=locator, **changes)


def run(mongo: OwnMongo, one: Entry, keys: SubjectKeys = KEYS, limit: int = 2) -> int:
    affected = 0
    for _ in range(50):
        erased = mongo.erase(one, keys, limit)
        affected += erased.affected
        assert erased.affected <= erased.matched <= limit
        if erased.done:
            assert mongo.residue(one, keys) == 0
            assert mongo.erase(one, keys, limit).affected == 0
            return affected
    raise AssertionError("never done")


def things(mongo: OwnMongo) -> list[dict[str, Any]]:
    return list(mongo.database()["things"].find().sort("_id"))


def put(mongo: OwnMongo, *documents: dict[str, Any]) -> None:
    numbered = [{"_id": number, **one} for number, one in enumerate(documents)]
    mongo.database()["things"].insert_many(numbered)


def test_delete_takes_exactly_the_type(mongo: OwnMongo) -> None:
    """The number 42 is deleted and the text stays, and the second look tells that it is there."""
    put(mongo, *[{"owner": 42} for _ in range(5)], {"owner": "42"}, {"owner": 43})
    one = entry(Delete(), Key("owner", int))

    while not mongo.erase(one, KEYS, 2).done:
        pass

    assert [found["owner"] for found in things(mongo)] == ["42", 43]
    assert mongo.residue(one, KEYS) == 1


@pytest.mark.parametrize(
    ("declared", "primary", "forms"),
    [
        (str, "²", ["²"]),
        (int, 2**62, [float(2**62), Int64(2**62), str(2**62)]),
        (str, str(2**63 - 1), [2**63 - 1]),
        (str, "9" * 40, ["9" * 40]),
        (UUID, str(UUID(int=5)), [UUID(int=5).hex, str(UUID(int=5)), Binary(UUID(int=5).bytes, 3)]),
        ("objectid", ID, [ID, ID.upper()]),
    ],
)
def test_second_look_knows_every_form(
    mongo: OwnMongo, declared: object, primary: int | str, forms: list[object]
) -> None:
    """Whatever type a key was left in, the second look counts it, and no odd text stops it."""
    put(mongo, *[{"owner": form} for form in forms], {"owner": "another"}, {"owner": 2})

    one = entry(Delete(), Key("owner", declared))

    assert mongo.residue(one, SubjectKeys(kind="x", primary=primary)) == len(forms)


def test_element_with_a_wider_number_is_the_persons(mongo: OwnMongo) -> None:
    """The server takes NumberLong(42) and 42.0 for 42, and so does what is exported and looked at again."""
    put(mongo, {"members": [{"id": Int64(42)}, {"id": 42.0}, {"id": 43}, {"id": True}]})
    one = entry(Unset(("members[].name",)), Array("members[].id", int))

    assert [len(part["members"]) for part in mongo.export(one, KEYS)] == [2]


@pytest.mark.parametrize(
    ("declared", "primary", "stored"),
    [
        (str, "ada", "ada"),
        ("objectid", ID, ObjectId(ID)),
        ("both", 42, "42"),
        (UUID, str(UUID(int=5)), Binary.from_uuid(UUID(int=5))),
    ],
)
def test_keys_of_every_type_are_found(
    mongo: OwnMongo, declared: object, primary: int | str, stored: object
) -> None:
    """Each declared type finds the value that the driver stores for it."""
    put(mongo, {"owner": stored}, {"owner": "another"})

    assert run(mongo, entry(Delete(), Key("owner", declared)), SubjectKeys(kind="x", primary=primary)) == 1
    assert [found["owner"] for found in things(mongo)] == ["another"]


def test_path_finds_nested_objects(mongo: OwnMongo) -> None:
    """A dotted path leads into objects."""
    put(mongo, {"author": {"id": 42}}, {"author": {"id": 43}}, {"author": 42})

    assert run(mongo, entry(Delete(), Path("author.id", int))) == 1
    assert len(things(mongo)) == 2


def test_alternate_keys_and_collected_rows_are_found(mongo: OwnMongo) -> None:
    """A locator may use another key of the person, or rows of another entry, or any of several."""
    put(mongo, {"mail": "ada@example.com"}, {"order": 8}, {"order": 9}, {"mail": "bob@example.com"})
    locator = AnyOf((Key("mail", str, by="email"), Rows("orders", "order", int)))

    assert run(mongo, entry(Delete(), locator)) == 2
    assert [found["_id"] for found in things(mongo)] == [2, 3]


def test_pull_takes_the_persons_elements_alone(mongo: OwnMongo) -> None:
    """Other people's elements stay, an object in the place of an array goes, and odd shapes break nothing."""
    put(
        mongo,
        {"comments": [{"by": 42, "text": "mine"}, {"by": 43, "text": "theirs"}, {"by": 42, "text": "mine"}]},
        {"comments": {"by": 42, "text": "mine"}},
        {"comments": "closed"},
        {},
    )

    assert run(mongo, entry(Pull(), Array("comments[].by", int)), limit=1) == 2
    assert [found.get("comments") for found in things(mongo)] == [
        [{"by": 43, "text": "theirs"}],
        None,
        "closed",
        None,
    ]


def test_pull_takes_bare_keys(mongo: OwnMongo) -> None:
    """An array may hold the keys themselves."""
    put(mongo, {"members": [1, 42, 43]}, {"members": [1]})

    assert run(mongo, entry(Pull(), Array("members[]", int))) == 1
    assert [found["members"] for found in things(mongo)] == [[1, 43], [1]]


def test_elements_are_anonymised_in_place(mongo: OwnMongo) -> None:
    """Fields of the person's own elements are overwritten; other elements and missing fields stay."""
    put(mongo, {"comments": [{"by": 42, "text": "mine"}, {"by": 43, "text": "theirs"}, {"by": 42}]})
    one = entry(Anonymise({"comments[].text": Redact()}), Array("comments[].by", int))

    assert run(mongo, one) == 1
    assert things(mongo)[0]["comments"] == [
        {"by": 42, "text": "[erased]"},
        {"by": 43, "text": "theirs"},
        {"by": 42},
    ]


def test_elements_are_unset_in_place(mongo: OwnMongo) -> None:
    """A field goes from the person's own elements alone."""
    put(mongo, {"comments": [{"by": 42, "text": "mine"}, {"by": 43, "text": "theirs"}]})

    assert run(mongo, entry(Unset(("comments[].text",)), Array("comments[].by", int))) == 1
    assert things(mongo)[0]["comments"] == [{"by": 42}, {"by": 43, "text": "theirs"}]


def test_fields_are_anonymised_where_they_are(mongo: OwnMongo) -> None:
    """Every strategy writes what it knows again; documents without the field get none."""
    put(
        mongo,
        *[{"owner": 42, "name": f"Ada {n}", "born": datetime(1990, 1, n + 1, tzinfo=UTC)} for n in range(3)],
        {"owner": 42},
    )
    strategies = {"name": RandomToken(), "born": CoarseDate(date(1970, 1, 1))}

    assert run(mongo, entry(Anonymise(strategies), Key("owner", int))) == 3
    found = things(mongo)
    assert len({one["name"] for one in found[:3]}) == 3
    assert {one["born"].isoformat() for one in found[:3]} == {"1970-01-01T00:00:00"}
    assert set(found[3]) == {"_id", "owner"}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Unset(("name",)), {"_id": 0, "owner": 42}),
        (Detach("owner"), {"_id": 0, "owner": None, "name": "Ada"}),
        (Anonymise({"name": Null()}), {"_id": 0, "owner": 42, "name": None}),
        (Retain("17(3)(b)", "law", "2030", ("name",)), {"_id": 0, "owner": 42, "name": None}),
        (Retain("17(3)(b)", "law", "2030"), {"_id": 0, "owner": 42, "name": "Ada"}),
    ],
    ids=["unset", "detach", "null", "minimise", "retain"],
)
def test_documents_that_stay_lose_what_they_must(
    mongo: OwnMongo, action: Action, expected: dict[str, Any]
) -> None:
    """Each action leaves exactly what it promises."""
    put(mongo, {"owner": 42, "name": "Ada"})

    run(mongo, entry(action, Key("owner", int)))

    assert things(mongo) == [expected]


def test_manual_entries_change_nothing_and_are_counted(mongo: OwnMongo) -> None:
    """What a person has to do is never done, and stays in the count until it is."""
    put(mongo, {"owner": 42})
    one = entry(Manual("Ask the archive."), Key("owner", int))

    assert mongo.erase(one, KEYS, 10).done
    assert mongo.residue(one, KEYS) == 1
    assert mongo.find(one, KEYS).count == 1


def test_files_of_gridfs_go_with_their_chunks(mongo: OwnMongo) -> None:
    """Deleting a file's document deletes its content."""
    database = mongo.database()
    database["fs.files"].insert_many([{"_id": 1, "metadata": {"owner": 42}}, {"_id": 2}])
    database["fs.chunks"].insert_many([{"files_id": 1, "data": b"x"}, {"files_id": 2, "data": b"y"}])
    one = Entry(
        id="f", store="mongodb", target="fs.files", action=Delete(), locator=Path("metadata.owner", int)
    )

    run(mongo, one)

    assert [found["files_id"] for found in database["fs.chunks"].find()] == [2]


def test_export_holds_own_elements_only(mongo: OwnMongo) -> None:
    """Of a document shared with others, the person gets their own elements."""
    put(mongo, {"title": "t", "comments": [{"by": 42, "text": "mine"}, {"by": 43, "text": "theirs"}]})

    found = list(mongo.export(entry(Pull(), Array("comments[].by", int)), KEYS))

    assert found == [{"_id": 0, "comments": [{"by": 42, "text": "mine"}]}]


def test_export_of_a_shared_document_is_a_projection(mongo: OwnMongo) -> None:
    """Own documents are whole; of shared ones the declared elements and their declared fields come, once."""
    shared = {
        "author": {"name": "E1 FIVE"},
        "log": {"notes": [{"by": 42, "text": "a", "to": "Eve"}, {"by": 5}]},
    }
    put(mongo, {"owner": 42, **shared}, {"owner": 5, **shared})
    both = AnyOf((Key("owner", int), Array("log.notes[].by", int)))

    found = list(mongo.export(entry(Delete(), both, fields=("log.notes[].text",)), KEYS))

    assert found == [{"_id": 0, "owner": 42, **shared}, {"_id": 1, "log.notes": [{"text": "a", "by": 42}]}]


def test_second_look_reads_elements_at_every_depth(mongo: OwnMongo) -> None:
    """An own element that still has its text counts, also where the array lies within an object."""
    put(mongo, {"log": {"notes": [{"by": 42, "text": "mine"}, {"by": 5, "text": "theirs"}]}})
    one = entry(Anonymise({"log.notes[].text": Redact()}), Array("log.notes[].by", int))

    assert mongo.residue(one, KEYS) == 1
    run(mongo, one)


# --- the live check ------------------------------------------------------------------------------


def faults(mongo: OwnMongo, *entries: Entry) -> set[tuple[Fault, str]]:
    return {(found.fault, found.target) for found in mongo.inspect(list(entries))}


def test_only_the_suites_own_collections_need_no_entry(mongo: OwnMongo) -> None:
    """A name that only begins like the suite's is anybody's; a view shows what another collection holds."""
    for name in (
        "accord_customers",
        "accord_ledger",
        f"accord_scratch_{ObjectId()}",
        "accord_scratch_people",
    ):
        mongo.database().create_collection(name)
    mongo.database().create_collection("shown", viewOn="accord_customers")

    assert faults(mongo) == {
        (Fault.UNCLASSIFIED, "accord_customers"), (Fault.UNCLASSIFIED, "accord_scratch_people")
    }  # fmt: skip


def test_indexed_and_typed_entry_is_clean(mongo: OwnMongo) -> None:
    """Nothing is said of an entry whose field exists, is indexed, and holds the declared type."""
    put(mongo, {"owner": 42, "comments": [{"by": 42}]})
    mongo.database()["things"].create_index("owner")
    mongo.database()["things"].create_index("comments.by")

    assert faults(mongo, entry(Delete(), Key("owner", int))) == set()
    assert faults(mongo, entry(Pull(), Array("comments[].by", int))) == set()
    assert mongo.explain(entry(Delete(), Key("owner", int)), KEYS).uses_index


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (entry(Delete(), Key("other", int)), Fault.NO_INDEX),
        (entry(Delete(), Key("owner", str)), Fault.WRONG_KEY_TYPE),
        (entry(Delete(), Key("ownr", int)), Fault.NO_FIELD),
        (entry(Unset(("nme",)), Key("owner", int)), Fault.NO_FIELD),
        (entry(Delete(), Key("owner", int), fields=("nme",)), Fault.NO_FIELD),
        (entry(Delete(), Generic(of={})), Fault.WRONG_ACTION),
    ],
    ids=lambda value: value.value if isinstance(value, Fault) else "",
)
def test_fault_of_an_entry_is_found(mongo: OwnMongo, one: Entry, fault: Fault) -> None:
    """Each way in which an entry would miss documents is told before anything is erased."""
    put(mongo, {"owner": 42, "other": 42, "name": "Ada"})
    mongo.database()["things"].create_index("owner")

    assert (fault, "things") in faults(mongo, one)


def test_missing_and_unclassified_collections_are_found(mongo: OwnMongo) -> None:
    """A collection that is not there, and one that nobody thought of; the ledger is ours."""
    put(mongo, {"owner": 42})
    mongo.database().create_collection("accord_ledger")
    gone = Entry(id="gone", store="mongodb", target="gone", action=Delete(), locator=Key("owner", int))

    assert faults(mongo, gone) == {(Fault.NO_TARGET, "gone"), (Fault.UNCLASSIFIED, "things")}


def test_schema_knows_the_fields_of_an_empty_collection(mongo: OwnMongo) -> None:
    """Without documents the validator says which fields and types there are; without both nobody knows."""
    properties = {"owner": {"bsonType": "string"}}
    mongo.database().create_collection(
        "things", validator={"$jsonSchema": {"bsonType": "object", "properties": properties}}
    )
    mongo.database().create_collection("empty")
    for name in ("things", "empty"):
        mongo.database()[name].create_index("owner")
    empty = Entry(id="e", store="mongodb", target="empty", action=Delete(), locator=Key("owner", int))

    found = faults(mongo, entry(Delete(), Key("owner", int)), empty)

    assert found == {(Fault.WRONG_KEY_TYPE, "things"), (Fault.UNKNOWN_FIELD, "empty")}


def test_moments_with_a_zone_are_settled(mongo: OwnMongo) -> None:
    """A moment that comes back without its zone is known again."""
    put(mongo, {"owner": 42, "at": datetime(2024, 5, 1, tzinfo=UTC)})

    one = entry(Anonymise({"at": CoarseDate(datetime(2020, 1, 1, tzinfo=UTC))}), Key("owner", int))

    assert run(mongo, one) == 1


def test_document_that_came_after_the_fence_with_a_key_given_again_stays(mongo: OwnMongo) -> None:
    """What is settled is what was collected, whatever kind of _id it has."""
    one = entry(Delete(), Key("email", str, by="email"))
    collection = mongo.database()["things"]
    old, new = [ObjectId(), "text", 7, Int64(2**40)], [ObjectId(), "other", 8]
    collection.insert_many([{"_id": key, "email": "ada@example.com"} for key in old])
    settled = KEYS.with_collected(mongo.collect(one, KEYS)).settle(["one"])
    collection.insert_many([{"_id": key, "email": "ada@example.com"} for key in new])

    erased = mongo.erase(one, settled, 10)
    asked = settled.with_collected(mongo.collect(one, settled.unsettled("one")))

    assert (erased.affected, erased.done) == (len(old), True)
    assert {str(found["_id"]) for found in things(mongo)} == set(map(str, new))
    assert set(map(str, asked.newer["one"])) == set(map(str, new))
    assert (mongo.residue(one, settled), mongo.residue(one, asked)) == (len(new), 0)
    assert mongo.erase(one, asked.told("one", same_person=True), 10).affected == len(new)
