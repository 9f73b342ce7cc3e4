"""Comparing what is declared with what a server says."""

from __future__ import annotations

import pytest

from searchindex.definitions import (
    flat_settings,
    mapping_differences,
    merged,
    same_value,
    settings_differences,
)


@pytest.mark.parametrize(
    "written",
    [
        {"number_of_shards": 1, "refresh_interval": "5s"},
        {"index": {"number_of_shards": "1", "refresh_interval": "5s"}},
        {"index.number_of_shards": 1, "index": {"refresh_interval": "5s"}},
    ],
)
def test_settings_have_one_form(written: dict[str, object]) -> None:
    """Nested, dotted, with and without prefix, number or text: it is the same."""
    assert flat_settings(written) == {"index.number_of_shards": "1", "index.refresh_interval": "5s"}


def test_settings_of_an_analyzer_keep_their_lists() -> None:
    """Lists are texts in order; a list of one equals its only value."""
    declared = {"analysis": {"filter": {"stop": {"type": "stop", "stopwords": ["og", "i"]}}}}
    live = {"index.analysis.filter.stop.type": "stop", "index.analysis.filter.stop.stopwords": ["og", "i"]}

    assert settings_differences(declared, live) == []
    assert settings_differences({"a": ["x"]}, {"index.a": "x"}) == []


def test_difference_of_a_setting_is_named() -> None:
    """Both sides are shown."""
    assert settings_differences({"knn": True}, {}) == ['setting index.knn: declared "true", found nothing']


def test_more_than_declared_is_no_difference_unless_forbidden() -> None:
    """Fields that came by dynamic mapping are fine; under a strict mapping they are not."""
    live = {"dynamic": "strict", "properties": {"a": {"type": "text"}, "b": {"type": "text"}}}
    fields = {"a": {"type": "text"}}

    assert mapping_differences({"properties": fields}, live) == []
    assert mapping_differences({"dynamic": "strict", "properties": fields}, live) == [
        "field b: not declared, but there"
    ]


def test_what_a_server_leaves_out_is_its_default() -> None:
    """`index: true` and the type `object` are not returned, and not missing."""
    declared = {
        "properties": {"a": {"type": "text", "index": True}, "o": {"type": "object", "properties": {}}}
    }
    live = {"properties": {"a": {"type": "text"}, "o": {"properties": {"x": {"type": "long"}}}}}

    assert mapping_differences(declared, live) == []


def test_missing_and_different_fields_are_named_by_their_path() -> None:
    """Sub-fields and inner fields carry the names of what they are in."""
    declared = {"properties": {"title": {"type": "text", "fields": {"raw": {"type": "keyword"}}}}}

    assert mapping_differences(declared, {"properties": {"title": {"type": "text"}}}) == [
        "field title.raw: missing"
    ]
    assert mapping_differences(declared, {"properties": {"title": {"type": "keyword"}}}) == [
        'field title: type declared "text", found "keyword"',
        "field title.raw: missing",
    ]


@pytest.mark.parametrize(
    ("declared", "live", "same"),
    [
        (1, "1", True),
        (1.0, 1, True),
        (True, "true", True),
        (False, "true", False),
        ({"a": 1}, {"a": "1", "b": 2}, True),
        (["a"], "a", True),
        (["a", "b"], ["b", "a"], False),
        ("x", None, False),
        (None, None, True),
    ],
)
def test_values_are_compared_by_meaning(declared: object, live: object, same: object) -> None:
    """Numbers and booleans may be text; lists keep their order."""
    assert same_value(declared, live) is same


def test_merged_fields_win_over_those_below() -> None:
    """A merge goes down into mappings and leaves its arguments alone."""
    under = {"properties": {"a": {"type": "text"}}}

    result = merged(under, {"properties": {"b": {"type": "long"}}})

    assert result == {"properties": {"a": {"type": "text"}, "b": {"type": "long"}}}
    assert under == {"properties": {"a": {"type": "text"}}}
