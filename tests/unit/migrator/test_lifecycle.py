"""Steps that were begun, adopted or belong to another release, as plans, lists and health see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.core.management.color import no_style

from accord.errors import IrreversibleStep, UnknownTarget, UsageError
from accord.health.runner import Level
from accord.seam.types import AppliedStep, BegunStep, Direction, Origin, Phase, Step, StepKey
from accord.testing import MemoryStore, make_step
from migrator.cli import render_json, render_text
from migrator.engine.drift import forgetting
from migrator.engine.executor import Action
from migrator.engine.forgetting import plan_forgetting
from migrator.engine.graph import build_graph
from migrator.engine.plan import Target, plan_forward
from migrator.engine.planning import actions_for, plan_request
from migrator.engine.request import Request
from migrator.engine.situation import Situation
from migrator.errors import LedgerOrphan
from migrator.health_checks import _applied, _drift
from migrator.models import RunKind

FIRST = make_step("mem:shop.0001_a")
SECOND = make_step("mem:shop.0002_b", "mem:shop.0001_a")
FAR = make_step("far:shop.0001_c", "mem:shop.0002_b")
GONE = make_step("mem:shop.0009_next", "mem:shop.0002_b")


def situation(
    steps: Sequence[Step] = (FIRST, SECOND, FAR),
    applied: Sequence[Step] = (FIRST,),
    begun: Sequence[Step] = (SECOND,),
    how: Origin = Origin.APPLIED,
) -> Situation:
    ledger = {
        step.key: AppliedStep(
            key=step.key,
            checksum=step.source.checksum,
            fingerprint=step.source.fingerprint,
            run_id="r1",
            how=how,
        )
        for step in applied
    }
    half = {step.key: BegunStep(key=step.key, done=2, partly=True, run_id="r2") for step in begun}
    graph = build_graph(steps, ledger, ranks={"mem": 0, "far": 1})
    return Situation(steps=tuple(steps), applied=ledger, graph=graph, begun=half)


def revert(found: Situation, **target: str) -> list[str]:
    request = Request(kind=RunKind.REVERT, target=Target(**target))  # type: ignore[arg-type]  # texts alone here
    return [step.key.name for step in plan_request(request, found, {}).steps]


# --- reverting --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", [{"step": "mem:shop.0001"}, {"to": "zero"}, {"app": "shop"}, {"app": "shop", "to": "zero"}]
)
def test_begun_step_is_undone_before_what_it_needs(target: dict[str, str]) -> None:
    """However the way back is named, the half applied step goes first."""
    assert revert(situation(), **target) == ["0002_b", "0001_a"]


def test_begun_step_alone_is_undone_by_its_name_and_by_its_run() -> None:
    """A run that failed in its middle can be taken back as one that didn't."""
    assert revert(situation(), step=str(SECOND.key)) == ["0002_b"]
    assert revert(situation(), to=str(FIRST.key)) == ["0002_b"]
    assert revert(situation(), run_id="r2") == ["0002_b"]


def test_what_never_ran_of_a_begun_step_does_not_keep_it_from_being_undone() -> None:
    """Whether what stands of it can be undone, its store knows; of a whole one the plan knows."""
    stuck = replace(SECOND, irreversible="drops a column")

    assert revert(situation((FIRST, stuck)), to="zero") == ["0002_b", "0001_a"]
    with pytest.raises(IrreversibleStep):
        revert(situation((FIRST, stuck), (FIRST, stuck), ()), to="zero")


def test_plan_says_which_steps_stay_where_they_are() -> None:
    """In words and as data; a faked revert undoes nothing anyway."""
    found = situation((FIRST,), (FIRST,), (), Origin.RECORDED)
    plan = plan_request(Request(kind=RunKind.REVERT, target=Target(to="zero")), found, {})

    [line] = [line for line in render_text.plan_lines(plan, found, no_style()) if str(FIRST.key) in line]
    assert line.endswith("(recorded)  (stays; its line goes)")
    assert render_json.plan_document(plan, found)["left"] == [str(FIRST.key)]
    faked = Request(kind=RunKind.FAKE, revert=True, target=Target(app="shop"))
    assert plan_request(faked, found, {"mem": MemoryStore("mem", [FIRST])}).left == frozenset()


def test_nothing_leaves_that_a_begun_step_of_another_release_may_need() -> None:
    """Its file is not here, so what it needs isn't known; other apps are free."""
    other = make_step("mem:radio.0001_r")
    found = situation((FIRST, SECOND, other), (FIRST, SECOND, other), (GONE,))

    with pytest.raises(LedgerOrphan, match="0009_next"):
        revert(found, step=str(FIRST.key))
    assert revert(found, step=str(other.key)) == ["0001_r"]


# --- drift, lists and health --------------------------------------------------------------------------------


def test_begun_step_of_another_release_is_told_and_stops_nothing() -> None:
    """A run forward plans what there is; the remedy is the one that works."""
    found = situation((FIRST, SECOND), (FIRST,), (GONE,))

    [drift] = found.drift
    assert drift.tolerable
    assert forgetting(GONE.key) in drift.error.hint
    assert [step.key for step in plan_request(Request(), found, {}).steps] == [SECOND.key]


