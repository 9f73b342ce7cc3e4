"""Copying through this process: busy servers, large documents, documents that must go."""

from __future__ import annotations

import pytest

from accord.erased import tombstones
from accord.errors import StepFailed, StoreUnavailable
from searchindex.reindex import client
from searchindex.transport import ReplyLost
from searchindex.views import next_size
from tests.chance import moments
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness, lease
from tests.fix_trail import Trail
from tests.integration.search.proxy import BusyProxy, NarrowProxy, SwallowingProxy

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]

KIND = "streaming.listener"
COUNT = 500
MIB = 2**20
_REVISION = """import searchindex as search

class Migration(search.Migration):
    operations = [{operation}]
"""
CREATE = 'search.CreateIndex("plays", mappings={"properties": {"title": {"type": "text"}}})'
COPY = f'search.Reindex("plays", subject=("{KIND}", "listener"))'
STRICTER = 'search.Reindex("plays", mappings={"properties": {"title": {"type": "integer"}}})'


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it waits is not the question here; how often it asks again is."""
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(client, "_LONGEST_PAUSE", 0.02)


def filled(
    make: MakeHarness, url: str, copy: str = COPY, count: int = COUNT, text: str = "song"
) -> SearchHarness:
    """Give an index with documents, and a second step that copies it."""
    texts = {"0001_plays": _REVISION.format(operation=CREATE), "0002_copy": _REVISION.format(operation=copy)}
    harness = make(url, texts)
    harness.store().apply(harness.steps()[0], lease())
    index = f"{harness.prefix}plays"
    transport = harness.store().transport
    for start in range(0, count, 20):
        lines = "".join(
            f'{{"index":{{"_id":"{n}","routing":"{n % 3}"}}}}\n{{"listener":{n % 10},"title":"{text}"}}\n'
            for n in range(start, min(start + 20, count))
        )
        transport.request("POST", f"/{index}/_bulk", lines.encode())
    return harness


@pytest.fixture
def plays(make_search_harness: MakeHarness, search_url: str, trail: Trail) -> SearchHarness:
    """Give an index of five hundred documents on each engine, and a second step that copies it."""
    return filled(make_search_harness, search_url)


def copy_through(harness: SearchHarness, url: str) -> None:
    """Apply the second step by way of a proxy."""
    harness.store(url).apply(harness.steps()[1], lease())


def is_open(harness: SearchHarness) -> bool:
    """Tell whether the old index takes writes, and is the one behind the alias."""
    harness.ask("PUT", f"/{harness.prefix}plays/_doc/late", {"title": "late"})
    return f"{harness.prefix}plays-0001" in harness.ask("GET", f"/_alias/{harness.prefix}plays")


# --- a busy server -----------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [False, True])
def test_documents_that_a_busy_server_turned_away_are_sent_again(plays: SearchHarness, whole: bool) -> None:
    """Some of a request or all of it, several times: in the end every document is there, once."""
    before = plays.documents(f"{plays.prefix}plays-0001")

    with BusyProxy(plays.url, 4, whole=whole) as proxy:
        copy_through(plays, proxy.url)
        assert len(proxy.bulk_bytes) > 4

    assert len(before) == COUNT
    assert plays.documents(f"{plays.prefix}plays") == before


@pytest.mark.parametrize(("status", "whole"), [(429, False), (429, True), (503, False)])
def test_server_that_stays_busy_is_called_busy(plays: SearchHarness, status: int, whole: bool) -> None:
    """The revision is right and stays as it is; the application writes on, and a later run copies."""
    with BusyProxy(plays.url, 10_000, status=status, whole=whole) as proxy:
        with pytest.raises(StoreUnavailable, match="too busy") as failure:
            copy_through(plays, proxy.url)
        assert len(proxy.bulk_bytes) > 5

    assert "mapping" not in f"{failure.value} {failure.value.hint}"
    assert not isinstance(failure.value, ReplyLost)
    assert is_open(plays)
    copy_through(plays, plays.url)
    assert len(plays.documents(f"{plays.prefix}plays")) == COUNT + 1


def test_mapping_that_takes_no_document_is_told_although_the_server_is_busy_too(
    make_search_harness: MakeHarness, elasticsearch_url: str
) -> None:
    """What a person can correct is what they are told."""
    harness = filled(make_search_harness, elasticsearch_url, STRICTER, 20)

    with BusyProxy(harness.url, 10_000) as proxy, pytest.raises(StepFailed, match="refuses") as failure:
        copy_through(harness, proxy.url)

    assert "mapping" in failure.value.hint
    assert "song" not in str(failure.value)


def test_other_error_of_a_document_is_no_bad_mapping(plays: SearchHarness) -> None:
    """A server that fails inside is looked at there, and the revision is left alone."""
    with BusyProxy(plays.url, 1, status=500) as proxy, pytest.raises(StepFailed) as failure:
        copy_through(plays, proxy.url)

    assert "log" in failure.value.hint


def test_request_that_is_refused_whole_says_why(plays: SearchHarness) -> None:
    """A status that no waiting mends is told at once."""
    with BusyProxy(plays.url, 1, status=400, whole=True) as proxy:
        with pytest.raises(StepFailed, match="the server refuses it: rejected execution"):
            copy_through(plays, proxy.url)
        assert len(proxy.bulk_bytes) == 1


def test_lost_answer_of_a_bulk_request_costs_no_document(plays: SearchHarness) -> None:
    """What it created already is met as done."""
    before = plays.documents(f"{plays.prefix}plays-0001")

    with SwallowingProxy(plays.url, lambda _, path: "/_bulk" in path) as proxy:
        copy_through(plays, proxy.url)
        assert proxy.swallowed

    assert plays.documents(f"{plays.prefix}plays") == before


# --- people who were erased ----------------------------------------------------------------------------


def test_document_of_an_erased_person_that_can_not_be_removed_stops_the_copy(plays: SearchHarness) -> None:
    """A refused delete is an error of its own; one that found nothing to remove is none."""
    tombstones.raise_fence(tombstones.subject_tag(KIND, 3))

    with BusyProxy(plays.url, 10_000, kind="delete", status=500) as proxy:
        with pytest.raises(StepFailed, match=r"keeps .* documents of erased people"):
            copy_through(plays, proxy.url)
        assert len(proxy.bulk_bytes) == 1

    copy_through(plays, plays.url)
    owners = {document["listener"] for document in plays.documents(f"{plays.prefix}plays").values()}
    assert owners == set(range(10)) - {3}


def test_removal_that_a_busy_server_turned_away_is_asked_for_again(plays: SearchHarness) -> None:
    """As a document is sent again."""
    tombstones.raise_fence(tombstones.subject_tag(KIND, 7))

    with BusyProxy(plays.url, 3, kind="delete") as proxy:
        copy_through(plays, proxy.url)

    assert len(plays.documents(f"{plays.prefix}plays")) == COUNT - COUNT // 10


# --- large documents -----------------------------------------------------------------------------------


@pytest.mark.matrix
def test_large_documents_are_copied_in_bounded_requests(
    make_search_harness: MakeHarness, elasticsearch_url: str
) -> None:
    """Many documents of 300 kB: no page and no request comes near what a server takes."""
    count = moments(COUNT, 100)
    copy, text = 'search.Reindex("plays")', "song " * 60_000
    harness = filled(make_search_harness, elasticsearch_url, copy, count, text)

    with BusyProxy(harness.url, 0) as proxy:
        copy_through(harness, proxy.url)

    assert harness.ask("GET", f"/{harness.prefix}plays-0002/_count")["count"] == count
    assert sum(proxy.bulk_bytes) > count * 300_000
    # The same documents in one request would be too many.
    assert count * 300_000 > 2 * 12 * MIB
    assert max(proxy.bulk_bytes) <= 10 * MIB
    assert max(proxy.page_bytes) <= 12 * MIB


def test_request_that_is_too_long_is_halved_until_it_passes(plays: SearchHarness) -> None:
    """A server or a proxy on the way takes less than ours: no document is lost, and none is sent for ever."""
    before = plays.documents(f"{plays.prefix}plays-0001")

    with NarrowProxy(plays.url, 4_000) as proxy:
        copy_through(plays, proxy.url)
        assert proxy.refused
        assert proxy.passed

    assert plays.documents(f"{plays.prefix}plays") == before


@pytest.mark.parametrize(
    ("copy", "told"), [('search.Reindex("plays")', "the-long-one"), (COPY, "its id is not shown")]
)
def test_document_that_passes_nowhere_is_named(
    make_search_harness: MakeHarness, elasticsearch_url: str, trail: Trail, copy: str, told: str
) -> None:
    """One is longer than any request may be: its id, unless it is a person's, and the setting are told."""
    harness = filled(make_search_harness, elasticsearch_url, copy, count=20)
    harness.ask("PUT", f"/{harness.prefix}plays/_doc/the-long-one?refresh", {"title": "la " * 2_000})

    with NarrowProxy(harness.url, 4_000) as proxy, pytest.raises(StepFailed, match=told) as failure:
        copy_through(harness, proxy.url)

    assert ("the-long-one" in str(failure.value)) is (told == "the-long-one")
    assert "http.max_content_length" in failure.value.hint
    assert "la la" not in str(failure.value)
    assert is_open(harness)


@pytest.mark.parametrize(
    ("size", "read", "read_bytes", "following"),
    [
        (20, 20, 20 * 1000, 40),
        (500, 500, 500 * 1000, 500),
        (400, 400, 400 * 300_000, 34),
        (20, 20, 20 * 50 * MIB, 1),
        (1, 1, 50 * MIB, 1),
        (1, 1, 100, 2),
        (500, 3, 3 * 100, 500),
        (20, 20, 0, 40),
    ],
)
def test_page_follows_the_size_of_the_documents(
    size: int, read: int, read_bytes: int, following: int
) -> None:
    """Twice as many at most, never more than fit, and always one."""
    assert next_size(size, read, read_bytes) == following
