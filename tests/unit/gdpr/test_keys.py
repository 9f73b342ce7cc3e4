"""Types of keys, and the paths that lead to them."""

from __future__ import annotations

from uuid import UUID

import pytest

from gdpr.datamap.keys import KeyType, key_type, parsed, variants
from gdpr.datamap.several import SeveralKeys
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import ErasureRefused, InvalidDataMap, WrongKeyType
from gdpr.stores.mapping import exact_field
from gdpr.stores.paths import at, own_elements

SOME_UUID = "12345678-1234-5678-1234-567812345678"


@pytest.mark.parametrize(
    ("declared", "value", "forms"),
    [
        (int, 42, (42,)),
        (int, "42", (42,)),
        (str, 42, ("42",)),
        ("both", 42, (42, "42")),
        (UUID, SOME_UUID, (UUID(SOME_UUID),)),
        ("objectid", "5E0BE1010000000700000000", ("5e0be1010000000700000000",)),
        (str, " eva ", (" eva ",)),
    ],
)
def test_key_is_compared_in_its_declared_type(
    declared: object, value: int | str, forms: tuple[object]
) -> None:
    """A store is asked for exactly the forms that the map declares."""
    found = variants(value, declared)

    assert found == forms
    assert [type(one) for one in found] == [type(one) for one in forms]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("four", KeyType.INT),
        ("4_2", KeyType.INT),
        ("²", KeyType.BOTH),
        ("٤٢", KeyType.INT),
        ("１", KeyType.INT),
        ("", KeyType.STR),
        ("  ", KeyType.STR),
        ("1234", KeyType.UUID),
        ("zz", KeyType.OBJECT_ID),
        ("0x5e0be101000000070000ab", KeyType.OBJECT_ID),
    ],
)
def test_wrong_type_is_refused_without_repeating_the_key(text: str, kind: KeyType) -> None:
    """The message names the key and its type, and never what was typed."""
    with pytest.raises(WrongKeyType) as refused:
        parsed(text, kind, "number")

    assert "number" in refused.value.message
    assert not text.strip() or text not in refused.value.message


@pytest.mark.parametrize("declared", [float, "integer", None])
def test_unknown_type_is_refused(declared: object) -> None:
    """A type that no key has is a mistake in the map."""
    with pytest.raises(InvalidDataMap):
        key_type(declared)


def test_paths_go_through_arrays_and_missing_places() -> None:
    """A path gives what stands at it in every element, and nothing where there is nothing."""
    document = {"a": [{"b": {"c": 1}}, {"b": {"c": [2, 3]}}, {"x": 1}, "odd"], "d": None}

    assert at(document, "a.b.c") == [1, 2, 3]
    assert at(document, "a[].b.c") == [1, 2, 3]
    assert at(document, "z.b") == []
    assert at(document, "d") == [None]


def test_own_elements_are_of_exactly_the_type() -> None:
    """The number 42 owns no element of "42", and True is not 1."""
    document = {"members": [{"id": 42}, {"id": "42"}, {"id": True}, {}]}

    assert own_elements(document, "members", "id", [42]) == [{"id": 42}]
    assert own_elements(document, "members", "id", [1]) == []


@pytest.mark.parametrize(
    ("definition", "kind", "name", "problem"),
    [
        ({"type": "keyword"}, KeyType.STR, "f", ""),
        ({"type": "long"}, KeyType.INT, "f", ""),
        ({"type": "text", "fields": {"raw": {"type": "keyword"}}}, KeyType.STR, "f.raw", ""),
        ({"type": "text"}, KeyType.STR, "f", "analysed"),
        ({"type": "keyword", "index": False}, KeyType.STR, "f", "index: false"),
        ({"type": "keyword", "index": False, "doc_values": False}, KeyType.STR, "f", "doc_values"),
        ({"type": "keyword", "ignore_above": 32}, KeyType.STR, "f", "ignore_above"),
        ({"type": "keyword", "ignore_above": 32}, KeyType.INT, "f", ""),
        ({"type": "keyword", "normalizer": "lowercase"}, KeyType.STR, "f", "normalised"),
        ({"type": "long"}, KeyType.STR, "f", "of type long"),
        ({"type": "date"}, KeyType.INT, "f", "of type date"),
        ({"type": "object", "enabled": False}, KeyType.STR, "f", "enabled: false"),
    ],
)
def test_mapping_says_whether_a_field_matches_exactly(
    definition: dict[str, object], kind: KeyType, name: str, problem: str
) -> None:
    """Each way in which an exact search would silently find nothing is told."""
    field = exact_field({"f": definition}, "f", kind)

    assert field.name == name
    assert problem in field.problem
    assert bool(problem) is bool(field.problem)


