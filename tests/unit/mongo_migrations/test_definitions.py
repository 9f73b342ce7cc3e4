"""Definitions compared without a server; tests/integration/mongodb asks the server about the same."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from types import MappingProxyType
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, Regex, decode, encode

from mongo_migrations.definitions import (
    collection_differences,
    index_differences,
    normalised_index,
    validation_differences,
)


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ({}, {}),
        ({"capped": True, "size": 1000}, {"capped": True, "size": 1024}),
        ({"collation": {"locale": "fr"}}, {"collation": {"locale": "fr", "strength": 3, "version": "57.1"}}),
        ({"timeseries": {"timeField": "at"}}, {"timeseries": {"timeField": "at", "granularity": "seconds"}}),
        ({"expireAfterSeconds": 60}, {"expireAfterSeconds": 60.0}),
    ],
)
def test_defaults_that_a_server_adds_are_no_difference(declared: Any, live: Any) -> None:
    """What means the same is the same."""
    assert collection_differences(declared, live) == []


def test_difference_names_both_sides() -> None:
    """A person reads what is there and what is declared."""
    assert collection_differences({"capped": True, "size": 4096}, {}) == [
        "capped is false, declared is true",
        "size is null, declared is 4096",
    ]


def test_level_and_action_mean_nothing_without_a_validator() -> None:
    """Servers differ in whether they keep them."""
    assert validation_differences({}, {"validationLevel": "strict", "validationAction": "warn"}) == []
    assert validation_differences({"validator": {}}, {}) == []


TUPLES = {"$jsonSchema": {"required": ("a", "b"), "properties": {"a": {"enum": ("x", 1)}}}}
KINDS: list[tuple[Any, Any]] = [
    (TUPLES, {"$jsonSchema": {"required": ["a", "b"], "properties": {"a": {"enum": ["x", 1]}}}}),
    ({"a": {"$gt": dt.datetime(2026, 1, 1, 1, 2, 3, 456789, dt.UTC)}}, None),
    ({"a": re.compile("^x", re.IGNORECASE)}, None),
    ({"a": {"$lt": Int64(5)}}, {"a": {"$lt": 5}}),
    ({"a": {"$ne": Decimal128("1.10")}}, {"a": {"$ne": Decimal128("1.10")}}),
    ({"a": {"$ne": float("nan")}}, {"a": {"$ne": float("nan")}}),
    ({"a": {"$ne": Binary.from_uuid(uuid.UUID(int=5))}}, None),
    (MappingProxyType({"a": {"$type": ("string", "null")}}), {"a": {"$type": ["string", "null"]}}),
]


@pytest.mark.parametrize(("declared", "live"), KINDS)
def test_values_are_compared_as_a_server_keeps_them(declared: Any, live: Any) -> None:
    """BSON rewrites them, which is no difference, in rules and in the filter of an index."""
    kept = decode(encode({"v": declared})) if live is None else {"v": live}

    assert validation_differences({"validator": declared}, {"validator": kept["v"]}) == []
    index = {"key": {"a": 1}, "name": "a_1"}
    filters = [{**index, "partialFilterExpression": value} for value in (declared, kept["v"])]
    assert index_differences(*filters) == []
    assert collection_differences({"storageEngine": declared}, {"storageEngine": kept["v"]}) == []


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ({"a": {"$in": (1, 2)}}, {"a": {"$in": [2, 1]}}),
        ({"a": {"$in": [1]}}, {"a": {"$in": [True]}}),
        ({"a": re.compile("x")}, {"a": Regex("x", "i")}),
        ({"a": {"$gt": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}}, {"a": {"$gt": dt.datetime(2026, 1, 2)}}),  # noqa: DTZ001 - as BSON decodes it
        ({"a": object()}, {"a": 1}),
    ],
)
def test_what_means_something_else_stays_a_difference(declared: Any, live: Any) -> None:
    """Order of a list, kind of a value, flags of a pattern."""
    assert validation_differences({"validator": declared}, {"validator": live}) != []


def test_order_of_keys_in_a_validator_does_not_matter() -> None:
    """A schema is a set of rules."""
    assert validation_differences({"validator": {"a": 1, "b": 2}}, {"validator": {"b": 2, "a": 1}}) == []


def test_order_of_keys_in_an_index_matters() -> None:
    """Two orders are two indexes."""
    [difference] = index_differences(
        {"key": {"a": 1, "b": 1}, "name": "x"}, {"key": {"b": 1, "a": 1}, "name": "x"}
    )

    assert difference.startswith("key is")


def test_text_keys_become_one_with_weights() -> None:
    """A server keeps fields of a text index as weights."""
    index = normalised_index({"key": {"year": 1, "title": "text", "words": "text"}, "weights": {"title": 5}})

    assert list(index["key"].items()) == [("year", 1), ("_fts", "text"), ("_ftsx", 1)]
    assert index["weights"] == {"title": 5, "words": 1}


def test_index_inherits_the_collation_of_its_collection() -> None:
    """An index that says nothing compares texts as its collection does."""
    french = {"locale": "fr", "strength": 2}
    live = {"key": {"a": 1}, "name": "a_1", "collation": {**french, "caseLevel": False}}

    assert index_differences({"key": {"a": 1}, "name": "a_1"}, live, french) == []
    assert index_differences({"key": {"a": 1}, "name": "a_1"}, live) != []
