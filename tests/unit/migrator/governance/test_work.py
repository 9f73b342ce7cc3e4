"""What an approval binds, and what it covers."""

from __future__ import annotations

import random
from pathlib import Path

from accord.seam.types import Direction, Phase, Source, Step, StepKey
from migrator.engine.plan import Plan
from migrator.governance.work import PlannedWork, not_covered
from migrator.models import RunKind


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
