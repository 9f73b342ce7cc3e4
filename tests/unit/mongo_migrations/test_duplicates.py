"""Which question tells what a unique index would refuse; tests/integration/mongodb asks it."""

from __future__ import annotations

from typing import Any

import pytest

from mongo_migrations.duplicates import duplicates


@pytest.mark.parametrize("key", [{"a": "hashed"}, {"a.0": 1}, {"$**": 1}, {"a": 1, "b": "text"}])
def test_keys_that_no_aggregation_compares_are_not_asked(key: dict[str, Any]) -> None:
    """Nobody can say, rather than all is well."""
    assert duplicates({"key": key}) is None


def test_every_place_where_a_list_may_stand_is_unwound_once() -> None:
    """Outer ones first, and a common beginning only once."""
    stages = duplicates({"key": {"a.b": 1, "a.c": -1}}) or ()

    assert [stage["$unwind"]["path"] for stage in stages if "$unwind" in stage] == ["$a", "$a.b", "$a.c"]
