"""From an index that applications made to an alias: with writers, kills and bad guesses, on both engines."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from accord.errors import ConflictingState, StepFailed
from accord.seam.types import Direction, Presence
from accord.testing import make_lease
from searchindex.reindex import swap
from searchindex.requests import Request
from searchindex.transport import Transport
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]

FIELDS = {"properties": {"n": {"type": "long"}}}
HEAD = "import searchindex as search\n\n\nclass Migration(search.Migration):\n"
ADOPT = f'{HEAD}    operations = [search.AdoptIndex("books", mappings={FIELDS})]\n'
NAME = f'{HEAD}    operations = [search.AdoptIndex("books", mappings={FIELDS}, index="library")]\n'
REINDEX = f'{HEAD}    dependencies = [("APP", "0001_books")]\n    operations = [search.Reindex("books")]\n'
FIRST, SECOND = "0001_books", "0002_more"
COUNT = 20


class Killed(BaseException):
    """The end of a process, for code that must not hear of it."""


@pytest.fixture
def swapping(make_search_harness: MakeHarness, search_url: str) -> SearchHarness:
    """Give a plain index `books` with documents, and a revision that adopts it."""
    harness = make_search_harness(search_url, {FIRST: ADOPT, SECOND: REINDEX})
    make_plain(harness, "books")
    return harness


@pytest.fixture
def on_one(make_search_harness: MakeHarness, opensearch_url: str) -> SearchHarness:
    """Give the same on one engine alone."""
    harness = make_search_harness(opensearch_url, {FIRST: ADOPT, SECOND: REINDEX})
    make_plain(harness, "books")
    return harness


def make_plain(harness: SearchHarness, name: str, mappings: Mapping[str, Any] = FIELDS) -> None:
    """Make an index as an application would: no alias of its name, one with a filter, documents."""
    body = {
        "mappings": mappings,
        "settings": {"number_of_replicas": 0, "number_of_shards": 2, "refresh_interval": "7s"},
        "aliases": {f"{harness.prefix}small": {"filter": {"range": {"n": {"lt": 5}}}}},
    }
    harness.ask("PUT", f"/{harness.prefix}{name}", body)
    for number in range(COUNT):
        harness.ask("PUT", f"/{harness.prefix}{name}/_doc/{number}", {"n": number})


def apply(harness: SearchHarness, name: str = FIRST, fence: int = 1) -> Any:
    return harness.store().apply(harness.step(name), make_lease(fence))


def behind(harness: SearchHarness, alias: str = "books") -> Sequence[str]:
    """Name the indexes behind an alias, or the index itself, without the prefix."""
    found = harness.ask("GET", f"/{harness.prefix}{alias}?filter_path=*.aliases")
    return sorted(name.removeprefix(harness.prefix) for name in found)


def assert_swapped(harness: SearchHarness) -> None:
    """The name is an alias of the clone, the other alias moved, writes are taken, every document is there."""
    found = harness.ask("GET", f"/{harness.prefix}books-0001?flat_settings=true")[
        f"{harness.prefix}books-0001"
    ]
    assert behind(harness) == ["books-0001"]
    assert set(found["aliases"]) == {f"{harness.prefix}books", f"{harness.prefix}small"}
    assert found["settings"]["index.refresh_interval"] == "7s"
    assert len(harness.documents(f"{harness.prefix}small")) == 5
    assert len(harness.documents(f"{harness.prefix}books")) == COUNT
    harness.ask("PUT", f"/{harness.prefix}books/_doc/more", {"n": 7})


def test_plain_index_becomes_an_alias_of_its_own_name(swapping: SearchHarness) -> None:
    """Applications keep the name, other aliases move along, and later operations work on it."""
    outcome = apply(swapping)

    assert outcome.changed == COUNT
    assert_swapped(swapping)
    assert apply(swapping).already
    apply(swapping, SECOND)
    assert behind(swapping) == ["books-0002"]


def test_undoing_leaves_the_documents_under_their_name(swapping: SearchHarness) -> None:
    """They were found; a second time there is nothing to swap."""
    apply(swapping)

    outcome = swapping.store().revert(swapping.step(FIRST), make_lease())

    assert "left, because it was found there" in outcome.detail
    assert_swapped(swapping)
    assert apply(swapping).changed == 0


def test_baseline_names_the_operation_and_accepts_its_result(swapping: SearchHarness) -> None:
    """A plain index is no proof; what the swap made is one."""
    steps = swapping.steps()[:1]
    [before] = swapping.store().probe(steps)
    apply(swapping)
    [after] = swapping.store().probe(steps)

    assert before.presence is Presence.CONFLICTING
    assert "AdoptIndex" in before.findings[0].text
    assert after.presence is Presence.DONE


def test_nothing_acknowledged_is_lost_while_writers_go_on(swapping: SearchHarness) -> None:
    """What was refused for a moment is told to the writer; what was acknowledged is there."""
    with writers(swapping) as (accepted, refused):
        apply(swapping)

    assert behind(swapping) == ["books-0001"]
    found = swapping.documents(f"{swapping.prefix}books")
    assert accepted
    assert set(accepted) <= set(found)
    # Blocked; or, seen on OpenSearch, under way to an index that gave way to the alias in that moment.
    assert set(refused.values()) <= {403, 404}


@contextmanager
def writers(harness: SearchHarness) -> Iterator[tuple[list[str], dict[str, int]]]:
    """Write into the name from two threads; collect the ids that were acknowledged, and those refused."""
    accepted: list[str] = []
    refused: dict[str, int] = {}
    end, begun = threading.Event(), threading.Barrier(3)

    def write(who: int) -> None:
        connection = HTTPConnection(urlsplit(harness.url).netloc, timeout=60)
        for number in range(100_000):
            key = f"w{who}-{number}"
            head = {"Content-Type": "application/json"}
            connection.request("PUT", f"/{harness.prefix}books/_doc/{key}", json.dumps({"n": 1}), head)
            answer = connection.getresponse()
            answer.read()
            if answer.status < 300:
                accepted.append(key)
            else:
                refused[key] = answer.status
            if number == 3:
                begun.wait(30)
            if end.is_set():
                break
        connection.close()

    threads = [threading.Thread(target=write, args=(who,)) for who in range(2)]
    for thread in threads:
        thread.start()
    begun.wait(30)
    try:
        yield accepted, refused
    finally:
        end.set()
        for thread in threads:
            thread.join()


WRITES = ("_block/write", "_clone/", "_cluster/health", "/_aliases")


@pytest.mark.parametrize("behind_it", [False, True])
@pytest.mark.parametrize("request_of", WRITES)
def test_killed_swap_ends_where_the_unkilled_one_ends(
    on_one: SearchHarness, monkeypatch: pytest.MonkeyPatch, request_of: str, behind_it: bool
) -> None:
    """Whether it died before or after any of its requests; an undo leaves the index as it was."""
    with dying(monkeypatch, request_of, behind_it=behind_it), pytest.raises(Killed):
        apply(on_one)

    apply(on_one, fence=2)

    assert_swapped(on_one)


@pytest.mark.parametrize("request_of", ["_clone/", "_cluster/health"])
def test_killed_swap_can_be_undone(
    on_one: SearchHarness, monkeypatch: pytest.MonkeyPatch, request_of: str
) -> None:
    """The clone goes, and the plain index takes writes again."""
    with dying(monkeypatch, request_of, behind_it=True), pytest.raises(Killed):
        apply(on_one)

    on_one.store().revert(on_one.step(FIRST), make_lease(2))

    assert behind(on_one) == ["books"]
    assert behind(on_one, "books-0001") == []
    on_one.ask("PUT", f"/{on_one.prefix}books/_doc/more", {"n": 7})
    assert on_one.store().recorded().begun == {}


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, part: str, *, behind_it: bool) -> Iterator[None]:
    """Let the process end before, or after, its first request to a path with this part."""
    true_request = Transport.request

    def request(self: Transport, method: str, path: str, *args: Any, **options: Any) -> Any:
        dies = part in path and method != "DELETE"
        if dies and not behind_it:
            raise Killed
        answer = true_request(self, method, path, *args, **options)
        if dies:
            raise Killed
        return answer

    # A killed process cleans nothing up.
    with monkeypatch.context() as patched:
        patched.setattr(Transport, "request", request)
        patched.setattr(swap, "give_up", lambda *_: 0)
        yield


def test_block_without_a_clone_is_set_anew(on_one: SearchHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes that came in after somebody lifted the block are in the clone that is made then."""
    with dying(monkeypatch, "_cluster/health", behind_it=True), pytest.raises(Killed):
        apply(on_one)
    on_one.ask("PUT", f"/{on_one.prefix}books/_settings", {"index.blocks.write": None})
    on_one.ask("PUT", f"/{on_one.prefix}books/_doc/late", {"n": 99})

    apply(on_one, fence=2)

    assert "late" in on_one.documents(f"{on_one.prefix}books")


