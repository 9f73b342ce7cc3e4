"""When two keys are the same person, and which keys are nobody's."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from bson.binary import OLD_UUID_SUBTYPE
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accord.erased.subject_key import canonical, plain, same, texts, whole_text
from accord.erased.tombstones import spare, subject_tag, subject_tags

SOME = UUID("abcdef01-1234-5678-1234-567812345678")
ID = "5e0be1010000000700abcdef"


@pytest.mark.parametrize(
    ("form", "keys"),
    [
        ("42", [42, 42.0, Decimal(42), Decimal("42.00"), "42", Int64(42), Decimal128("42.0")]),
        ("0", [0, -0.0, Decimal("-0"), "0"]),
        ("-7", [-7, -7.0, Decimal(-7)]),
        (str(2**63 - 1), [2**63 - 1, Decimal(2**63 - 1), str(2**63 - 1)]),
        ("42.5", [42.5, Decimal("42.5"), "42.5"]),
        (
            str(SOME),
            [
                SOME,
                str(SOME),
                str(SOME).upper(),
                SOME.hex,
                SOME.hex.upper(),
                Binary.from_uuid(SOME),
                Binary(SOME.bytes, OLD_UUID_SUBTYPE),
            ],
        ),
        (ID, [ObjectId(ID), ID, ID.upper()]),
        ("Zoe@example.org", ["Zoe@example.org"]),
        ("²", ["²"]),
    ],
)
def test_one_key_of_many_types_is_one_person(form: str, keys: Iterable[object]) -> None:
    """Whatever type a store gives a key back in, it says the same person."""
    assert {canonical(key) for key in keys} == {form}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (42, 43),
        (42, 42.5),
        (1, True),
        ("zoe", "ZOE"),
        ("42", "042"),
        ("42", "4_2"),
        ("42", "٤٢"),
        ("2", "²"),
        (SOME, UUID(int=5)),
        (10**300, 1e300),
    ],
)
def test_keys_that_only_look_alike_are_two_people(one: object, other: object) -> None:
    """Nobody is taken for somebody else."""
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize("key", [None, "", True, False])
def test_no_key_is_nobodys(key: object) -> None:
    """Nothing, an empty text and a truth value stand for nobody."""
    assert not canonical(key)
    assert texts(key) == ()


@pytest.mark.parametrize("key", [float("nan"), float("inf"), Decimal("sNaN"), Decimal("1E+999999999"), b"x"])
def test_odd_value_has_a_form_too(key: object) -> None:
    """A document may hold anything; no value stops a batch."""
    assert canonical(key)


@given(st.integers() | st.text(min_size=1) | st.uuids() | st.floats() | st.decimals())
def test_form_of_a_form_is_itself(key: object) -> None:
    """The canonical form is a key like another, and an old tag's text is among those looked for."""
    assert canonical(canonical(key)) == canonical(key)
    assert str(key) in texts(key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (42, "afc3e9b82021be632b31e80850ae9f9e2b47f85a3be140bab5bb7e6e8b62764e"),
        ("42", "afc3e9b82021be632b31e80850ae9f9e2b47f85a3be140bab5bb7e6e8b62764e"),
        ("zoe@example.org", "2ca599eaccf9339c37e14661724669800e1a6723d6125e40c5fcc7a5cca68016"),
        (
            UUID("12345678-1234-5678-1234-567812345678"),
            "4def233ac7959ab85c573edd161be8e8352a34ec3871f934758d0801c6550c00",
        ),
    ],
)
def test_tag_stays_what_it_was(settings: Settings, key: object, value: str) -> None:
    """Tombstones that were written before keys had one form still name the person."""
    settings.SECRET_KEY = "a secret of this test alone"
    settings.SECRET_KEY_FALLBACKS = []

    assert subject_tag("streaming.Listener", key).value == value


def test_tag_of_another_form_is_still_looked_for(settings: Settings) -> None:
    """A tombstone of a UUID in capitals, written before, is found by the text that it was made of."""
    settings.SECRET_KEY = "a secret of this test alone"
    settings.SECRET_KEY_FALLBACKS = []

    found = {tag.value for tag in subject_tags("streaming.listener", str(SOME).upper())}

    assert "51d0e06ced5007f925fd2aa1cee3a5cca903c71e0920bb4a89e6358dc89ca760" in found
    assert subject_tag("streaming.listener", SOME).value in found


def test_text_that_is_no_unicode_has_a_tag() -> None:
    """JSON may hold half a surrogate pair; it stops no batch."""
    assert subject_tag("streaming.listener", "\ud800") != subject_tag("streaming.listener", "\ud801")


def _behind(*people: str) -> Any:
    """Stand for the tombstones: these people were erased."""
    return lambda keys: set(keys) & set(people)


@pytest.mark.parametrize("held", [42, 42.0, Int64(42), Decimal128("42"), "42", [41, 42.0], {"$odd": 1}])
def test_document_of_an_erased_person_is_left_out(held: object) -> None:
    """Whatever type the key has in the document, and in whichever way its path is written."""
    people = ("42", str({"$odd": 1}))
    documents: list[dict[str, Any]] = [{"a": {"id": held}}, {"a.id": held}, {"a": [{"id": held}]}]

    assert spare(documents, "a.id", _behind(*people)) == []


@pytest.mark.parametrize("held", ["", None, True, False, [], [""], [None, True], 1, 43.0, "042"])
def test_document_of_nobody_or_another_stays(held: object) -> None:
    """An odd document stays, and stops nothing."""
    documents: list[dict[str, Any]] = [{"a": {"id": held}}, {}, {"a": "x"}]

    assert spare(documents, "a.id", _behind("42", "True")) == documents


def test_truth_value_does_not_hide_a_number() -> None:
    """To Python, True equals 1; a batch that holds both still leaves out the person 1."""
    documents: list[dict[str, Any]] = [{"id": True}, {"id": 1}]

    assert spare(documents, "id", _behind("1")) == [{"id": True}]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (42.0, 42),
        (Int64(42), 42),
        ("042", "042"),
        (Binary.from_uuid(SOME), str(SOME)),
        (ID.upper(), ID.upper()),
    ],
)
def test_plain_key_stays_exact(value: object, found: object) -> None:
    """What stores are asked with keeps its text; only numbers and UUIDs become plain."""
    assert plain(value) == found
    assert type(plain(value)) is type(found)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42),
        ("-7", -7),
        ("0", 0),
        ("²", None),
        ("٤٢", None),
        ("007", None),
        ("4_2", None),
        ("9" * 5000, None),
    ],
)
def test_text_of_a_number_is_read_exactly(text: str, number: int | None) -> None:
    """Only what `str()` of a number gives is its text."""
    assert whole_text(text) == number


def test_stores_compare_numbers_by_value_and_the_rest_by_type() -> None:
    """A number of another width is the same one; a truth value and a text are not."""
    assert same(42, Int64(42))
    assert same(42, 42.0)
    assert not same(42, "42")
    assert not same(1, True)
    assert not same(True, 1)
