"""Steps of different stores run at the same time where they don't need each other."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from accord.errors import LeaseLost, StoreUnavailable
from accord.seam.stores import StoreFeatures
from accord.seam.types import Step, StepKey
from accord.testing import FakeClock, MemoryStore, RecordingReporter, make_lease, make_step
from migrator.engine.events import StepFinished, StepStarted
from migrator.engine.executor import Action, Execution, Executor
from migrator.engine.graph import build_graph
from migrator.engine.lanes import CALLER, LANE, Crew, Turn, split
from migrator.engine.plan import Plan, Target, plan_forward
from tests.chance import chance

SECONDS = 10


class Bound(MemoryStore):
    """A store that is asked in the calling thread, as Django's databases are."""

    features = StoreFeatures(thread_bound=True)


def stores(steps: Sequence[Step], effects: Mapping[str, Callable[[], None]]) -> Mapping[str, MemoryStore]:
    aliases = sorted({step.key.store for step in steps})
    return {
        alias: (Bound if alias == "default" else MemoryStore)(
            alias, [step for step in steps if step.key.store == alias], effects=effects
        )
        for alias in aliases
    }


def run(
    steps: Sequence[Step],
    effects: Mapping[str, Callable[[], None]] | None = None,
    *,
    one_by_one: bool = False,
    report: RecordingReporter | None = None,
) -> tuple[Plan, Execution]:
    plan = plan_forward(build_graph(steps), (), Target())
    executor = Executor(
        stores(steps, effects or {}),
        make_lease(),
        report=report or RecordingReporter(),
        clock=FakeClock(),
        stop=lambda: False,
        one_by_one=one_by_one,
    )
    return plan, executor.run(plan, {step.key: Action.APPLY for step in plan.steps})


def meeting(parties: int) -> Callable[[], None]:
    """Return an effect that ends once so many steps are inside of it at the same time."""
    barrier = threading.Barrier(parties)
    return lambda: void(barrier.wait(SECONDS))


def void(_: object) -> None:
    """Take a value, and return none."""


FREE = [make_step("default:a.0001_d"), make_step("mongodb:a.0001_m"), make_step("search:a.0001_s")]


def test_steps_of_three_stores_meet() -> None:
    """Each waits for the two others inside of its own effect: one after the other they would never end."""
    effect = meeting(3)

    _, execution = run(FREE, {step.key.name: effect for step in FREE})

    assert len(execution.outcomes) == 3
    assert not execution.failures


def test_database_of_django_is_asked_in_the_calling_thread() -> None:
    """Its connections belong to a thread; the others have threads of their own."""
    seen: dict[str, bool] = {}
    main = threading.current_thread()

    def note(name: str) -> Callable[[], None]:
        return lambda: void(seen.setdefault(name, threading.current_thread() is main))

    run(FREE, {step.key.name: note(step.key.store) for step in FREE})

    assert seen == {"default": True, "mongodb": False, "search": False}


def test_one_by_one_is_the_calling_thread_alone() -> None:
    """With the flag nothing runs beside."""
    seen: list[threading.Thread] = []

    run(
        FREE,
        dict.fromkeys([s.key.name for s in FREE], lambda: seen.append(threading.current_thread())),
        one_by_one=True,
    )

    assert seen == [threading.current_thread()] * 3


def test_what_a_step_needs_of_another_lane_is_over_before() -> None:
    """A hundred random histories: no step begins before what it needs is over, and all are told in order."""
    numbers = chance("lanes")
    for _ in range(100):
        steps = history(numbers)
        report = RecordingReporter()

        plan, execution = run(steps, report=report)

        assert [outcome.key for outcome in execution.outcomes] == [step.key for step in plan.steps]
        ended: set[StepKey] = set()
        for event in report.events:
            if isinstance(event, StepStarted):
                assert plan.parents[event.step.key] <= ended
            if isinstance(event, StepFinished):
                ended.add(event.step.key)


