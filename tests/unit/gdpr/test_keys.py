"""Types of keys, and the paths that lead to them."""

from __future__ import annotations

from uuid import UUID

import pytest

from gdpr.errors import InvalidDataMap, WrongKeyType
from gdpr.keys import KeyType, key_type, parsed, variants
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
    [("four", KeyType.INT), ("", KeyType.STR), ("1234", KeyType.UUID), ("zz", KeyType.OBJECT_ID)],
)
def test_wrong_type_is_refused_without_repeating_the_key(text: str, kind: KeyType) -> None:
    """The message names the key and its type, and never what was typed."""
    with pytest.raises(WrongKeyType) as refused:
        parsed(text, kind, "number")

    assert "number" in refused.value.message
    assert not text or text not in refused.value.message


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
