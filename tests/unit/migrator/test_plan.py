from __future__ import annotations

from dataclasses import replace

import pytest

from accord.errors import IrreversibleStep, UnknownStore, UnknownTarget
from accord.seam.types import Phase, StepKey
from accord.testing import make_step
from migrator.engine.graph import Graph, build_graph
from migrator.engine.plan import Plan, Target, plan_forward, plan_revert
from migrator.errors import AmbiguousTarget, UnknownApp

A1, A2, A3 = "pg:music.0001_a", "pg:music.0002_b", "pg:music.0003_c"
M1, M2 = "mongo:music.0001_m", "mongo:music.0002_n"
OTHER = "pg:radio.0001_r"


def graph() -> Graph:
    return build_graph(
        [
            make_step(A1),
            make_step(A2, A1, M1, phase=Phase.BACKFILL),
            make_step(A3, A2),
            make_step(M1, A1),
            make_step(M2, M1),
            make_step(OTHER),
        ],
        ranks={"pg": 0, "mongo": 1},
    )


def keys(*names: str) -> frozenset[StepKey]:
    return frozenset(StepKey.parse(name) for name in names)


def listed(plan: Plan) -> list[str]:
    return [str(step.key) for step in plan.steps]


def test_plan_holds_pending_steps_only() -> None:
    """What is applied is not planned again."""
    plan = plan_forward(graph(), keys(A1, OTHER, M1), Target())

    assert listed(plan) == [A2, A3, M2]


def test_target_brings_what_it_needs_from_other_stores() -> None:
    """Going to a step pulls its dependencies in, and nothing else."""
    plan = plan_forward(graph(), (), Target(to="pg:music.0002"))

    assert listed(plan) == [A1, M1, A2]


def test_store_and_app_narrow_the_plan() -> None:
    """`--store mongo` plans Mongo's steps and what they need."""
    assert listed(plan_forward(graph(), (), Target(stores=("mongo",)))) == [A1, M1, M2]
    assert listed(plan_forward(graph(), (), Target(app="radio"))) == [OTHER]


def test_phase_leaves_out_what_stands_behind_another_phase() -> None:
    """An expand step that needs a pending backfill waits with it."""
    plan = plan_forward(graph(), (), Target(phase=Phase.EXPAND))

    assert listed(plan) == [A1, OTHER, M1, M2]
    assert [str(step.key) for step in plan.waiting] == [A2, A3]


def test_step_of_the_phase_that_stands_behind_another_phase_is_stuck() -> None:
    """What would have to run now and can't is told apart from what is for later."""
    steps = [make_step(A1, phase=Phase.CONTRACT), make_step(A2, A1), make_step(OTHER)]

    plan = plan_forward(build_graph(steps), (), Target(phase=Phase.EXPAND))

    assert listed(plan) == [OTHER]
    assert [str(step.key) for step in plan.waiting] == [A1, A2]
    assert [str(step.key) for step in plan.stuck] == [A2]
    assert not plan_forward(build_graph(steps), (), Target()).stuck


def test_tables_of_the_suite_go_with_the_first_step_that_runs() -> None:
    """A run for one app on an empty system is in the journal too; with nothing to do, nothing is added."""
    journal = replace(make_step("pg:migrator.0001_journal"), foundation=True)
    whole = build_graph([journal, make_step(A1), make_step(OTHER)], ranks={"pg": 0})

    assert listed(plan_forward(whole, (), Target(app="radio"))) == ["pg:migrator.0001_journal", OTHER]
    assert listed(plan_forward(whole, keys(OTHER), Target(app="radio"))) == []


def test_revert_takes_everything_that_needs_the_leaving_step() -> None:
    """Undoing a step undoes its dependants first, in every store."""
    plan = plan_revert(graph(), keys(A1, A2, A3, M1, M2, OTHER), Target(step=M1))

    assert set(listed(plan)) == {A3, A2, M2, M1}
    assert listed(plan)[-1] == M1
    assert listed(plan).index(A3) < listed(plan).index(A2)


def test_revert_back_to_a_target_keeps_the_target() -> None:
    """`--to` names the step that stays."""
    plan = plan_revert(graph(), keys(A1, A2, A3, M1), Target(to=A1))

    assert listed(plan) == [A3, A2]


BRANCH, MERGE = "pg:music.0003_x", "pg:music.0004_merge"


@pytest.mark.parametrize(
    ("target", "leaving"),
    [
        (A3, [MERGE]),
        (BRANCH, [MERGE]),
        (A2, [MERGE, BRANCH, A3]),
        (MERGE, []),
        ("zero", [MERGE, BRANCH, A3, A2, A1]),
    ],
)
def test_revert_back_to_a_branch_spares_its_sibling(target: str, leaving: list[str]) -> None:
    """What doesn't come after the target stays, whatever app it is of."""
    steps = [
        make_step(A1),
        make_step(A2, A1),
        make_step(A3, A2),
        make_step(BRANCH, A2),
        make_step(MERGE, A3, BRANCH),
    ]

    plan = plan_revert(build_graph(steps), keys(A1, A2, A3, BRANCH, MERGE), Target(to=target))

    assert listed(plan) == leaving