@pytest.mark.parametrize("last", ["default", "mongodb", "search"])
def test_order_of_record_is_that_of_the_plan_whichever_lane_is_slow(last: str) -> None:
    """One lane ends only after the two others ended; outcomes and positions in the journal don't show it."""
    report, others = RecordingReporter(), {"default", "mongodb", "search"} - {last}

    def wait() -> None:
        ended = [event.step.key.store for event in report.of(StepFinished)]
        moment = time.monotonic() + SECONDS
        while not others <= set(ended):
            assert time.monotonic() < moment
            time.sleep(0.001)
            ended = [event.step.key.store for event in report.of(StepFinished)]

    plan, execution = run(FREE, {f"0001_{last[0]}": wait}, report=report)

    assert report.of(StepFinished)[-1].step.key.store == last
    assert [outcome.key for outcome in execution.outcomes] == [step.key for step in plan.steps]
    assert [str(step.key) for step in plan.steps] == sorted(str(step.key) for step in FREE)


def history(numbers: random.Random) -> Sequence[Step]:
    """Make twenty steps of four stores, some of which need earlier ones of others."""
    steps: list[Step] = []
    for number in range(20):
        store = numbers.choice(("default", "mongodb", "search", "other"))
        needs = [str(step.key) for step in numbers.sample(steps, min(len(steps), numbers.randrange(3)))]
        steps.append(make_step(f"{store}:a.{number:04}_x", *needs))
    return steps


def test_own_tables_come_before_every_lane() -> None:
    """No step of any store begins while the tables in which it is recorded are made."""
    own = replace(make_step("default:accord.0001_initial"), foundation=True)
    report = RecordingReporter()

    run([own, *FREE], report=report)

    assert report.of(StepStarted)[0].step == own
    assert isinstance(report.events[1], StepFinished)


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), LeaseLost("lost")])
def test_what_ends_a_run_ends_every_lane_after_its_step(error: Exception) -> None:
    """A lane that is at a step ends it, and begins no other."""
    broken, slow, never = (
        Turn(position=place, step=make_step(key), needs=frozenset())
        for place, key in enumerate(("mongodb:a.0001_m", "search:a.0001_s", "search:a.0002_t"), start=1)
    )
    taken: list[Turn] = []
    inside = threading.Event()

    def take(turn: Turn) -> None:
        taken.append(turn)
        if turn is broken:
            assert inside.wait(SECONDS)
            raise error
        inside.set()
        with crew._moved:
            assert crew._moved.wait_for(lambda: crew._halted, SECONDS)

    crew = Crew(take, leave=lambda: None)
    with pytest.raises(type(error)):
        crew.run(split([broken, slow, never], {"mongodb": CALLER, "search": "search"}))

    assert never not in taken
    assert slow in taken


@pytest.mark.parametrize("leaving", ["default", "mongodb"])
def test_revision_that_leaves_the_process_ends_every_lane(leaving: str) -> None:
    """A step that waits for one whose code called `sys.exit` would wait for ever; it is let go instead."""
    steps = [*FREE, make_step("search:a.0002_t", f"{leaving}:a.0001_{leaving[0]}")]

    def leave() -> None:
        sys.exit(9)

    with pytest.raises(SystemExit) as caught:
        run(steps, {f"0001_{leaving[0]}": leave})

    assert caught.value.code == 9
    assert not [one for one in threading.enumerate() if one.name.startswith(LANE)]


def test_failed_step_stops_what_needs_it_in_other_lanes_only() -> None:
    """The neighbour in a third lane goes on."""
    steps = [*FREE, make_step("search:a.0002_t", "mongodb:a.0001_m")]

    def fail() -> None:
        raise ValueError("no such luck")

    _, execution = run(steps, {"0001_m": fail})

    assert [str(step.key) for step in execution.skipped] == ["search:a.0002_t"]
    assert [str(outcome.key) for outcome in execution.outcomes] == ["default:a.0001_d", "search:a.0001_s"]