def test_index_gets_an_alias_of_another_name(make_search_harness: MakeHarness, search_url: str) -> None:
    """Nothing else changes, no write is refused, and undoing takes the alias away alone."""
    harness = make_search_harness(search_url, {FIRST: NAME})
    make_plain(harness, "library")

    assert apply(harness).changed == 1
    assert behind(harness) == ["library"]
    outcome = harness.store().revert(harness.step(FIRST), make_lease())

    assert behind(harness) == []
    assert behind(harness, "library") == ["library"]
    assert outcome.detail == f"left, because it was found there: index {harness.prefix}library"


@pytest.mark.parametrize("text", [ADOPT, NAME])
def test_where_nothing_is_both_are_made(
    make_search_harness: MakeHarness, opensearch_url: str, text: str
) -> None:
    """A new installation runs the same history; there the index is ours, and goes with its step."""
    harness = make_search_harness(opensearch_url, {FIRST: text})

    apply(harness)
    assert behind(harness) == ["books-0001"]
    harness.store().revert(harness.step(FIRST), make_lease())

    assert behind(harness) == []


def test_alias_that_is_there_is_left(on_one: SearchHarness) -> None:
    """Somebody did by hand what the operation does."""
    on_one.ask("DELETE", f"/{on_one.prefix}books")
    body = {"mappings": FIELDS, "aliases": {f"{on_one.prefix}books": {}}}
    on_one.ask("PUT", f"/{on_one.prefix}other", body)

    assert apply(on_one).changed == 0
    on_one.store().revert(on_one.step(FIRST), make_lease())

    assert behind(on_one) == ["other"]