def test_lists_and_plans_tell_what_was_begun_and_what_was_adopted() -> None:
    """Half a cross, the number of operations, and a word where no run of ours brought it about."""
    found = situation(how=Origin.ADOPTED)
    plan = plan_forward(found.graph, found.done, Target())

    listed = list(render_text.list_lines(found, [FIRST, SECOND, FAR], no_style()))
    planned = list(render_text.plan_lines(plan, found, no_style()))
    told = list(render_text.begun_lines(found, no_style()))

    assert "   [X] 0001_a  (adopted)" in listed
    assert "   [/] 0002_b" in listed
    assert "   [ ] 0001_c" in listed
    assert any(line.endswith("0002_b  (goes on after 2 operations)") for line in planned)
    assert told[0] == f"Begun: {SECOND.key}"
    assert told[-1] == f"  migrate_all --revert --step {SECOND.key} undoes what is done."
    assert render_json.plan_document(plan, found)["begun"][0]["operations_done"] == 2
    states = {one["name"]: one for one in render_json.listing_document(found, [FIRST, SECOND])["steps"]}
    assert (states["0001_a"]["origin"], states["0001_a"]["begun"]) == ("adopted", None)
    assert states["0002_b"]["begun"]["direction"] == Direction.APPLY.value


@pytest.mark.parametrize("phase", list(Phase))
def test_readiness_falls_with_a_begun_expansion_of_this_release_alone(phase: Phase) -> None:
    """The code that runs does without the other phases, as it does while they are pending."""
    step = replace(SECOND, phase=phase)

    finding = _applied("mem", [step], [step], running=False)

    assert finding.level is Level.CRITICAL
    assert finding.ready is (phase is not Phase.EXPAND)


@pytest.mark.parametrize("applied", [(FIRST, SECOND), (FIRST, SECOND, GONE)])
def test_what_another_release_did_leaves_the_running_one_ready(applied: Sequence[Step]) -> None:
    """Begun or applied by the next release: told with the remedy, and requests go on."""
    begun = [] if GONE in applied else [GONE]
    finding = _drift("mem", situation((FIRST, SECOND), applied, begun).drift)

    assert finding.level is (Level.WARN if begun else Level.CRITICAL)
    assert finding.ready
    assert forgetting(GONE.key) in finding.hint


# --- forgetting --------------------------------------------------------------------------------


def test_begun_steps_and_those_without_a_file_can_be_forgotten() -> None:
    """With the file where there is one, so that governance sees its checksum."""
    found = situation((FIRST, SECOND), (FIRST, GONE), (SECOND,))

    assert plan_forgetting(str(SECOND.key), found).steps == (SECOND,)
    [gone] = plan_forgetting(str(GONE.key), found).steps
    assert (gone.key, gone.source.content) == (GONE.key, b"")


def test_ordinary_applied_step_is_not_forgotten_but_undone() -> None:
    """The refusal names the way that fits."""
    with pytest.raises(UsageError) as refused:
        plan_forgetting(str(FIRST.key), situation())

    assert f"migrate_all --revert --step {FIRST.key}" in refused.value.hint


def test_part_of_a_squashed_step_is_not_forgotten() -> None:
    """Its row is what the squashed step is known by."""
    squashed = make_step("mem:shop.0001_squashed", replaces=[str(FIRST.key), str(SECOND.key)])
    found = situation((squashed,), (FIRST, SECOND), ())

    with pytest.raises(UsageError, match="0001_squashed"):
        plan_forgetting(str(FIRST.key), found)


@pytest.mark.parametrize("text", ["mem:shop.0003_typo", "shop", "", str(FAR.key)])
def test_what_no_ledger_holds_can_not_be_forgotten(text: str) -> None:
    """A typo strikes nothing, and those that could be meant are named."""
    with pytest.raises(UnknownTarget) as refused:
        plan_forgetting(text, situation())

    assert str(SECOND.key) in refused.value.hint


def test_keys_of_begun_steps_are_what_a_revert_has_to_undo() -> None:
    """And they are no part of what is applied."""
    found = situation()

    assert found.standing == {FIRST.key, SECOND.key}
    assert found.done == {FIRST.key}
    assert StepKey.parse(str(SECOND.key)) in found.begun


@pytest.mark.parametrize("stands", [True, False])
def test_a_persons_word_is_not_taken_for_the_suites_own_tables(*, stands: bool) -> None:
    """Without them nothing could be written down afterwards, so they are made where they are missing."""
    own, other = replace(FIRST, foundation=True), make_step("mem:radio.0001_r")
    # Only changes what the first one makes, so that nothing of it can be seen to be missing.
    change = replace(SECOND, foundation=True)
    store = MemoryStore("mem", [own, change, other])
    for step in (own, change) if stands else (change,):
        store.server.objects[step.key.name] = step.source.text
    found = situation([own, change, other], [], [])
    request = Request(kind=RunKind.FAKE)
    plan = plan_request(request, found, {"mem": store})

    actions = actions_for(request, plan, found, {"mem": store})

    expected = Action.RECORD if stands else Action.APPLY
    assert actions == {own.key: expected, change.key: expected, other.key: Action.RECORD}
