"""What an approval binds, and what it covers."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from accord.seam.types import Direction, Phase, Source, Step, StepKey
from migrator.engine.flags import flags_of
from migrator.engine.plan import Plan, Target
from migrator.engine.request import Request
from migrator.governance.flaws import flaw_of
from migrator.governance.work import BINDING, PlannedWork, not_covered, words_in
from migrator.models import PlanApproval, RunKind


def step(name: str, text: str = "x = 1", phase: Phase = Phase.EXPAND) -> Step:
    """Make a step with a content."""
    source = Source(path=Path(f"{name}.py"), content=text.encode())
    return Step(key=StepKey("mongo", "music", name), source=source, phase=phase)


def work(*steps: Step) -> PlannedWork:
    """Make what a run would do."""
    return PlannedWork(kind=RunKind.APPLY, direction=Direction.APPLY, steps=steps)


A, B, C = step("0001_a"), step("0002_b"), step("0003_c")
APPROVED = work(A, B, C)
ALL = [str(one.key) for one in APPROVED.steps]


def test_digest_is_that_of_the_plan() -> None:
    """What `--plan` shows is what a person approves."""
    plan = Plan(direction=Direction.APPLY, steps=(A, B, C), parents={})

    assert APPROVED.digest == plan.digest


def test_any_part_in_order_is_covered() -> None:
    """A run that was cut off anywhere continues."""
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    chance = random.Random(seed)
    steps = [step(f"{number:04}_s", f"x = {number}") for number in range(30)]
    bound = work(*steps).bound
    remaining = [str(one.key) for one in steps]

    for _attempt in range(200):
        part = [one for one in steps if chance.random() < 0.6]
        assert not_covered(bound, remaining, part) == ""


def test_new_edited_used_and_reordered_steps_are_not_covered() -> None:
    """Each for a reason that is said."""
    bound = APPROVED.bound

    assert "not among" in not_covered(bound, ALL, [A, step("0004_d")])
    assert "changed" in not_covered(bound, ALL, [A, step("0002_b", "x = 2")])
    assert "changed" in not_covered(bound, ALL, [step("0001_a", phase=Phase.CONTRACT)])
    assert "before" in not_covered(bound, ALL[1:], [A, B])
    assert "order" in not_covered(bound, ALL, [B, A])


def test_comments_do_not_void_an_approval() -> None:
    """Only what a step does was approved."""
    assert not_covered(APPROVED.bound, ALL, [step("0001_a", "# why\nx = 1")]) == ""


# --- words --------------------------------------------------------------------------------------------

HARMFUL = (
    Request(kind=RunKind.BASELINE, trust_unproved=True),
    Request(kind=RunKind.REVERT, target=Target(to="zero"), even_with_data=True),
    Request(target=Target(stores=("mongo",)), rebuild=True, data_is_lost=True),
)
"""Each asks for more than the same request without its words."""


def approval_of(bound: PlannedWork) -> PlanApproval:
    """Return a request for an approval, as it is kept."""
    return PlanApproval(
        direction=bound.direction.value,
        steps=bound.bound,
        remaining=[entry[0] for entry in bound.bound],
        target=bound.target,
        digest=bound.digest,
    )


def test_each_binding_flag_is_one_that_a_request_is_asked_for_with() -> None:
    """None of them is lost on the way from the request to what a person approves."""
    found = {word for request in HARMFUL for word in words_in(" ".join(flags_of(request)))}

    assert found == set(BINDING)


@pytest.mark.parametrize("word", BINDING)
def test_yes_to_the_steps_is_none_to_the_word(word: str) -> None:
    """The same steps, asked for without it: another digest, and not covered."""
    plain, more = replace(APPROVED, target="--store mongo"), replace(APPROVED, target=f"{word} --store mongo")

    assert plain.digest == APPROVED.digest != more.digest
    assert flaw_of(approval_of(plain), more, "default") == f"it was asked for without {word}"


def test_step_that_locks_is_agreed_to_by_its_name() -> None:
    """A yes to one step sent as it stands is none to another."""
    first, second = (
        replace(APPROVED, target=" ".join(flags_of(Request(unsafe_ddl=(key,)))))
        for key in ("default:shop.0002_b", "default:shop.0003_c")
    )

    assert APPROVED.digest != first.digest != second.digest
    assert flaw_of(approval_of(first), second, "default").endswith("--unsafe-ddl=default:shop.0003_c")


def test_word_that_is_written_into_a_request_later_does_not_count() -> None:
    """The digest that was approved knows nothing of it."""
    forged = approval_of(replace(APPROVED, target="--baseline"))
    forged.target = "--baseline --trust-unproved"

    assert "digest" in flaw_of(forged, replace(APPROVED, target=forged.target), "default")


def test_plan_that_is_shown_has_the_digest_that_is_approved_with_its_words() -> None:
    """`--plan` with the flags of the run."""
    plan = Plan(direction=Direction.APPLY, steps=(A, B, C), parents={}, words=("--trust-unproved",))

    assert plan.digest == replace(APPROVED, target="--baseline --trust-unproved").digest
