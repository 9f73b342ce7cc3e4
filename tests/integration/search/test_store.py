"""The search store on real servers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from accord.errors import (
    AccordError,
    ConflictingState,
    IrreversibleStep,
    LeaseLost,
    StaleFence,
    StepFailed,
    StoreRefused,
    StoreUnavailable,
    UnsupportedServer,
)
from accord.events import Event, StepNoted, StepProgressed
from accord.seam.assertions import Moment
from accord.seam.differences import texts
from accord.seam.types import Direction, Presence, Step
from searchindex.operations.base import Expected
from searchindex.store import SearchStore
from tests.chance import chance, moments
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness, lease
from tests.integration.search.catalog import CATALOG
from tests.integration.search.proxy import Answered, Asked, Proxy, SwallowingProxy

pytestmark = pytest.mark.integration


def revision(*operations: str, head: str = "") -> str:
    """Write a revision with these operations."""
    listed = ", ".join(operations)
    body = f"class Migration(search.Migration):\n    operations = [{listed}]\n"
    return f"import searchindex as search\n{head}\n\n{body}"


TRACKS = 'search.CreateIndex("tracks", mappings={"properties": {"title": {"type": "text"}}})'


class Heard(list[Event]):
    """A reporter that remembers."""

    def __call__(self, event: Event) -> None:
        self.append(event)


def apply_all(harness: SearchHarness, fence: int = 1) -> list[Step]:
    """Apply every step of a namespace."""
    steps = harness.steps()
    for step in steps:
        harness.store().apply(step, lease(fence))
    return steps


# --- the everyday ----------------------------------------------------------------------------------


def test_every_operation_applies_and_reverts_to_nothing(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """All steps forward, all steps back: neither index, alias, template nor entry is left."""
    harness = make_search_harness(search_url, CATALOG)
    empty = harness.observe()

    steps = apply_all(harness)
    assert set(harness.store().applied()) == {step.key for step in steps}
    assert len(harness.documents(f"{harness.prefix}catalog")) == 3000
    for step in reversed(steps):
        harness.store().revert(step, lease())

    assert harness.observe() == empty
    assert harness.store().applied() == {}


def test_a_virgin_server_has_nothing_applied_and_stays_virgin(search_harness: SearchHarness) -> None:
    """Reading the ledger creates none."""
    assert search_harness.store().applied() == {}

    assert search_harness.ask("GET", f"/{search_harness.prefix}*?expand_wildcards=all") == {}


def test_an_applied_step_is_not_applied_again(search_harness: SearchHarness) -> None:
    """The second time says that nothing had to be done."""
    steps = apply_all(search_harness)
    before = search_harness.observe(), search_harness.ledger()

    outcomes = [search_harness.store().apply(step, lease()) for step in steps]

    assert all(outcome.already for outcome in outcomes)
    assert (search_harness.observe(), search_harness.ledger()) == before


def test_reverted_template_and_settings_are_what_they_were(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """Undoing puts back what the ledger kept, not what an older revision says."""
    harness = make_search_harness(
        opensearch_url,
        {
            "0001_tracks": revision(TRACKS),
            "0002_more": revision(
                'search.PutTemplate("plays", ["plays-*"], {"settings": {"codec": "best_compression"}})',
                'search.PutSettings("tracks", {"refresh_interval": "9s"})',
            ),
        },
    )
    first, second = harness.steps()
    harness.store().apply(first, lease())
    harness.ask("PUT", f"/{harness.prefix}tracks/_settings", {"index.refresh_interval": "3s"})
    by_hand = {"index_patterns": [f"{harness.prefix}old-*"], "priority": 900}
    harness.ask("PUT", f"/_index_template/{harness.prefix}plays", by_hand)
    before = harness.observe()

    harness.store().apply(second, lease())
    assert harness.observe() != before
    harness.store().revert(second, lease())

    assert harness.observe() == before


def test_reindex_reports_progress_and_keeps_the_old_index(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """The copy counts what it copied; the old index stays, and takes no writes."""
    harness = make_search_harness(search_url, CATALOG)
    heard = Heard()

    for step in harness.steps()[:3]:
        harness.store().apply(step, lease(), heard)

    progress = [event for event in heard if isinstance(event, StepProgressed) and "0003" in event.key]
    assert progress[-1].done == progress[-1].total == 3000
    old, new = (harness.documents(f"{harness.prefix}tracks-{number}") for number in ("0001", "0003"))
    assert old == new
    with pytest.raises(AssertionError, match="cluster_block_exception"):
        harness.ask("PUT", f"/{harness.prefix}tracks-0001/_doc/1", {"title": "late"})


def test_failed_reindex_lets_the_old_index_take_writes_again(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """Documents that the new mapping refuses stop the copy; application traffic goes on."""
    harness = make_search_harness(
        search_url,
        {
            "0001_tracks": revision(TRACKS),
            "0002_numbers": revision(
                'search.Reindex("tracks", mappings={"properties": {"title": {"type": "integer"}}})'
            ),
        },
    )
    first, second = harness.steps()
    harness.store().apply(first, lease())
    harness.ask("PUT", f"/{harness.prefix}tracks/_doc/1", {"title": "no number at all"})

    with pytest.raises(StepFailed) as failure:
        harness.store().apply(second, lease())

    assert "no number at all" not in str(failure.value)
    harness.ask("PUT", f"/{harness.prefix}tracks/_doc/2", {"title": "still written"})
    assert f"{harness.prefix}tracks-0001" in harness.ask("GET", f"/_alias/{harness.prefix}tracks")
    assert harness.store().applied().keys() == {first.key}


def test_corrected_revision_continues_after_a_failure(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """A failed revision may be edited; what it did already is met as its own work."""
    wrong = 'search.PutMapping("tracks", {"properties": {"a": {"type": "text", "analyzer": "none-such"}}})'
    harness = make_search_harness(opensearch_url, {"0001_tracks": revision(TRACKS, wrong)})
    with pytest.raises(StepFailed, match="none-such"):
        harness.store().apply(harness.step("0001_tracks"), lease())

    harness.write_revision("0001_tracks", revision(TRACKS, wrong.replace("none-such", "french")))
    outcome = harness.store().apply(harness.step("0001_tracks"), lease())

    assert not outcome.already
    mapping = harness.ask("GET", f"/{harness.prefix}tracks/_mapping")[f"{harness.prefix}tracks-0001"]
    assert mapping["mappings"]["properties"]["a"]["analyzer"] == "french"


def test_languages_places_and_vectors_are_indexed(make_search_harness: MakeHarness, search_url: str) -> None:
    """One declaration makes a vector field, a geo field and fields by language on both engines."""
    fields = '{"name": {"type": "text", "analyzer": "standard"}, "at": {"type": "geo_point"}, "like": LIKE}'
    create = f'search.CreateIndex("venues", mappings={{"properties": {fields}}})'
    text = revision(create.replace("LIKE", 'search.vector_field(3, "cosine")'))
    harness = make_search_harness(search_url, {"0001_venues": text})

    apply_all(harness)
    alias = f"{harness.prefix}venues"
    harness.ask(
        "PUT", f"/{alias}/_doc/1?refresh", {"name": "Österåker", "at": "59.4,18.3", "like": [1, 0, 0]}
    )
    harness.ask("PUT", f"/{alias}/_doc/2?refresh", {"name": "دبي", "at": "25.2,55.3", "like": [0, 1, 0]})

    opensearch = "knn" in str(harness.ask("GET", f"/{alias}/_mapping"))
    near = {"vector": [0, 0.9, 0.1], "k": 1}
    query: dict[str, Any] = {"query": {"knn": {"like": near}}, "size": 1}
    if not opensearch:
        query = {"knn": {"field": "like", "query_vector": near["vector"], "k": 1, "num_candidates": 5}}
    assert harness.ask("POST", f"/{alias}/_search", query)["hits"]["hits"][0]["_id"] == "2"


def test_drop_index_removes_the_old_copy(make_search_harness: MakeHarness, opensearch_url: str) -> None:
    """After a reindex a later revision may drop the index that nobody uses, and only that one."""
    harness = make_search_harness(
        opensearch_url,
        {
            "0001_tracks": revision(TRACKS),
            "0002_early": revision('search.DropIndex("tracks", number="0001")'),
            "0003_copy": revision('search.Reindex("tracks")'),
        },
    )
    create, drop, copy = harness.steps()
    harness.store().apply(create, lease())

    with pytest.raises(ConflictingState, match="still in use"):
        harness.store().apply(drop, lease())
    harness.store().apply(copy, lease())
    harness.store().apply(drop, lease())

    indexes = harness.observe()["indexes"]  # type: ignore[index]  # the harness observes a mapping
    assert list(indexes) == [f"{harness.prefix}tracks-0003"]
    with pytest.raises(IrreversibleStep):
        harness.store().revert(drop, lease())


# --- what is there already ---------------------------------------------------------------------------


def test_an_index_of_another_definition_is_a_conflict(search_harness: SearchHarness) -> None:
    """The difference is named, and nothing is changed."""
    search_harness.spoil()
    before = search_harness.observe()

    with pytest.raises(ConflictingState, match=r"title: type declared \"text\", found \"keyword\""):
        search_harness.store().apply(search_harness.step("0001_tracks"), lease())

    assert search_harness.observe() == before


def test_the_same_index_made_by_hand_is_taken_over(make_search_harness: MakeHarness, search_url: str) -> None:
    """Another spelling of the same definition is no conflict: the server is asked how it writes it."""
    mapping = '{"properties": {"day": {"type": "date", "format": "date", "index": True, "locale": "en"}}}'
    create = f'search.CreateIndex("days", mappings={mapping}, settings={{"number_of_shards": "1"}})'
    harness = make_search_harness(search_url, {"0001_days": revision(create)})
    body = {
        "aliases": {f"{harness.prefix}days": {"is_write_index": True}},
        "mappings": {"properties": {"day": {"type": "date", "format": "date", "locale": "en"}}},
        "settings": {"index": {"number_of_shards": 1}},
    }
    harness.ask("PUT", f"/{harness.prefix}days-0001", body)

    apply_all(harness)

    assert len(harness.store().applied()) == 1
    assert not [
        name for name in harness.ask("GET", f"/{harness.prefix}*?expand_wildcards=all") if "scratch" in name
    ]


def test_change_that_needs_a_copy_points_to_reindex(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """A server's refusal to change a type in place says which operation does it."""
    change = 'search.PutMapping("tracks", {"properties": {"title": {"type": "keyword"}}})'
    harness = make_search_harness(
        search_url, {"0001_tracks": revision(TRACKS), "0002_type": revision(change)}
    )

    with pytest.raises(StepFailed, match="in place") as failure:
        apply_all(harness)

    assert 'Reindex("tracks"' in failure.value.hint


