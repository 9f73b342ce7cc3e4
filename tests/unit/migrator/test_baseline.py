"""What a look in the stores comes to, and what a baseline does with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

import pytest
from django.core.management.color import no_style

from accord.errors import ExitCode, UsageError
from accord.seam.differences import Difference, DifferenceKind
from accord.seam.registry import Registry
from accord.seam.types import Origin, Presence, Probe, Step
from accord.testing import MemoryServer, MemoryStore, make_lease, make_step
from migrator.cli import render_json
from migrator.cli.options import request_from
from migrator.cli.render_looks import verification_document, verification_lines
from migrator.cli.render_proof import baseline_document, baseline_lines
from migrator.engine.executor import Action, record_step
from migrator.engine.plan import Target
from migrator.engine.planning import actions_for, plan_request
from migrator.engine.request import Request
from migrator.engine.situation import read_situation
from migrator.engine.verdicts import Proof, judge_steps
from migrator.engine.verification import verify_recorded
from migrator.errors import BaselineMismatch, BaselineUnproved
from migrator.models import RunKind

OWN = replace(make_step("mem:accord.0001_own"), foundation=True)
OWN_MORE = replace(make_step("mem:accord.0002_more", "mem:accord.0001_own"), foundation=True)
A = make_step("mem:shop.0001_a")
B = make_step("mem:shop.0002_b", "mem:shop.0001_a")
C = make_step("mem:shop.0003_c", "mem:shop.0002_b")
STEPS = (OWN, OWN_MORE, A, B, C)
OPAQUE = "It changes documents only."
NO_C = Difference(kind=DifferenceKind.MISSING, text="There is no c.")
EXTRA = Difference(kind=DifferenceKind.EXTRA, text="An extra.")
DONE = {"presence": Presence.DONE}
UNKNOWN = {"presence": Presence.UNKNOWN, "unproved": (OPAQUE,)}
PARTLY = {"presence": Presence.DONE, "unproved": ("And documents.",)}
GONE = {"presence": Presence.ABSENT, "findings": (NO_C,)}
Answers = Mapping[Step, Mapping[str, object]]


class Asked(MemoryStore):
    """A store in memory that answers as a test says."""

    answers: Answers

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        for step in steps:
            if step in self.answers:
                yield Probe(key=step.key, **self.answers[step])  # type: ignore[arg-type]  # a test's words


def store_of(answers: Answers, recorded: Sequence[Step] = ()) -> Mapping[str, Asked]:
    store = Asked("mem", STEPS, server=MemoryServer())
    store.answers = dict.fromkeys(STEPS, DONE) | dict(answers)
    for step in recorded:
        store.record(step, make_lease(), Origin.RECORDED if step is B else Origin.ADOPTED)
    return {"mem": store}


def actions(answers: Answers, **request: object) -> Mapping[str, Action]:
    """Decide what a baseline does with each step."""
    stores = store_of(answers)
    situation = read_situation(cast("Registry", stores))
    asked = Request(kind=RunKind.BASELINE, **request)  # type: ignore[arg-type]  # a test's words
    plan = plan_request(asked, situation, stores)
    found = actions_for(asked, plan, situation, stores)
    return {key.name: action for key, action in found.items()}


def test_what_is_proved_is_adopted_and_the_suites_own_missing_tables_are_made() -> None:
    """With what changes a missing one, whether or not anything of that could be looked at."""
    found = actions({OWN: GONE, OWN_MORE: DONE})

    assert found == {
        "0001_own": Action.APPLY, "0002_more": Action.APPLY,
        "0001_a": Action.ADOPT, "0002_b": Action.ADOPT, "0003_c": Action.ADOPT,
    }  # fmt: skip


@pytest.mark.parametrize("answer", [UNKNOWN, PARTLY])
def test_what_cant_be_looked_at_is_recorded_on_somebodys_word_alone(answer: Mapping[str, object]) -> None:
    """Whole or in part; trusted as all of them, or as the one step that is named."""
    with pytest.raises(BaselineUnproved, match=r"mem:shop\.0002_b") as caught:
        actions({B: answer})
    assert "migrate_all --baseline --step mem:shop.0002_b" in caught.value.hint

    trusted = actions({B: answer}, trust_unproved=True)
    named = actions({B: answer}, target=Target(to="mem:shop.0002_b"))
    assert trusted["0002_b"] is named["0002_b"] is Action.RECORD
    assert trusted["0001_a"] is named["0001_a"] is Action.ADOPT
    with pytest.raises(BaselineUnproved):
        actions({B: answer}, target=Target(to="mem:shop.0003_c"))


@pytest.mark.parametrize("presence", [Presence.ABSENT, Presence.PARTIAL, Presence.CONFLICTING])
def test_what_differs_is_never_recorded(presence: Presence) -> None:
    """Whoever vouches for it; a store that says nothing of a step has nothing of it."""
    for answers in (
        {C: {"presence": presence, "findings": (NO_C,)}},
        {C: {"presence": presence}},
    ):
        with pytest.raises(BaselineMismatch, match=r"mem:shop\.0003_c"):
            actions(answers, trust_unproved=True)


def test_half_missing_table_of_the_suite_itself_is_different() -> None:
    """It was recorded as if it stood."""
    with pytest.raises(BaselineMismatch, match=r"accord\.0001_own"):
        actions(
            {OWN: {"presence": Presence.PARTIAL, "findings": (replace(NO_C, text="An index is missing."),)}}
        )


def test_store_that_says_nothing_of_a_step_has_nothing_of_it() -> None:
    """Not to know is no permission."""
    [verdict] = judge_steps([A], [], {})

    assert verdict.proof is Proof.DIFFERENT
    assert verdict.why == ("It is absent.",)


def test_recorded_step_says_so_in_its_outcome() -> None:
    """What was found stood there already; what a person vouched for may not."""
    [store] = store_of({}).values()
    found = record_step(store, A, make_lease(), Origin.ADOPTED)
    vouched = record_step(store, B, make_lease(), Origin.RECORDED)

    assert (found.already, found.origin) == (True, Origin.ADOPTED)
    assert (vouched.already, vouched.origin) == (False, Origin.RECORDED)
    assert "person's word" in vouched.detail


# --- what stands in the ledgers already ----------------------------------------------------------------


def test_recorded_steps_are_judged_and_nothing_is_written() -> None:
    """Proved, not provable, different; what was never recorded isn't asked for."""
    stores = store_of(
        {OWN: GONE, B: UNKNOWN, A: {"presence": Presence.DONE, "findings": (EXTRA,)}}, (OWN, A, B)
    )
    situation = read_situation(cast("Registry", stores))
    before = dict(stores["mem"].server.ledger)

    found = verify_recorded(stores, situation, Target())

    assert {verdict.step.key.name: verdict.proof for verdict in found.verdicts} == {
        "0001_own": Proof.DIFFERENT, "0001_a": Proof.PROVED, "0002_b": Proof.UNPROVABLE,
    }  # fmt: skip
    assert found.exit_code is ExitCode.DRIFT
    assert stores["mem"].server.ledger == before
    told = "\n".join(verification_lines(found, situation, no_style()))
    assert "3 recorded steps looked at: 1 proved, 1 not provable, 1 different." in told
    assert "mem:shop.0002_b  not provable  (recorded)" in told
    assert "An extra." in told
    document = verification_document(found, situation)
    assert document["exit_code"] == 6
    assert [(step["key"], step["proof"], step["origin"]) for step in document["steps"]] == [
        ("mem:accord.0001_own", "different", "adopted"),
        ("mem:shop.0001_a", "proved", "adopted"),
        ("mem:shop.0002_b", "unprovable", "recorded"),
    ]


