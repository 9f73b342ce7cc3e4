"""What an operation shows is what it sends: one text."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import patch

import pytest

from accord.seam.types import Direction, StepKey
from searchindex.requests import Request
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness, lease

pytestmark = pytest.mark.integration

TRACKS = """import searchindex as search


class Migration(search.Migration):
    operations = [search.CreateIndex("tracks", {"properties": {"a": {"type": "text"}}})]
"""
HEAD = "import searchindex as search\n\n\nclass Migration(search.Migration):\n    operations = ["
OPERATIONS = [
    'search.CreateIndex("venues", {"properties": {"at": {"type": "geo_point"}}}, {"number_of_replicas": 0})',
    'search.DropIndex("tracks", number="0009")',
    'search.PutMapping("tracks", {"properties": {"b": {"type": "keyword"}}}, leave_on_revert=True)',
    'search.PutSettings("tracks", {"refresh_interval": "9s"})',
    'search.PutTemplate("plays", ["plays-*"], {"settings": {"number_of_replicas": 0}})',
    'search.AddAlias("songs", "tracks", {"is_write_index": True})',
    'search.SwitchAlias("tunes", "tracks")',
    'search.Reindex("tracks", {"properties": {"a": {"type": "keyword"}}}, {"number_of_replicas": 0})',
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_shown_is_what_is_sent(
    operation: str, make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """Each request that a dry run shows is sent, with the same body."""
    change = f"{HEAD}{operation}]\n"
    harness = make_search_harness(opensearch_url, {"0001_tracks": TRACKS, "0002_change": change})
    harness.store().apply(harness.step("0001_tracks"), lease())
    physical = f"{harness.prefix}tracks-0001"
    harness.ask("PUT", f"/{harness.prefix}tracks-0009")

    for direction in Direction:
        step = harness.step("0002_change")
        if direction is Direction.REVERT and step.irreversible:
            continue
        shown = _shown(harness, direction, physical)
        sent = _sent(harness, step.key, direction)
        if "Reindex" in operation:
            # It takes along what the server says of each alias, which a dry run doesn't ask.
            sent = [text.replace(',\n        "is_write_index": true', "") for text in sent]
            # And the mark that it bears until the alias has moved is made of what is live.
            sent = [re.sub(r',\n    "_meta": \{\n.*\n    \}', "", text) for text in sent]

        assert not [text for text in shown if text not in sent]


def _shown(harness: SearchHarness, direction: Direction, physical: str) -> list[str]:
    """Give what a dry run shows, with the one index that the alias stands for."""
    [(_, statements)] = harness.store().explain([harness.step("0002_change")], direction)
    texts = [statement.text for statement in statements if not statement.opaque]
    alias = f"{harness.prefix}tracks"
    return [
        text.replace(f"<index behind {alias}>", physical).replace(f"PUT /{alias}/_", f"PUT /{physical}/_")
        for text in texts
        if f"<index behind {harness.prefix}tunes>" not in text
    ]


def _sent(harness: SearchHarness, key: StepKey, direction: Direction) -> list[str]:
    """Apply or revert, and give what went out on the store's own connection."""
    store, sent = harness.store(), []
    request = store.transport.request

    def remember(method: str, path: str, body: object = None, **options: Any) -> Any:
        sent.append(Request(method, path, body).statement().text)
        return request(method, path, body, **options)

    with patch.object(store.transport, "request", remember):
        getattr(store, direction)(harness.step(key.name), lease())
    return sent