def test_unknown_analyzer_is_the_servers_own_reason(
    make_search_harness: MakeHarness, elasticsearch_url: str
) -> None:
    """The core of Elasticsearch has no French; its sentence reaches the person."""
    create = TRACKS.replace('"text"', '"text", "analyzer": "french"')
    harness = make_search_harness(elasticsearch_url, {"0001_tracks": revision(create)})

    with pytest.raises(StepFailed, match="french"):
        apply_all(harness)

    assert harness.store().applied() == {}


def test_baseline_is_judged_by_what_all_steps_leave(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """On a migrated server every step is there; on an empty one none; a changed one is named."""
    harness = make_search_harness(search_url, CATALOG)
    assert {probe.presence for probe in harness.store().probe(harness.steps())} == {
        Presence.ABSENT,
        Presence.PARTIAL,
    }
    steps = apply_all(harness)

    assert [probe.presence for probe in harness.store().probe(steps)] == [Presence.DONE] * 4

    harness.ask("PUT", f"/{harness.prefix}tracks/_settings", {"index.max_result_window": 5})
    last = list(harness.store().probe(steps))[-1]
    assert last.presence is Presence.CONFLICTING
    assert "max_result_window" in " ".join(texts(last.findings))


def test_indexes_that_nobody_declares_are_named(make_search_harness: MakeHarness, search_url: str) -> None:
    """Under the prefix alone; not the ledger, an earlier one of a copy, or one of a declared template."""
    harness = make_search_harness(search_url, CATALOG)
    steps = apply_all(harness)
    store = harness.store()
    assert list(store.undeclared(steps)) == []
    alias = next(name for kind, name in _expected(store, steps) if kind == "index")
    others = [f"{harness.prefix}by_hand", f"else-{harness.prefix}by_hand", f"{harness.prefix}{alias}-0000"]
    try:
        for name in others:
            harness.ask("PUT", f"/{name}", {"settings": {"number_of_replicas": 0}})

        assert [one.thing for one in store.undeclared(steps)] == [f"{harness.prefix}by_hand"]
    finally:
        for name in others:
            harness.ask("DELETE", f"/{name}")


def _expected(store: SearchStore, steps: Sequence[Step]) -> Sequence[tuple[str, str]]:
    """Return what the steps leave, by kind and name."""
    expected = Expected()
    for step in steps:
        store._expect(step, expected)
    return [item for item, wanted in expected.objects.items() if wanted is not None]


def test_recorded_step_is_applied_without_effect_and_can_be_forgotten(search_harness: SearchHarness) -> None:
    """Baseline writes the ledger alone, and undoing what it wrote leaves everything where it is."""
    step = search_harness.step("0002_plays")
    search_harness.store().record(step, lease())

    assert search_harness.store().applied().keys() == {step.key}
    assert search_harness.observe() == {"indexes": {}, "documents": {}, "templates": {}}
    outcome = search_harness.store().revert(step, lease())
    assert outcome.detail.startswith("left, because it was found there:")
    search_harness.store().record(step, lease())
    search_harness.store().forget(step, lease())
    assert search_harness.store().applied() == {}


def test_interrupted_index_with_fields_of_a_template_is_met_as_our_own(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """A template adds a field to a strict index; it is no conflict after a lost answer."""
    strict = TRACKS.replace('{"properties"', '{"dynamic": "strict", "properties"')
    harness = make_search_harness(opensearch_url, {"0001_tracks": revision(strict)})
    patterns = {"index_patterns": [f"{harness.prefix}tracks-*"], "priority": 900}
    added = {"template": {"mappings": {"properties": {"by": {"type": "keyword"}}}}}
    harness.ask("PUT", f"/_index_template/{harness.prefix}by", {**patterns, **added})

    def swallow(method: str, path: str) -> bool:
        return method == "PUT" and path.endswith("/tracks-0001".replace("/", harness.prefix))

    with SwallowingProxy(opensearch_url, swallow) as proxy:
        store = harness.store(proxy.url)
        outcome = store.apply(harness.step("0001_tracks"), lease())
        store.close()
        assert proxy.swallowed

    assert not outcome.already
    assert len(harness.store().applied()) == 1


# --- fences, races, lost answers -------------------------------------------------------------------


def test_stale_fence_writes_nothing(search_harness: SearchHarness) -> None:
    """A holder whose token is lower than one that the ledger has seen is refused everywhere."""
    first, second, _ = search_harness.steps()
    search_harness.store().apply(first, lease(7))
    before = search_harness.observe(), search_harness.ledger()
    store = search_harness.store()

    for attempt in (
        lambda: store.apply(first, lease(6)),
        lambda: store.apply(second, lease(6)),
        lambda: store.revert(first, lease(6)),
        lambda: store.record(second, lease(6)),
        lambda: store.forget(first, lease(6)),
    ):
        with pytest.raises(StaleFence):
            attempt()

    assert (search_harness.observe(), search_harness.ledger()) == before


def test_taken_over_run_is_stopped_before_its_next_operation(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """A later token that shows up while a step runs ends that step at the next ledger write."""
    head = "def sleep(context):\n    from tests.fix_search import OVERTAKE\n    OVERTAKE[0]()\n"
    text = revision("search.RunPython(sleep)", TRACKS, head=head)
    harness = make_search_harness(opensearch_url, {"0001_slow": text, "0002_other": revision()})
    slow, other = harness.steps()
    from tests.fix_search import OVERTAKE

    OVERTAKE[:] = [lambda: harness.store().apply(other, lease(2))]

    with pytest.raises(StaleFence):
        harness.store().apply(slow, lease(1))

    assert harness.observe() == {"indexes": {}, "documents": {}, "templates": {}}
    assert harness.store().applied().keys() == {other.key}


def test_lost_lease_stops_before_the_next_batch(search_harness: SearchHarness) -> None:
    """Once the guard says no, nothing more is sent and the step isn't recorded."""

    def gone() -> None:
        raise LeaseLost("gone")

    with pytest.raises(LeaseLost):
        search_harness.store().apply(search_harness.step("0001_tracks"), replace(lease(), guard=gone))

    assert search_harness.observe() == {"indexes": {}, "documents": {}, "templates": {}}


def test_ten_first_writers_share_one_ledger(make_search_harness: MakeHarness, search_url: str) -> None:
    """Ten writers at once on an empty server lose no entry and make one index."""
    names = [f"{number:04}_step" for number in range(1, 11)]
    harness = make_search_harness(search_url, {name: revision() for name in names})
    steps, stores = harness.steps(), [harness.store() for _ in names]

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda pair: pair[0].record(pair[1], lease()), zip(stores, steps, strict=True)))

    assert len(harness.store().applied()) == 10
    ledgers = harness.ask("GET", f"/{harness.prefix}accord-ledger?expand_wildcards=all")
    assert [body["mappings"]["dynamic"] for body in ledgers.values()] == ["false"]


LOST = (
    "PUT tracks-0001",
    "PUT _mapping",
    "POST _aliases",
    "PUT _index_template",
    "PUT _block",
    "POST _reindex",
    "PUT _create",
    "PUT accord-ledger-1",
    "PUT ledger/_doc",
    "PUT _settings",
)


@pytest.mark.matrix
@pytest.mark.parametrize("lost", chance("search lost answers").sample(LOST, moments(len(LOST), 3)))
def test_lost_answer_changes_nothing_in_the_end(
    lost: str, make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """A request that landed and whose answer got lost is found by looking, and the run goes on."""
    whole = make_search_harness(opensearch_url, CATALOG)
    apply_all(whole)
    harness = make_search_harness(opensearch_url, CATALOG)
    method, part = lost.split()

    with SwallowingProxy(opensearch_url, lambda verb, path: verb == method and part in path) as proxy:
        store = harness.store(proxy.url)
        for step in harness.steps():
            store.apply(step, lease())
        store.close()
        assert proxy.swallowed

    assert _neutral(harness) == _neutral(whole)


def test_lost_answer_is_told(make_search_harness: MakeHarness, opensearch_url: str) -> None:
    """A person reads that an answer was lost and that the store looked again."""
    harness = make_search_harness(opensearch_url, CATALOG)
    heard = Heard()

    with SwallowingProxy(opensearch_url, lambda verb, path: verb == "PUT" and "tracks-0001" in path) as proxy:
        store = harness.store(proxy.url)
        store.apply(harness.step("0001_tracks"), lease(), heard)
        store.close()

    assert any(isinstance(event, StepNoted) and "looking again" in event.note for event in heard)


def _neutral(harness: SearchHarness) -> str:
    return str(harness.observe()).replace(harness.prefix, "P-")


# --- showing -----------------------------------------------------------------------------------------


def test_explain_shows_requests_and_changes_nothing(search_harness: SearchHarness) -> None:
    """What would be sent is shown with its body; Python is said to be opaque."""
    shown = dict(search_harness.store().explain(search_harness.steps(), Direction.APPLY))

    texts = [statement.text for statements in shown.values() for statement in statements]
    assert texts[0].startswith(f"PUT /{search_harness.prefix}tracks-0001\n{{")
    assert any(statement.opaque for statements in shown.values() for statement in statements)
    assert search_harness.ask("GET", f"/{search_harness.prefix}*?expand_wildcards=all") == {}


def test_explain_works_without_a_server(search_harness: SearchHarness) -> None:
    """Requests can be shown where no server is."""
    store = search_harness.store(f"http://127.0.0.1:{_closed_port()}")

    shown = list(store.explain(search_harness.steps(), Direction.REVERT))

    assert len(shown) == 3


# --- servers that don't play along ---------------------------------------------------------------------


def test_unreachable_server_is_unavailable_in_time() -> None:
    """Nobody listens: said at once."""
    store = SearchStore("search", {"URL": f"http://user:geheim@127.0.0.1:{_closed_port()}"})

    for ask in (store.ping, store.applied):
        with pytest.raises(StoreUnavailable) as failure:
            ask()
        assert "geheim" not in str(failure.value)
        assert "ACCORD['STORES']['search']['URL']" in failure.value.hint


def test_silent_server_is_unavailable_within_the_timeout() -> None:
    """Somebody listens and never answers: said within the connect timeout."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        store = SearchStore("search", {"URL": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        store._timeout = 0.5
        begun = time.monotonic()

        with pytest.raises(StoreUnavailable):
            store.ping()

        assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": "no"}, StoreRefused),
        (403, {"error": {"type": "security_exception", "reason": "no"}}, StoreRefused),
        (200, {"version": {"number": "7.10.2", "build_flavor": "oss"}}, UnsupportedServer),
        (200, {"version": {"number": "1.3.0", "distribution": "opensearch"}}, UnsupportedServer),
        (200, {"version": {"number": "4.0.0", "distribution": "opensearch"}}, UnsupportedServer),
        (200, {"version": {"number": "8.1", "distribution": "somesearch"}}, UnsupportedServer),
        (200, {"hello": "world"}, UnsupportedServer),
    ],
)
def test_server_that_refuses_or_is_another(status: int, body: object, error: type[AccordError]) -> None:
    """Wrong credentials, missing rights and other servers are told apart."""
    with answering(status, body) as url, pytest.raises(error) as failure:
        SearchStore("search", {"URL": url}).ping()

    assert failure.value.hint


class Compatible(Proxy):
    """
    Answers as OpenSearch does that is set to pass for Elasticsearch 7.10, as some upgraded clusters are.

    Newer servers don't have the setting any more.
    """

    def answer(self, asked: Asked) -> Answered | None:
        if asked.path != "/":
            return self.pass_on(asked)
        content = json.dumps({"version": {"number": "7.10.2", "lucene_version": "9.12.0"}}).encode()
        return Answered(200, {"Content-Type": "application/json"}, content)


def test_server_in_compatibility_mode_is_known_by_its_nodes(
    search_harness: SearchHarness, opensearch_url: str
) -> None:
    """It is OpenSearch of its true version, and works; where no node tells, the hint names the setting."""
    true = search_harness.store().ping()

    with Compatible(opensearch_url) as proxy:
        store = search_harness.store(proxy.url)
        found = store.ping()
        assert (found.kind, found.version) == (true.kind, true.version)
        assert store.apply(search_harness.steps()[0], lease()).changed == 1

    with (
        answering(200, {"version": {"number": "7.10.2"}}) as url,
        pytest.raises(UnsupportedServer) as failure,
    ):
        SearchStore("search", {"URL": url}).ping()
    assert "override_main_response_version" in failure.value.hint


@contextmanager
def answering(status: int, body: object) -> Iterator[str]:
    """Listen like a server that gives one answer to everything: no such server can be had for real."""
    content = json.dumps(body).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *unused: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_promise_of_a_revision_is_asked_with_a_client(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """A function gets what RunPython gets, and is asked again at any time."""
    count = 'context.client.count(index=context.index("tracks"))["count"]'
    holds = f"def empty(context):\n    return {count} == 0\n\n\n"
    text = revision(TRACKS).replace("class Migration", f"{holds}class Migration")
    harness = make_search_harness(opensearch_url, {"0001_tracks": f"{text}    checks_after = [empty]\n"})
    store, (step,) = harness.store(), harness.steps()
    store.apply(step, lease())

    fine = list(store.broken(step, Moment.AFTER))
    harness.ask("POST", f"/{harness.prefix}tracks/_doc?refresh=true", {"title": "x"})
    broken = list(store.broken(step, Moment.AFTER))

    assert fine == []
    assert [item.name for item in broken] == ["empty"]
