"""Dropping an index looks first: at what it holds, and at who else uses it."""

from __future__ import annotations

import pytest

from accord.errors import AccordError, ConflictingState, StepFailed
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


def told(harness: SearchHarness) -> str:
    """Give what a dry run says of the second step."""
    [(_, statements)] = harness.store().explain(harness.steps()[1:], Direction.APPLY)
    return "\n".join(statement.text for statement in statements).replace(harness.prefix, "")


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
    """Names of indexes and aliases are told, by the step and by the dry run; nothing is gone."""
    harness = dropping(
        make_search_harness, search_url, f'search.DropIndex("{name}")', *filter(None, [before])
    )
    whole = harness.observe()

    assert "refused" in told(harness)
    with pytest.raises(error, match=why):
        drop(harness)

    assert harness.observe() == whole


def test_filled_index_is_dropped_where_the_revision_says_so(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """The dry run names the index and the number of its documents; the neighbour stays."""
    harness = dropping(
        make_search_harness, search_url, f'search.DropIndex("tracks", {SURE})', 'search.CreateIndex("venues")'
    )

    assert told(harness) == "DELETE /tracks-0001?ignore_unavailable=true\ntracks-0001 holds 1 documents."
    drop(harness)

    indexes = harness.observe()["indexes"]  # type: ignore[index]  # the harness observes a mapping
    assert list(indexes) == [f"{harness.prefix}venues-0001"]


def test_empty_index_needs_no_word(make_search_harness: MakeHarness, opensearch_url: str) -> None:
    """Nothing is lost with it."""
    harness = dropping(make_search_harness, opensearch_url, 'search.DropIndex("tracks")')
    harness.ask("DELETE", f"/{harness.prefix}tracks/_doc/1?refresh")

    drop(harness)

    assert harness.observe() == {"indexes": {}, "documents": {}, "templates": {}}


def test_index_that_an_earlier_step_will_make_is_shown_by_its_alias(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """Nothing is behind the alias yet, and the dry run says no more than it knows."""
    harness = dropping(make_search_harness, opensearch_url, 'search.DropIndex("later")')

    assert told(harness) == "DELETE /<index behind later>?ignore_unavailable=true"
