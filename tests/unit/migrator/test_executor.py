from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from django.core.management.color import no_style

from accord.errors import Interrupted, LeaseLost, StaleFence, StepFailed, StoreUnavailable
from accord.seam.types import Lease, Step
from accord.testing import FakeClock, MemoryServer, MemoryStore, RecordingReporter, make_lease, make_step
from migrator.cli.render_text import run_lines
from migrator.engine.events import StepBroke, StepFinished, StepSkipped
from migrator.engine.executor import Action, Executor
from migrator.engine.graph import build_graph
from migrator.engine.plan import Plan, Target, plan_forward
from migrator.engine.request import RunReport

STEPS = [
    make_step("a:x.0001_one"),
    make_step("a:x.0002_two", "a:x.0001_one"),
    make_step("b:x.0001_far", "a:x.0002_two"),
    make_step("b:y.0001_free"),
]


def fail() -> None:
    raise ValueError("no such luck")


def run(
    effects: Mapping[str, Callable[[], None]] | None = None,
    *,
    steps: Sequence[Step] = STEPS,
    lease: Lease | None = None,
    stop: Callable[[], bool] = lambda: False,
    servers: Mapping[str, MemoryServer] | None = None,
) -> tuple[Executor, Plan, RecordingReporter]:
    servers = servers or {}
    stores = {
        alias: MemoryStore(
            alias, [s for s in steps if s.key.store == alias], effects=effects, server=servers.get(alias)
        )
        for alias in ("a", "b")
    }
    report = RecordingReporter()
    executor = Executor(stores, lease or make_lease(), report=report, clock=FakeClock(), stop=stop)
    return executor, plan_forward(build_graph(steps), (), Target()), report


def test_every_step_is_applied_in_order() -> None:
    """A plan without trouble ends with every step recorded."""
    executor, plan, report = run()

    execution = executor.run(plan, {step.key: Action.APPLY for step in plan.steps})

    assert [outcome.key for outcome in execution.outcomes] == [step.key for step in plan.steps]
    assert [event.step for event in report.of(StepFinished)] == list(plan.steps)


def test_failed_step_stops_what_needs_it_and_nothing_else() -> None:
    """Dependants are left out over store borders; a free step still runs."""
    executor, plan, report = run({"0002_two": fail})

    execution = executor.run(plan, {step.key: Action.APPLY for step in plan.steps})

    assert {str(item.key) for item in execution.outcomes} == {"a:x.0001_one", "b:y.0001_free"}
    assert [str(item.step.key) for item in execution.failures] == ["a:x.0002_two"]
    assert [str(step.key) for step in execution.skipped] == ["b:x.0001_far"]
    assert len(report.of(StepBroke)) == len(report.of(StepSkipped)) == 1
    assert "no such luck" in execution.failures[0].error.message
    summed_up = "\n".join(run_lines(RunReport(run_id="r", plan=plan, execution=execution), no_style()))
    assert "1 step that needs it did not run:\n  b:x.0001_far" in summed_up
    assert ".." not in summed_up


def test_wish_to_stop_is_heard_between_two_steps() -> None:
    """What is done stays done, and the rest is left for the next run."""
    wishes = iter([False, True])
    executor, plan, _ = run(stop=lambda: next(wishes))

    with pytest.raises(Interrupted):
        executor.run(plan, {step.key: Action.APPLY for step in plan.steps})

    assert len(executor.so_far().outcomes) == 1


def test_lost_lease_ends_the_run_before_the_next_step() -> None:
    """A holder whose lease is gone writes nothing more."""
    # Once before the step, and thrice by the store while it is at work.
    checks = iter([*[None] * 4, LeaseLost("gone")])

    def gate() -> None:
        error = next(checks)
        if error is not None:
            raise error

    executor, plan, _ = run(lease=Lease(scope="s", owner="o", run_id="r", fence=1, guard=gate))

    with pytest.raises(LeaseLost):
        executor.run(plan, {step.key: Action.APPLY for step in plan.steps})

    assert len(executor.so_far().outcomes) == 1


def test_stale_fence_ends_the_run() -> None:
    """A store that has seen a later holder refuses, and the run stops at once."""
    executor, plan, _ = run(servers={"b": MemoryServer(fence=9)}, lease=make_lease(3))

    with pytest.raises(StaleFence):
        executor.run(plan, {step.key: Action.APPLY for step in plan.steps})


def test_what_ends_a_step_or_the_run_names_the_step_once() -> None:
    """Whoever raised it may not know the step, and a message that has it already is left alone."""

    def away() -> None:
        raise StoreUnavailable("The server is away.", hint="Start it.")

    def odd() -> None:
        raise StepFailed("The index can't take it.", hint="Correct it.")

    failing, plan, _ = run({"0001_one": odd, "0001_free": fail})
    found = failing.run(plan, {step.key: Action.APPLY for step in plan.steps}).failures
    ending, plan, _ = run({"0001_one": away})
    with pytest.raises(StoreUnavailable) as caught:
        ending.run(plan, {step.key: Action.APPLY for step in plan.steps})

    assert [str(item.error.message).count(str(item.step.key)) for item in found] == [1, 1]
    assert found[0].error.message == "a:x.0001_one: The index can't take it."
    assert str(caught.value) == "[ACC-601] The server is away. a:x.0001_one was under way."