def test_other_definition_is_refused_before_anything_is_touched(on_one: SearchHarness) -> None:
    """The step is pending again, and writes go on."""
    on_one.ask("DELETE", f"/{on_one.prefix}books")
    make_plain(on_one, "books", {"properties": {"n": {"type": "keyword"}}})

    with pytest.raises(ConflictingState, match="field n: type"):
        apply(on_one)

    on_one.ask("PUT", f"/{on_one.prefix}books/_doc/more", {"n": "x"})
    assert on_one.store().recorded().begun == {}


@pytest.mark.parametrize(
    ("revision", "index", "expected"),
    [
        (
            ADOPT,
            "books",
            "20 documents are in the index, which takes no writes while a clone takes its place.",
        ),
        (NAME, "library", "20 documents are in the index, which gets the alias."),
    ],
)
def test_adoption_is_foretold_with_its_size(
    make_search_harness: MakeHarness, opensearch_url: str, revision: str, index: str, expected: str
) -> None:
    """Before it, where the documents are found; and after it, by another step, where they are."""
    harness = make_search_harness(opensearch_url, {FIRST: revision, SECOND: revision})
    make_plain(harness, index)
    harness.ask("POST", f"/{harness.prefix}{index}/_refresh")

    [before] = harness.store().foretell([harness.step(FIRST)], Direction.APPLY)
    apply(harness)
    [after] = harness.store().foretell([harness.step(SECOND)], Direction.APPLY)

    assert (before.text, before.rows) == (expected, COUNT)
    assert after.text == "It is there already, with 20 documents."


def test_index_that_has_the_clones_name_is_left_alone(on_one: SearchHarness) -> None:
    """It holds somebody's documents."""
    on_one.ask("PUT", f"/{on_one.prefix}books-0001/_doc/1", {"n": 1})

    with pytest.raises(ConflictingState, match="not a clone"):
        apply(on_one)

    on_one.ask("PUT", f"/{on_one.prefix}books/_doc/more", {"n": 7})
    assert behind(on_one, "books-0001") == ["books-0001"]


def test_clone_that_the_server_refuses_lifts_the_block(
    on_one: SearchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is pending again, and applications write on."""
    bad = Request("PUT", f"/{on_one.prefix}books/_clone/{on_one.prefix}UPPER")
    monkeypatch.setattr(swap, "cloned", lambda *_: bad)

    with pytest.raises(StepFailed, match="lowercase"):
        apply(on_one)

    on_one.ask("PUT", f"/{on_one.prefix}books/_doc/more", {"n": 7})
    assert on_one.store().recorded().begun == {}


def test_block_of_a_person_stays(on_one: SearchHarness) -> None:
    """Who had writes refused before has them refused afterwards."""
    on_one.ask("PUT", f"/{on_one.prefix}books/_block/write")

    apply(on_one)

    settings = on_one.ask("GET", f"/{on_one.prefix}books/_settings?flat_settings=true")
    assert settings[f"{on_one.prefix}books-0001"]["settings"]["index.blocks.write"] == "true"


def test_dry_run_shows_both_ways(on_one: SearchHarness) -> None:
    """What is sent where the index is there, and where it isn't."""
    [(_, shown)] = on_one.store().explain(on_one.steps()[:1], Direction.APPLY)
    text = "\n".join(statement.text for statement in shown)

    assert f"PUT /{on_one.prefix}books/_clone/{on_one.prefix}books-0001" in text
    assert "remove_index" in text
    assert f"PUT /{on_one.prefix}books-0001" in text
