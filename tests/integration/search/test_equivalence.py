"""What a server rewrites is the same, what it has more is not, and what is somebody else's is not asked."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from accord.errors import ConflictingState, InvalidRevision, StepFailed
from accord.health.runner import Level
from searchindex.blocks import FLOOD
from searchindex.definitions import merged
from searchindex.health_checks import look_at_aliases, look_at_cluster
from searchindex.operations.template import PutTemplate
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness, lease
from tests.integration.search.proxy import Answered, Asked, Proxy

pytestmark = pytest.mark.integration

_REVISION = "import searchindex as search\n\nclass Migration(search.Migration):\n    operations = [{}]\n"
BY_HAND: Mapping[str, Any] = {"priority": 501, "version": 3, "_meta": {"owner": "us"}, "data_stream": {}}


def one_step(make: MakeHarness, url: str, operation: str) -> SearchHarness:
    """Give a revision of one operation."""
    return make(url, {"0001_one": _REVISION.format(operation)})


def apply(harness: SearchHarness) -> int:
    """Apply the step; give the number of changes."""
    return harness.store().apply(harness.steps()[0], lease()).changed


# --- settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"number_of_replicas": 3, "auto_expand_replicas": "0-1"},
        {"number_of_routing_shards": 8, "number_of_shards": 2},
        {"number_of_replicas": 0, "auto_expand_replicas": False},
    ],
)
def test_index_whose_settings_the_server_rewrites_is_met_as_its_own(
    make_search_harness: MakeHarness, search_url: str, settings: Mapping[str, Any]
) -> None:
    """As after a kill before the ledger was written."""
    harness = one_step(make_search_harness, search_url, f'search.CreateIndex("tracks", settings={settings})')
    apply(harness)
    harness.store().forget(harness.steps()[0], lease())

    assert apply(harness) == 0


def test_number_of_replicas_that_differs_is_told(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """Without the setting by which the server chooses it."""
    operation = 'search.CreateIndex("tracks", settings={"number_of_replicas": 0})'
    harness = one_step(make_search_harness, opensearch_url, operation)
    body = {
        "aliases": {f"{harness.prefix}tracks": {"is_write_index": True}},
        "settings": {"number_of_replicas": 1},
    }
    harness.ask("PUT", f"/{harness.prefix}tracks-0001", body)

    with pytest.raises(ConflictingState, match="number_of_replicas: declared"):
        apply(harness)


# --- templates -----------------------------------------------------------------------------------------


def by_hand(harness: SearchHarness) -> Mapping[str, Any]:
    """Write a template that has more parts than a revision may think of; give it as the server has it."""
    body = {**BY_HAND, "index_patterns": [f"{harness.prefix}plays-*"]}
    harness.ask("PUT", f"/_index_template/{harness.prefix}plays", body)
    return template(harness)


def template(harness: SearchHarness) -> Mapping[str, Any]:
    """Read the template."""
    found = harness.ask("GET", f"/_index_template/{harness.prefix}plays")["index_templates"]
    body: Mapping[str, Any] = found[0]["index_template"]
    return body


@pytest.mark.parametrize("pattern", ["plays-*", "charts-*"])
def test_template_that_has_more_than_is_declared_is_left_as_it_is(
    make_search_harness: MakeHarness, search_url: str, pattern: str
) -> None:
    """Neither called equal nor stripped: the parts are named."""
    operation = f'search.PutTemplate("plays", ["{pattern}"], priority=501)'
    harness = one_step(make_search_harness, search_url, operation)
    before = by_hand(harness)

    with pytest.raises(ConflictingState) as failure:
        apply(harness)

    assert all(part in str(failure.value) for part in ("data_stream", "version", "_meta"))
    assert template(harness) == before


@pytest.mark.parametrize(
    ("more", "changed"),
    [
        ('{"version": 3, "_meta": {"owner": "us"}, "data_stream": {}}', 0),
        ('{"version": 4, "_meta": {"owner": "us"}, "data_stream": {}}', 1),
        ('{"version": None, "_meta": None, "data_stream": {}}', 1),
    ],
)
def test_parts_of_a_template_are_declared_and_undone(
    make_search_harness: MakeHarness, search_url: str, more: str, changed: int
) -> None:
    """The same is the same; another version is sent; None takes a part out; the revert brings all back."""
    operation = f'search.PutTemplate("plays", ["plays-*"], priority=501, more={more})'
    harness = one_step(make_search_harness, search_url, operation)
    before = by_hand(harness)

    assert apply(harness) == changed
    assert ("version" in template(harness)) == ("None" not in more)
    harness.store().revert(harness.steps()[0], lease())

    assert template(harness) == before


def test_argument_that_is_written_twice_is_refused() -> None:
    """One place for each part."""
    with pytest.raises(InvalidRevision, match="priority"):
        PutTemplate("plays", ["plays-*"], more={"priority": 600})


# --- fields and aliases --------------------------------------------------------------------------------


def test_what_a_mapping_does_not_name_stays(make_search_harness: MakeHarness, search_url: str) -> None:
    """What a server resets when a field is named again: its parameters, and those of the whole mapping."""
    declared = {
        "_meta": {"version": 2},
        "properties": {
            "title": {"type": "keyword"},
            "place": {"properties": {"town": {"type": "text"}, "zip": {"type": "keyword"}}},
            "mood": {"type": "keyword"},
        },
    }
    operation = f'search.PutMapping("tracks", {declared!r}, leave_on_revert=True)'
    harness = one_step(make_search_harness, search_url, operation)
    there = {
        "dynamic": "strict",
        "_meta": {"owner": "us", "version": 1},
        "_routing": {"required": True},
        "properties": {
            "title": {"type": "keyword", "ignore_above": 10, "fields": {"words": {"type": "text"}}},
            "place": {
                "dynamic": "false",
                "properties": {"town": {"type": "text", "search_analyzer": "stop"}},
            },
        },
    }
    there["properties"]["place"]["properties"]["town"]["analyzer"] = "standard"  # type: ignore[index]  # nested
    index = f"{harness.prefix}tracks-0000"
    harness.ask("PUT", f"/{index}", {"mappings": there, "aliases": {f"{harness.prefix}tracks": {}}})
    before = harness.ask("GET", f"/{index}/_mapping")[index]["mappings"]

    apply(harness)

    after = harness.ask("GET", f"/{index}/_mapping")[index]["mappings"]
    assert after == merged(before, declared)
    assert after["properties"]["title"]["ignore_above"] == 10
    assert after["_meta"] == {"owner": "us", "version": 2}


@pytest.mark.parametrize(
    ("definition", "left"),
    [
        ("{}", None),
        ('{"filter": {"term": {"public": True}}}', None),
        ('{"filter": {"term": {"public": True}}, "routing": None}', {"filter"}),
        ('{"filter": None, "routing": "1"}', {"index_routing", "search_routing"}),
    ],
)
def test_alias_that_shows_a_part_is_not_switched_to_show_all(
    make_search_harness: MakeHarness, search_url: str, definition: str, left: set[str] | None
) -> None:
    """A filter may keep documents from those who should not see them; what is said is done, and undone."""
    harness = make_search_harness(
        search_url,
        {
            "0001_made": _REVISION.format('search.CreateIndex("old"), search.CreateIndex("new")'),
            "0002_moved": _REVISION.format(f'search.SwitchAlias("hits", "new", {definition})'),
        },
    )
    harness.store().apply(harness.steps()[0], lease())
    by_hand = {"filter": {"term": {"public": True}}, "routing": "1"}
    alias, step = f"{harness.prefix}hits", harness.steps()[1]
    harness.ask("PUT", f"/{harness.prefix}old-0001/_alias/{alias}", by_hand)
    before = harness.ask("GET", f"/_alias/{alias}")

    if left is None:
        with pytest.raises(ConflictingState, match="index_routing, search_routing"):
            harness.store().apply(step, lease())
    else:
        harness.store().apply(step, lease())
        after = harness.ask("GET", f"/_alias/{alias}")
        assert set(after[f"{harness.prefix}new-0001"]["aliases"][alias]) == left
        harness.store().revert(step, lease())

    assert harness.ask("GET", f"/_alias/{alias}") == before


# --- somebody else's index ---------------------------------------------------------------------------------


class BlockedElsewhere(Proxy):
    """
    Answers whoever looks at all indexes as a server does on which somebody blocked one.

    A real block would stop the tests beside this one.
    """

    def answer(self, asked: Asked) -> Answered | None:
        path = asked.path.partition("?")[0]
        of_all = path.startswith(("/_alias", "/_all", "/_mapping", "/_settings")) or "*" in path
        if asked.method != "GET" or not of_all or path.startswith("/_cluster"):
            return self.pass_on(asked)
        error = {"type": "cluster_block_exception", "reason": "index [other] blocked by: [FORBIDDEN/9]"}
        return Answered(403, {"Content-Type": "application/json"}, json.dumps({"error": error}).encode())


def test_index_that_somebody_blocked_stops_no_step(make_search_harness: MakeHarness, search_url: str) -> None:
    """A step asks for the names that it is about, and for no others."""
    texts = {
        "0001_made": _REVISION.format('search.CreateIndex("tracks"), search.AddAlias("hits", "tracks")'),
        "0002_moved": _REVISION.format('search.Reindex("tracks"), search.RemoveAlias("hits")'),
        "0003_gone": _REVISION.format('search.DropIndex("tracks", even_with_data=True)'),
    }
    harness = make_search_harness(search_url, texts)

    with BlockedElsewhere(search_url) as proxy:
        store = harness.store(proxy.url)
        for step in harness.steps():
            store.apply(step, lease())
        assert [step.key.name for step in harness.steps() if step.key in store.applied()] == list(texts)


def test_index_that_somebody_blocked_hides_nothing_from_health(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """Aliases and blocks are seen; an index of ours that takes no writes is named."""
    harness = one_step(make_search_harness, search_url, 'search.CreateIndex("tracks")')
    apply(harness)

    with BlockedElsewhere(search_url) as proxy:
        store = harness.store(proxy.url)
        assert look_at_aliases("search", store).level is Level.OK
        assert "Read-only" not in look_at_cluster("search", store).message
        harness.ask("PUT", f"/{harness.prefix}tracks/_settings", {FLOOD: True})
        found = look_at_cluster("search", store)

    assert found.level is Level.CRITICAL
    assert f"Read-only: {harness.prefix}tracks-0001." in found.message


# --- a full disk -------------------------------------------------------------------------------------------


def test_full_disk_is_told_at_once_and_with_the_way_on(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """By our own requests and by those of functions; nobody waits for a disk to get empty."""
    function = "import searchindex as search\n\ndef fill(context):\n"
    function += "    context.client.index(index=context.index('tracks'), id='jane', document={'a': 1})\n\n"
    operations = {
        "0002_mapping": 'search.PutMapping("tracks", {"properties": {"a": {"type": "long"}}})',
        "0003_copy": 'search.Reindex("tracks")',
        "0004_fill": "search.RunPython(fill)",
    }
    harness = make_search_harness(
        opensearch_url,
        {
            "0001_made": _REVISION.format('search.CreateIndex("tracks")'),
            **{name: function + _REVISION.format(text) for name, text in operations.items()},
        },
    )
    apply(harness)
    harness.ask("PUT", f"/{harness.prefix}tracks/_settings", {FLOOD: True})

    told: list[str] = []
    for step in harness.steps()[1:]:
        began = time.monotonic()
        with pytest.raises(StepFailed) as failure:
            harness.store().apply(step, lease())
        assert time.monotonic() - began < 3, step.key
        assert FLOOD in failure.value.hint, (step.key, failure.value.hint)
        told.append(failure.value.message)

    assert "ApiError (429 cluster_block_exception) at 0004_fill.py, line 4" in told[-1]
    assert is_blocked_for_good(harness)


def is_blocked_for_good(harness: SearchHarness) -> bool:
    """Tell that the server's own block stands, and none of ours."""
    found = harness.ask("GET", f"/{harness.prefix}tracks-0001/_settings?flat_settings=true")
    settings = found[f"{harness.prefix}tracks-0001"]["settings"]
    return FLOOD in settings and "index.blocks.write" not in settings
