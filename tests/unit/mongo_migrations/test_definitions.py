"""Definitions compared without a server; tests/integration/mongodb asks the server about the same."""

from __future__ import annotations

from typing import Any

import pytest

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