def test_revert_back_to_a_target_keeps_what_only_needs_the_target() -> None:
    """Another app that was built on the step that stays is not in the way."""
    steps = [make_step(A1), make_step(A2, A1), make_step(OTHER, A1)]

    plan = plan_revert(build_graph(steps), keys(A1, A2, OTHER), Target(to=A1))

    assert listed(plan) == [A2]


def test_revert_to_zero_takes_everything() -> None:
    """Zero leaves nothing, newest first."""
    plan = plan_revert(graph(), keys(A1, M1, OTHER), Target(to="zero"))

    assert listed(plan) == [M1, OTHER, A1]


def test_revert_of_a_run_takes_its_steps_and_what_needs_them() -> None:
    """What later runs built upon the run's steps goes too."""
    plan = plan_revert(graph(), keys(A1, A2, M1), Target(run_id="r1"), keys(M1))

    assert listed(plan) == [A2, M1]


def test_irreversible_steps_are_all_named_before_anything_runs() -> None:
    """The person sees every obstacle at once."""
    steps = [make_step(A1, irreversible="drops data"), make_step(A2, A1, irreversible="hashes")]

    with pytest.raises(IrreversibleStep) as caught:
        plan_revert(build_graph(steps), keys(A1, A2), Target(to="zero"))

    assert f"{A1} (drops data)" in caught.value.message
    assert f"{A2} (hashes)" in caught.value.message


def test_digest_depends_on_steps_order_content_and_direction() -> None:
    """Two plans share a digest only when they would do the same."""
    same = plan_forward(graph(), (), Target()).digest
    fewer = plan_forward(graph(), keys(A1), Target()).digest
    edited = build_graph([make_step(A1, text="x = 2")])
    original = build_graph([make_step(A1, text="x = 1")])

    assert plan_forward(graph(), (), Target()).digest == same
    assert fewer != same
    assert plan_forward(edited, (), Target()).digest != plan_forward(original, (), Target()).digest
    assert (
        plan_forward(original, (), Target()).digest
        != plan_revert(original, keys(A1), Target(to="zero")).digest
    )


def test_digest_ignores_comments() -> None:
    """A comment does not void an approval."""
    plain = build_graph([make_step(A1, text="x = 1")])
    commented = build_graph([make_step(A1, text="# why\nx = 1  # because\n")])

    assert plan_forward(plain, (), Target()).digest == plan_forward(commented, (), Target()).digest


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (Target(stores=("postgres",)), UnknownStore),
        (Target(app="musik"), UnknownApp),
        (Target(to="pg:music.0009"), UnknownTarget),
        (Target(to="music.0001"), AmbiguousTarget),
        (Target(to="nonsense"), UnknownTarget),
    ],
)
def test_unknown_targets_are_refused_with_what_exists(target: Target, error: type[Exception]) -> None:
    """A name that fits nothing, or too much, is an error with a hint."""
    with pytest.raises(error) as caught:
        plan_forward(graph(), (), target)

    assert getattr(caught.value, "hint", "")


def test_app_and_name_are_enough_when_they_are_unique() -> None:
    """`migrate_all radio 0001` works like Django's."""
    assert listed(plan_forward(graph(), (), Target(app="radio", to="0001"))) == [OTHER]


# --- what was found ----------------------------------------------------------------------------------


def test_found_step_is_left_and_nothing_keeps_it_from_leaving() -> None:
    """Its line goes, and what can't be undone of it need not be; what a run made above it goes first."""
    steps = [make_step(A1), replace(make_step(A2, A1), irreversible="drops a column"), make_step(A3, A2)]
    found = build_graph(steps, ranks={"pg": 0})

    plan = plan_revert(found, keys(A1, A2, A3), Target(to="zero"), found=keys(A1, A2))

    assert (listed(plan), plan.left) == ([A3, A2, A1], keys(A1, A2))
    with pytest.raises(IrreversibleStep):
        plan_revert(found, keys(A1, A2, A3), Target(to="zero"))


def test_what_was_found_is_not_taken_along_by_what_it_stands_on() -> None:
    """A found column would go with the table of a run; the refusal names both, and the way on."""
    with pytest.raises(IrreversibleStep, match=f"{A2} can't be undone: {A3}") as refused:
        plan_revert(graph(), keys(A1, A2, A3, M1), Target(to="zero"), found=keys(A3))

    assert f"migrate_all --revert --step {A3}" in refused.value.hint
    assert listed(plan_revert(graph(), keys(A1, A2, A3, M1), Target(step=A3), found=keys(A3))) == [A3]


def test_found_step_of_another_store_stands_on_its_own() -> None:
    """A collection stays where it is when the table goes that its step had to wait for."""
    plan = plan_revert(graph(), keys(A1, M1), Target(to="zero"), found=keys(M1))

    assert (listed(plan), plan.left) == ([M1, A1], keys(M1))