def test_target_of_a_verification_narrows_what_is_told() -> None:
    """All recorded steps of the store are asked for, since a later one may have changed an earlier one."""
    stores = store_of({B: GONE}, (A, B))
    situation = read_situation(cast("Registry", stores))

    found = verify_recorded(stores, situation, Target(to="mem:shop.0001_a"))

    assert [verdict.step for verdict in found.verdicts if verdict.step.key.app == "shop"] == [A]
    assert found.exit_code is ExitCode.DONE


def test_plan_of_a_baseline_tells_what_would_become_of_each_step() -> None:
    """In text and in JSON, also what keeps it from being recorded."""
    stores = store_of({OWN: GONE, B: PARTLY, C: GONE})
    situation = read_situation(cast("Registry", stores))
    plan = plan_request(Request(kind=RunKind.BASELINE), situation, stores)
    found = judge_steps(plan.steps, list(stores["mem"].probe(plan.steps)), plan.parents)

    told = "\n".join(baseline_lines(plan, found, no_style()))
    document = baseline_document(plan, found, situation)

    assert "5 steps to record (1 proved, 1 not provable, 1 different, 2 to be made):" in told
    assert "mem:shop.0002_b  not provable\n       And documents." in told
    assert "Nothing would be recorded" in told
    assert [(step["name"], step["proof"]) for step in document["steps"]] == [
        ("0001_own", "to_make"), ("0002_more", "to_make"),
        ("0001_a", "proved"), ("0002_b", "unprovable"), ("0003_c", "different"),
    ]  # fmt: skip
    assert document["steps"][4]["differences"] == [{"kind": "missing", "text": "There is no c."}]
    assert document["digest"] == render_json.plan_document(plan, situation)["digest"]


# --- flags -----------------------------------------------------------------------------------------------

FLAGS: Mapping[str, object] = dict.fromkeys(
    ("forget", "rebuild", "app_label", "to", "step", "run", "migration_name", "env"), ""
) | dict.fromkeys(
    ("baseline", "fake", "revert", "data_is_lost", "trust_unproved", "verify", "plan", "dry_run"), False
) | {"phase": None, "store": [], "check_unapplied": False}  # fmt: skip


def test_step_of_a_baseline_is_how_far_it_goes() -> None:
    """As with --to: what it needs is recorded with it."""
    asked = request_from({**FLAGS, "baseline": True, "step": "mem:shop.0002_b"})

    assert asked.target == Target(to="mem:shop.0002_b")
    assert not asked.trust_unproved


@pytest.mark.parametrize(
    "given",
    [
        {"trust_unproved": True},
        {"baseline": True, "verify": True, "trust_unproved": True},
        {"baseline": True, "verify": True, "plan": True},
        {"baseline": True, "step": "a", "to": "b"},
        {"baseline": True, "run": "r"},
    ],
)
def test_flags_that_say_nothing_together_are_refused(given: Mapping[str, object]) -> None:
    """With the place and the next move."""
    with pytest.raises(UsageError) as caught:
        request_from({**FLAGS, **given})

    assert caught.value.hint
