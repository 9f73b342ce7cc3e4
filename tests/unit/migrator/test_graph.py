from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from accord.seam.types import Step, StepKey
from accord.testing import make_step
from migrator.engine.graph import Graph, build_graph, refuse_conflicts
from migrator.errors import ConflictingLeaves, CyclicDependency, MissingDependency

A1, A2 = "pg:music.0001_a", "pg:music.0002_b"
M1, M2 = "mongo:music.0001_m", "mongo:music.0002_n"
RANKS = {"pg": 0, "mongo": 1}


def names(graph: Graph) -> list[str]:
    return [str(key) for key in graph.order()]


def test_order_follows_dependencies_across_stores() -> None:
    """A step comes after everything that it needs, in whichever store that is."""
    steps = [make_step(A1, M2), make_step(A2, A1), make_step(M1), make_step(M2, M1)]

    graph = build_graph(steps, ranks=RANKS)

    assert names(graph) == [M1, M2, A1, A2]


def test_order_does_not_depend_on_the_order_of_discovery() -> None:
    """However the files are found, the plan is the same."""
    steps = [
        make_step(f"pg:app{n % 7}.{n:04}_x", *([f"pg:app{n % 7}.{n - 7:04}_x"] if n >= 7 else []))
        for n in range(60)
    ]
    expected = names(build_graph(steps, ranks=RANKS))
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - a failing seed must be seen

    random.Random(seed).shuffle(steps)

    assert names(build_graph(steps, ranks=RANKS)) == expected


def test_free_steps_go_by_store_then_app_then_name() -> None:
    """Where nothing decides, the settings' order of stores does, then the alphabet."""
    steps = [make_step(M1), make_step("pg:zebra.0001_z"), make_step(A1)]

    assert names(build_graph(steps, ranks=RANKS)) == [A1, "pg:zebra.0001_z", M1]


def test_order_of_a_store_goes_before_the_alphabet() -> None:
    """What a store says of its own steps decides among them, and nothing among those of others."""
    steps = [make_step("pg:zebra.0001_z"), make_step(A1), make_step(M1), make_step("mongo:art.0001_a")]
    places = {StepKey.parse("pg:zebra.0001_z"): 0, StepKey.parse(A1): 1}

    graph = replace(build_graph(steps, ranks=RANKS), places=places)

    assert names(graph) == ["pg:zebra.0001_z", A1, "mongo:art.0001_a", M1]


def test_step_that_waits_for_another_store_holds_back_nothing_else() -> None:
    """The others keep the order of their store; what needs the step comes after it."""
    a3, other = "pg:music.0003_c", "pg:radio.0001_r"
    steps = [make_step(A1, M1), make_step(A2, A1), make_step(a3, A2), make_step(other), make_step(M1)]
    places = {StepKey.parse(name): place for place, name in enumerate((A1, A2, a3, other))}

    graph = replace(build_graph(steps, ranks=RANKS), places=places)

    assert names(graph) == [other, M1, A1, A2, a3]


def test_missing_dependency_names_the_file_and_what_exists() -> None:
    """A dependency that no file provides is refused with the place."""
    steps = [make_step(A1), make_step(M1, "pg:music.0009_gone")]

    with pytest.raises(MissingDependency) as caught:
        build_graph(steps)

    assert "mongo:music.0001_m needs pg:music.0009_gone" in caught.value.message
    assert "music/0001_m.py" in caught.value.message
    assert "0001_a" in caught.value.hint


def test_cycle_names_every_step_of_the_circle() -> None:
    """A circle over two stores is told step by step, with its files."""
    steps = [make_step(A1, M1), make_step(M1, A1), make_step(A2)]

    with pytest.raises(CyclicDependency) as caught:
        build_graph(steps).order()

    assert A1 in caught.value.message
    assert M1 in caught.value.message
    assert A2 not in caught.value.message
    assert "music/0001_m.py" in caught.value.hint


def test_two_newest_steps_conflict() -> None:
    """An app with two leaves in a store is refused with both files."""
    steps = [make_step(A1), make_step(A2, A1), make_step("pg:music.0002_c", A1)]

    with pytest.raises(ConflictingLeaves) as caught:
        refuse_conflicts(build_graph(steps))

    assert "0002_b.py" in caught.value.message
    assert "0002_c.py" in caught.value.message


def test_branching_store_may_have_several_leaves() -> None:
    """Alembic's heads are no conflict."""
    graph = build_graph([make_step(A1), make_step(A2, A1), make_step("pg:music.0002_c", A1)])

    refuse_conflicts(graph, branching_stores=["pg"])
    with pytest.raises(ConflictingLeaves):
        refuse_conflicts(graph, branching_stores=["another"])


def test_first_and_latest_stand_for_the_ends_of_an_app() -> None:
    """`__first__` and `__latest__` resolve as Django's do."""
    steps = [
        make_step(M1),
        make_step(M2, M1),
        make_step(A1, "mongo:music.__first__"),
        make_step(A2, A1, "mongo:music.__latest__"),
    ]

    graph = build_graph(steps)

    assert graph.parents[StepKey.parse(A1)] == {StepKey.parse(M1)}
    assert graph.parents[StepKey.parse(A2)] == {StepKey.parse(A1), StepKey.parse(M2)}


def squashed() -> Sequence[Step]:
    return [
        make_step(A1, M1),
        make_step(A2, A1),
        make_step("pg:music.0001_squashed", replaces=[A1, A2]),
        make_step("pg:music.0003_d", A2),
        make_step(M1),
    ]


@pytest.mark.parametrize(
    ("applied", "expected"),
    [
        ((), [M1, "pg:music.0001_squashed", "pg:music.0003_d"]),
        ((A1, A2), [M1, "pg:music.0001_squashed", "pg:music.0003_d"]),
        ((A1,), [M1, A1, A2, "pg:music.0003_d"]),
        ((A1, "pg:music.0001_squashed"), [M1, A1, A2, "pg:music.0003_d"]),
        (("pg:music.0001_squashed",), [M1, "pg:music.0001_squashed", "pg:music.0003_d"]),
    ],
)
def test_squashed_step_takes_part_when_all_or_none_is_applied(
    applied: Sequence[str], expected: Sequence[str]
) -> None:
    """Django's rule: a half-applied history goes on with the replaced steps."""
    graph = build_graph(squashed(), {StepKey.parse(key) for key in applied})

    assert names(graph) == expected


def test_squashed_step_inherits_what_the_replaced_ones_need() -> None:
    """A dependency on another store survives squashing."""
    graph = build_graph(squashed())

    assert graph.parents[StepKey.parse("pg:music.0001_squashed")] == {StepKey.parse(M1)}
