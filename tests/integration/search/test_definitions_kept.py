"""Definitions are compared as the server keeps them: no false alarm about a spelling, nothing missed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from accord.seam.types import Presence, Probe
from accord.testing import make_lease
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness

pytestmark = pytest.mark.integration

Definition = tuple[Mapping[str, Any], Mapping[str, Any]]
ANALYSIS = {
    "analysis": {
        "analyzer": {"plain": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase"]}},
        "normalizer": {"small": {"type": "custom", "filter": ["lowercase"]}},
    }
}
KINDS: Mapping[str, Definition] = {
    "nothing": ({}, {}),
    "numbers": (
        {
            "properties": {
                "a": {"type": "integer", "coerce": False, "ignore_malformed": True},
                "b": {"type": "half_float"},
                "c": {"type": "long", "index": False, "doc_values": True, "store": True},
                "d": {"type": "byte", "null_value": 7},
                "e": {"type": "integer_range"},
            }
        },
        {"number_of_shards": "2", "number_of_replicas": 0},
    ),
    "texts": (
        {
            "properties": {
                "a": {"type": "text", "analyzer": "plain", "search_analyzer": "standard"},
                "b": {"type": "text", "index_options": "offsets", "norms": False, "term_vector": "yes"},
                "c": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 20}}},
                "d": {"type": "keyword", "normalizer": "small", "eager_global_ordinals": True},
                "e": {"type": "text", "copy_to": ["a", "b"]},
                "f": {"type": "text", "copy_to": "a"},
                "g": {"type": "completion"},
                "h": {"type": "text", "index_prefixes": {"min_chars": 2}},
            }
        },
        ANALYSIS,
    ),
    "dates and places": (
        {
            "properties": {
                "a": {"type": "date", "format": "yyyy-MM-dd||epoch_millis"},
                "b": {"type": "date_nanos"},
                "c": {"type": "geo_point", "ignore_z_value": False},
                "d": {"type": "ip", "null_value": "::1"},
                "e": {"type": "binary"},
                "f": {"type": "boolean", "null_value": True},
                "g": {"type": "date_range", "format": "yyyy"},
            }
        },
        {},
    ),
    "objects": (
        {
            "dynamic": False,
            "date_detection": False,
            "numeric_detection": True,
            "dynamic_date_formats": ["yyyy"],
            "_routing": {"required": True},
            "_meta": {"owner": "shop"},
            "_source": {"excludes": ["x.*"]},
            "dynamic_templates": [
                {"words": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}},
                {"more": {"path_match": "x.*", "mapping": {"type": "text"}}},
            ],
            "properties": {
                "x": {"type": "object", "enabled": False},
                "y": {"type": "nested", "include_in_parent": True, "properties": {"z": {"type": "long"}}},
                "w": {"dynamic": "strict", "properties": {"v.u": {"type": "keyword"}}},
                "alias": {"type": "alias", "path": "w.v.u"},
            },
        },
        {},
    ),
    "settings": (
        {"properties": {"n": {"type": "long"}}},
        {
            "index": {
                "number_of_shards": 1,
                "number_of_replicas": 0,
                "auto_expand_replicas": "0-1",
                "refresh_interval": "1m",
                "max_result_window": 20_000,
                "codec": "best_compression",
                "sort": {"field": ["n"], "order": ["desc"]},
                "mapping": {"total_fields": {"limit": 2000}},
                "number_of_routing_shards": 4,
                "translog.durability": "async",
            },
        },
    ),
    "lists of one": (
        {"properties": {"n": {"type": "long"}}},
        {"sort.field": "n", "query.default_field": ["n"], "hidden": True},
    ),
}  # fmt: skip


def made(make: MakeHarness, url: str) -> SearchHarness:
    """Make an index of each kind in a revision of its own."""
    texts = {}
    for number, (mappings, settings) in enumerate(KINDS.values(), start=1):
        before = f"[('APP', '{number - 1:04}_kind')]" if number > 1 else "[]"
        texts[f"{number:04}_kind"] = (
            "import searchindex as search\n\n\n"
            f"class Migration(search.Migration):\n    dependencies = {before}\n"
            f"    operations = [search.CreateIndex('kind-{number}', {mappings!r}, {settings!r})]\n"
        )
    harness = make(url, texts)
    for step in harness.steps():
        harness.store().apply(step, make_lease())
    return harness


def looked(harness: SearchHarness) -> Mapping[str, Probe]:
    found = {probe.key.name: probe for probe in harness.store().probe(harness.steps())}
    return dict(zip(KINDS, (found[name] for name in sorted(found)), strict=True))


CHANGES = {
    "texts": (
        "_mapping",
        {"properties": {"c": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 9}}}}},
    ),
    "objects": ("_mapping", {"dynamic": True}),
    "settings": ("_settings", {"index.max_result_window": 5}),
}  # fmt: skip


def test_every_kind_of_definition_is_known_again_and_a_change_is_found(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """By what the server says of an empty index that is made like that; a change by hand is told."""
    harness = made(make_search_harness, search_url)

    assert {kind: probe.findings for kind, probe in looked(harness).items()} == dict.fromkeys(KINDS, ())
    for kind, (path, body) in CHANGES.items():
        number = list(KINDS).index(kind) + 1
        harness.ask("PUT", f"/{harness.prefix}kind-{number}/{path}", body)
    after = looked(harness)

    assert {kind for kind, probe in after.items() if probe.presence is Presence.CONFLICTING} == set(CHANGES)
    assert "accord-scratch" not in json.dumps(harness.ask("GET", f"/{harness.prefix}*?expand_wildcards=all"))
