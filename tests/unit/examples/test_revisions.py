"""The sample's revisions as a graph: read from disk, no store asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from accord.seam.registry import Registry, opened
from accord.seam.types import Phase, Step
from migrator.engine.graph import Graph, build_graph

TUTORIAL = Path(__file__).resolve().parents[3] / "docs" / "tutorial.md"
OURS = frozenset({"streaming", "streaming_documents", "royalties"})


@pytest.fixture(scope="module")
def stores() -> Iterator[Registry]:
    with opened() as stores:
        yield stores


@pytest.fixture(scope="module")
def graph(stores: Registry) -> Graph:
    steps = [step for alias in stores for step in stores[alias].steps()]
    return build_graph(steps, {}, ranks={alias: rank for rank, alias in enumerate(stores)})


@pytest.fixture(scope="module")
def ours(graph: Graph) -> Sequence[Step]:
    return [step for step in graph.steps.values() if step.key.app in OURS]


def test_sample_has_at_least_25_steps_in_five_stores(ours: Sequence[Step]) -> None:
    """Every store has a history of its own."""
    assert len(ours) >= 25
    assert {step.key.store for step in ours} == {"default", "documents", "mongodb", "search", "alembic"}


def test_steps_form_no_circle(graph: Graph) -> None:
    """An order exists, and everything in it comes after what it needs."""
    order = graph.order()

    place = {key: number for number, key in enumerate(order)}
    assert len(order) == len(graph.steps)
    assert all(place[parent] < place[key] for key in order for parent in graph.parents[key])


@pytest.mark.parametrize(
    ("store", "needs"),
    [
        ("mongodb", "default"),
        ("documents", "default"),
        ("search", "default"),
        ("search", "mongodb"),
        ("mongodb", "search"),
        ("mongodb", "documents"),
        ("alembic", "default"),
        ("default", "alembic"),
        ("default", "mongodb"),
    ],
)
def test_stores_depend_on_each_other_in_many_directions(ours: Sequence[Step], store: str, needs: str) -> None:
    """Between these two stores there is a dependency."""
    pairs = {(step.key.store, parent.store) for step in ours for parent in step.dependencies}

    assert (store, needs) in pairs


def test_every_phase_is_used(ours: Sequence[Step]) -> None:
    """Expand, backfill and contract all occur in the app's own revisions."""
    assert {step.phase for step in ours if step.key.app == "streaming"} == set(Phase)


def test_everything_can_be_undone(ours: Sequence[Step]) -> None:
    """The sample goes back to zero."""
    assert [str(step.key) for step in ours if step.irreversible] == []


def test_every_title_reads_well_in_a_plan(ours: Sequence[Step]) -> None:
    """A title is one sentence that says more than the file's name."""
    titles = [step.title for step in ours if step.key.app != "royalties"]

    assert all(title.endswith((".", "?")) and len(title) > 25 for title in titles), titles
    assert len(set(titles)) == len(titles)


def test_tutorial_counts_the_steps_that_there_are(graph: Graph, stores: Registry) -> None:
    """What the tutorial shows of the first run is what a stranger will see."""
    counts = Counter(key.store for key in graph.steps)
    listed = ", ".join(f"{alias} {counts[alias]}" for alias in stores)
    text = TUTORIAL.read_text()

    assert f"[{len(graph.steps)}/{len(graph.steps)}] {graph.order()[-1]}" in text
    assert f"Applied {len(graph.steps)} steps in " in text
    assert f"({listed})" in text
