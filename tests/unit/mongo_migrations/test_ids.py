"""Ids as bytes, without a server."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from bson import (
    Binary,
    Code,
    DBRef,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
    decode,
    encode,
)

from mongo_migrations import ids

VALUES: list[Any] = [
    *(MinKey(), MaxKey(), None, True, -5, 1.5, float("nan"), Int64(2**40), Decimal128("3.25"), "", "é"),
    *({"day": 1}, [1, [2]], Binary(b"\x00\x01"), Binary(b"x" * 16, 4), ObjectId(), DBRef("a", 1)),
    *(dt.datetime(2026, 1, 1), Timestamp(5, 6), Code("x"), Code("x", {"a": 1}), Regex("a", "i")),  # noqa: DTZ001 - as BSON decodes it
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_id_is_found_wherever_it_stands(value: Any) -> None:
    """First as a server puts it, or behind a value of any type."""
    behind = {str(number): other for number, other in enumerate(VALUES)}

    for document in ({"_id": value, "n": 1}, {**behind, "_id": value, "n": 1}):
        assert ids.of(ids.raw(encode(document))) == encode({"_id": value})


def test_condition_holds_every_id_as_it_is() -> None:
    """The same bytes as if the driver had written it."""
    condition = ids.among(encode({"_id": value}) for value in VALUES)

    assert bytes(condition.raw) == encode({"_id": {"$in": VALUES}})


def test_document_without_an_id_has_none() -> None:
    """Not a wrong one."""
    with pytest.raises(KeyError):
        ids.of(ids.raw(encode({"n": 1})))


@pytest.mark.parametrize(
    ("value", "personal", "told"),
    [
        (5, False, "_id 5"),
        (ObjectId("0" * 24), False, f'_id ObjectId("{"0" * 24}")'),
        (5, True, "_id of type int"),
        ("ada@example.org", False, "_id of type string"),
        ({"mail": "ada@example.org"}, False, "_id of type object"),
        (Code("x", {"a": 1}), False, "_id of type 0x0f"),
    ],
)
def test_message_tells_no_id_that_may_be_a_person(value: Any, personal: bool, told: str) -> None:
    """Numbers and what a driver made are told, unless the documents are people's."""
    assert ids.told(encode({"_id": value}), personal=personal) == told


def test_value_of_an_earlier_version_becomes_the_same_bytes() -> None:
    """Checkpoints used to hold the value."""
    assert decode(ids.of_value(5)) == {"_id": 5}
