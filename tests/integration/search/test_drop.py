"""Dropping an index looks first: at what it holds, and at who else uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest

from accord.errors import AccordError, ConflictingState, StepFailed
from accord.events import StepNoted
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Direction
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness, lease

pytestmark = pytest.mark.integration

_REVISION = "import searchindex as search\n\nclass Migration(search.Migration):\n    operations = [{}]\n"
TRACKS = 'search.CreateIndex("tracks")'
HITS = 'search.AddAlias("hits", "tracks", {"filter": {"range": {"plays": {"gte": 10}}}})'
SURE = "even_with_data=True"


def dropping(make: MakeHarness, url: str, drop: str, *before: str) -> SearchHarness:
    """Make an index with a document, and a second step that drops something."""
    made = _REVISION.format(", ".join([TRACKS, *before]))
    harness = make(url, {"0001_tracks": made, "0002_drop": _REVISION.format(drop)})
    harness.store().apply(harness.steps()[0], lease())
    harness.ask("PUT", f"/{harness.prefix}tracks/_doc/1?refresh", {"title": "a"})
    return harness


def drop(harness: SearchHarness) -> None:
    """Apply the second step."""
    harness.store().apply(harness.steps()[1], lease())


def told(harness: SearchHarness) -> Sequence[Foretold]:
    """Give what is foretold of the second step."""
    return list(harness.store().foretell(harness.steps()[1:], Direction.APPLY))


@pytest.mark.parametrize(
    ("name", "before", "error", "why"),
    [
        ("tracks", "", StepFailed, "holds 1 documents"),
        (f'tracks", {SURE}, number="0001', "", ConflictingState, "still in use behind .*tracks"),
        (f'hits", {SURE}, number="', HITS, ConflictingState, r"shows a part of .*tracks-0001"),
        (f'tracks", {SURE}, number="', HITS, ConflictingState, "still in use behind .*hits"),
        (
            f'songs", {SURE}, number="',
            'search.AddAlias("songs", "tracks")',
            ConflictingState,
            "still in use behind .*tracks",
        ),
        (
            f'all", {SURE}, number="',
            'search.CreateIndex("v"), search.AddAlias("all", "tracks"), search.AddAlias("all", "v")',
            ConflictingState,
            "several indexes: .*tracks-0001, .*v-0001",
        ),
    ],
)
def test_index_that_is_used_or_filled_is_not_dropped(
    make_search_harness: MakeHarness,
    search_url: str,
    name: str,
    before: str,
    error: type[AccordError],
    why: str,
) -> None:
    """Names of indexes and aliases are told, by the step and before; nothing is gone."""
    harness = dropping(
        make_search_harness, search_url, f'search.DropIndex("{name}")', *filter(None, [before])
    )
    whole = harness.observe()

    [foretold] = told(harness)
    assert foretold.outlook is Outlook.REFUSED
    assert re.search(why, foretold.text)
    with pytest.raises(error, match=why):
        drop(harness)

    assert harness.observe() == whole


def test_filled_index_is_dropped_where_the_revision_says_so(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """What is foretold names the index, what is lost the number of its documents; the neighbour stays."""
    harness = dropping(
        make_search_harness, search_url, f'search.DropIndex("tracks", {SURE})', 'search.CreateIndex("venues")'
    )

    [foretold] = told(harness)
    [lost] = harness.store().losses(harness.steps()[1:], Direction.APPLY)
    assert foretold.text == f"{harness.prefix}tracks-0001 goes, with what it holds."
    assert (foretold.rows, lost.words) == (None, f"index {harness.prefix}tracks: 1 document")
    drop(harness)

    indexes = harness.observe()["indexes"]  # type: ignore[index]  # the harness observes a mapping
    assert list(indexes) == [f"{harness.prefix}venues-0001"]


def test_empty_index_needs_no_word(make_search_harness: MakeHarness, opensearch_url: str) -> None:
    """Nothing is lost with it."""
    harness = dropping(make_search_harness, opensearch_url, 'search.DropIndex("tracks")')
    harness.ask("DELETE", f"/{harness.prefix}tracks/_doc/1?refresh")

    drop(harness)

    assert harness.observe() == {"indexes": {}, "documents": {}, "templates": {}}


@pytest.mark.parametrize(
    ("operation", "foretold", "noted"),
    [
        ('search.DropIndex("later")', "no such index", "no index behind an alias {}later to drop"),
        ('search.RemoveAlias("later")', "no such alias", "no alias {}later to remove"),
        ('search.DeleteTemplate("later")', "", "no template {}later to delete"),
    ],
)
def test_what_is_not_there_is_told(
    make_search_harness: MakeHarness, opensearch_url: str, operation: str, foretold: str, noted: str
) -> None:
    """It may be a typing mistake; nothing is sent."""
    harness = dropping(make_search_harness, opensearch_url, operation)

    assert [found.outlook for found in told(harness)] == [Outlook.NOTE] * bool(foretold)
    assert all(foretold in found.text for found in told(harness))
    notes: list[str] = []
    harness.store().apply(
        harness.steps()[1],
        lease(),
        lambda event: notes.append(event.note) if isinstance(event, StepNoted) else None,
    )

    assert notes == [f"There is {noted.format(harness.prefix)}."]


# --- a name that is no alias -----------------------------------------------------------------------------


@pytest.fixture
def streamed(make_search_harness: MakeHarness, opensearch_url: str) -> Iterator[SearchHarness]:
    """Give two steps that do nothing yet, a plain index `plain` and a data stream `stream`."""
    harness = make_search_harness(opensearch_url, {"0001_alias": _REVISION.format(TRACKS)})
    harness.store().apply(harness.steps()[0], lease())
    harness.ask("PUT", f"/{harness.prefix}plain/_doc/1?refresh", {"title": "a"})
    body = {"index_patterns": [f"{harness.prefix}stream"], "data_stream": {}, "priority": 600}
    harness.ask("PUT", f"/_index_template/{harness.prefix}streams", body)
    harness.ask("PUT", f"/_data_stream/{harness.prefix}stream")
    yield harness
    harness.ask("DELETE", f"/_data_stream/{harness.prefix}stream")


@pytest.mark.parametrize(("name", "kind"), [("plain", "an index itself"), ("stream", "a data stream")])
def test_index_and_data_stream_are_called_what_they_are(
    streamed: SearchHarness, name: str, kind: str
) -> None:
    """By every operation that wants an alias, and before it runs; none passes over it as if it were gone."""
    operations = {
        "reindex": f'search.Reindex("{name}")',
        "mapping": f'search.PutMapping("{name}", {{"properties": {{}}}})',
        "settings": f'search.PutSettings("{name}", {{"refresh_interval": "7s"}})',
        "drop": f'search.DropIndex("{name}", even_with_data=True)',
        "remove": f'search.RemoveAlias("{name}")',
        "add": f'search.AddAlias("hits", "{name}")',
        "switch": f'search.SwitchAlias("{name}", "tracks")',
    }
    for number, (word, operation) in enumerate(operations.items(), 2):
        streamed.write_revision(f"{number:04}_{word}", _REVISION.format(operation))
    before = streamed.observe()

    for step in streamed.steps()[1:]:
        [foretold] = streamed.store().foretell([step], Direction.APPLY)
        assert (foretold.outlook, kind in foretold.text) == (Outlook.REFUSED, True), step.key
        with pytest.raises(ConflictingState, match=kind) as failure:
            streamed.store().apply(step, lease())
        assert ("AdoptIndex" if name == "plain" else "PutTemplate") in failure.value.hint, step.key

    assert streamed.observe() == before
