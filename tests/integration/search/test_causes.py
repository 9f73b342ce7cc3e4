"""
What stands in the way of a step on a search server: each cause its own sentence and next move.

Blocks and a closed index are the servers' own. Limits of a whole cluster would hit every other test on it,
and the embedded servers have no users: there a proxy gives the answer that a server in that state gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from accord.errors import StepFailed, StoreRefused
from searchindex import transport
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness, lease
from tests.integration.search.proxy import Answered, Asked, Proxy

pytestmark = pytest.mark.integration
HEAD = "import searchindex as search\n\n\nclass Migration(search.Migration):\n    operations = ["
TRACKS = f'{HEAD}search.CreateIndex("tracks", {{"properties": {{"a": {{"type": "text"}}}}}})]\n'
MAPPING = 'search.PutMapping("tracks", {"properties": {"b": {"type": "keyword"}}}, leave_on_revert=True)'
SETTINGS = 'search.PutSettings("tracks", {"max_result_window": 9000})'
TEMPLATE = 'search.PutTemplate("plays", ["plays-*"], {"settings": {"number_of_replicas": 0}})'
VENUES = 'search.CreateIndex("venues", {"properties": {"at": {"type": "geo_point"}}})'
COPY = 'search.Reindex("tracks", {"properties": {"a": {"type": "keyword"}}})'

STANDING: Mapping[str, tuple[str, str, str, str]] = {
    "full disk": (
        '{"index.blocks.read_only_allow_delete": true}', MAPPING, "fuller than the flood stage", "Make room",
    ),
    "read-only": ('{"index.blocks.read_only": true}', MAPPING, "takes no writes here", "index.blocks.*"),
    "metadata": ('{"index.blocks.metadata": true}', SETTINGS, "takes no writes here", "index.blocks.*"),
    "closed": ("", COPY, "it is closed", "_open"),
}  # fmt: skip
"""Settings of the index (none: it is closed), an operation, and words of message and hint."""
_SHARDS = "this action would add [2] shards, but this cluster has [1000]/[1000] maximum normal shards open;"
_BREAKER = (
    "[parent] Data too large, data for [<http_request>] would be [1026mb], which is larger than the limit"
)
ANSWERED: Mapping[str, tuple[int, Any, str, str, str]] = {
    "shards": (
        400, {"type": "validation_exception", "reason": _SHARDS}, VENUES, "no room for more shards",
        "cluster.max_shards_per_node",
    ),
    "memory": (
        429, {"type": "circuit_breaking_exception", "reason": _BREAKER}, TEMPLATE, "circuit breaker", "heap",
    ),
    "busy": (
        429, {"type": "rejected_execution_exception", "reason": "rejected execution"}, MAPPING,
        "too much to do", "Wait until",
    ),
    "size": (413, None, TEMPLATE, "no request of this size", "http.max_content_length"),
    "late": (
        503, {"type": "process_cluster_event_timeout_exception", "reason": "failed to process (30s)"},
        SETTINGS, "in its own time", "pending_tasks",
    ),
    "nobody": (
        503, {"type": "cluster_manager_not_discovered_exception", "reason": "no manager"}, VENUES,
        "no node that decides", "/_cluster/health",
    ),
    "rights": (
        403, {"type": "security_exception", "reason": "no permissions for [indices:admin/create]"}, VENUES,
        "does not permit PUT", "rights that docs/howto",
    ),
}  # fmt: skip
"""Status and error of the answer to what changes something, an operation, and words of message and hint."""


class RefusingProxy(Proxy):
    """Answers what would change something as a server does that can't; looks are passed on."""

    def __init__(self, url: str, status: int, error: Any) -> None:
        super().__init__(url)
        self._status, self._error = status, error

    def answer(self, asked: Asked) -> Answered:
        if asked.method != "PUT" or "accord" in asked.path:
            return self.pass_on(asked)
        headers = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
        body = b"" if self._error is None else json.dumps({"error": self._error}).encode()
        return Answered(self._status, headers, body)


@pytest.fixture
def tracks(
    make_search_harness: MakeHarness, opensearch_url: str, monkeypatch: pytest.MonkeyPatch
) -> SearchHarness:
    """Give an index, made by a step; requests are repeated without long pauses."""
    monkeypatch.setattr(transport, "_PATIENCE", transport._PATIENCE.new(backoff_max=0.02))
    harness = make_search_harness(opensearch_url, {"0001_tracks": TRACKS})
    harness.store().apply(harness.step("0001_tracks"), lease())
    return harness


def failure(harness: SearchHarness, operation: str) -> StepFailed:
    """Apply a revision of this operation, which is refused, and give its error; the step is pending then."""
    harness.write_revision("0002_cause", f"{HEAD}{operation}]\n")
    store = harness.store()
    with pytest.raises(StepFailed) as caught:
        store.apply(harness.step("0002_cause"), lease())
    return caught.value


def test_what_stands_on_an_index_is_told_as_that(tracks: SearchHarness) -> None:
    """A full disk, a block that somebody set, a closed index: nothing was changed, and nothing is begun."""
    index = f"{tracks.prefix}tracks-0001"
    for name, (settings, operation, says, hint) in STANDING.items():
        if settings:
            tracks.ask("PUT", f"/{index}/_settings", json.loads(settings))
        else:
            tracks.ask("POST", f"/{index}/_close")

        found = failure(tracks, operation)

        assert says in found.message, (name, found)
        assert hint in found.hint, (name, found.hint)
        assert not tracks.store().recorded().begun, name
        if settings:
            tracks.ask("PUT", f"/{index}/_settings", dict.fromkeys(json.loads(settings)))
        else:
            tracks.ask("POST", f"/{index}/_open")


def test_what_a_cluster_runs_out_of_is_told_as_that(tracks: SearchHarness) -> None:
    """Shards, memory, patience, a proxy's limit, a right: nobody is told to correct the revision."""
    for name, (status, error, operation, says, hint) in ANSWERED.items():
        with RefusingProxy(tracks.url, status, error) as proxy:
            through = SearchHarness(tracks.folder, proxy.url, tracks.app)
            found = failure(through, operation)

        assert says in found.message, (name, found)
        assert hint in found.hint, (name, found.hint)
        assert "Correct the revision" not in found.hint, name


def test_a_wrong_password_ends_the_run_and_a_missing_right_a_step(tracks: SearchHarness) -> None:
    """Where nobody knows us nothing can be done at all."""
    tracks.write_revision("0002_cause", f"{HEAD}{VENUES}]\n")
    with RefusingProxy(tracks.url, 401, {"type": "security_exception", "reason": "no"}) as proxy:
        through = SearchHarness(tracks.folder, proxy.url, tracks.app)
        with pytest.raises(StoreRefused, match="rejects the credentials") as caught:
            through.store().apply(through.step("0002_cause"), lease())

    assert not caught.value.lacks_right