def test_field_within_a_disabled_object_is_told() -> None:
    """What lies within an object that isn't indexed can't be found."""
    properties = {"a": {"type": "object", "enabled": False, "properties": {"b": {"type": "keyword"}}}}

    assert "enabled" in exact_field(properties, "a.b", KeyType.STR).problem


def test_nested_field_names_its_path() -> None:
    """Nested objects need a query of their own."""
    properties = {"a": {"type": "nested", "properties": {"b": {"type": "long"}}}}

    assert exact_field(properties, "a.b", KeyType.INT).nested == "a"


def test_settled_entry_takes_no_row_that_came_later() -> None:
    """It is told as newer until a person says whose it is; other entries go on being collected."""
    keys = SubjectKeys(kind="x", primary=1, collected={"users": (1,), "orders": (7,)}).settle(["users"])

    later = keys.with_collected({"users": [1, 2], "orders": [8]})
    theirs, others = (later.told("users", same_person=same) for same in (True, False))

    assert (later.collected, later.newer) == ({"users": (1,), "orders": (7, 8)}, {"users": (2,)})
    assert (later.only("users"), later.only("orders")) == ((1,), None)
    assert (theirs.only("users"), theirs.apart("users")) == ((1, 2), ())
    assert (others.only("users"), others.apart("users")) == ((1,), (2,))
    assert others.with_collected({"users": [1, 2, 3]}).newer == {"users": (3,)}
    assert later.with_collected({"users": [1]}).newer == {}


def test_keys_are_sealed_with_what_was_said_of_them() -> None:
    """Whatever is known comes back, and keys that an earlier version sealed can be read."""
    keys = SubjectKeys(kind="x", primary=1, collected={"users": (1,)}).settle(["users"])
    keys = keys.with_collected({"users": [2]}).told("users", same_person=False).with_collected({"users": [3]})
    old = '{"kind": "x", "primary": 1, "alternates": {}, "collected": {"users": [1]}}'

    assert SubjectKeys.from_json(keys.to_json()) == keys
    assert SubjectKeys.from_json(old) == SubjectKeys(kind="x", primary=1, collected={"users": (1,)})


def test_what_two_processes_found_is_joined() -> None:
    """What is settled stays so, and an answer that was given meanwhile counts."""
    settled = SubjectKeys(kind="x", primary=1, collected={"users": (1,)}).settle(["users"])
    found = settled.with_collected({"users": [1, 2]})
    answered = found.told("users", same_person=False)

    assert settled.joined(found) == found
    assert answered.joined(found) == answered
    assert found.joined(settled).newer == {}
    assert SubjectKeys(kind="x", primary=1).joined(settled).only("users") == (1,)


def test_people_of_whom_only_some_are_settled_are_asked_about_apart() -> None:
    """One filter can't be right for both."""
    keys = SubjectKeys(kind="x", primary=1, collected={"users": (1,)})
    several = SeveralKeys((keys, keys.settle(["users"])))

    assert SeveralKeys((keys, keys)).only("users") is None
    assert SeveralKeys((keys.settle(["users"]),) * 2).only("users") == (1, 1)
    with pytest.raises(ErasureRefused):
        several.only("users")
