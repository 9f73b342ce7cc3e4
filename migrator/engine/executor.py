"""
The executor: hands the steps of a plan to their stores under a lease, those of a store one by one.

A step that fails stops what needs it and nothing else. What is done is recorded by the
stores themselves, so that a rerun continues wherever this process ends.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from accord import db
from accord.clock import Clock
from accord.errors import AccordError, ExitCode, Interrupted, LeaseError, StepFailed, StoreUnavailable
from accord.events import Reporter, StepNoted
from accord.seam.stores import Records, RunHooks, Store, by_store
from accord.seam.types import Direction, Lease, Origin, Step, StepKey, StepOutcome
from accord.secrets.redact import first_line
from migrator.engine.asserting import hold_after, hold_before
from migrator.engine.events import StepBroke, StepFinished, StepSkipped, StepStarted
from migrator.engine.lanes import CALLER, Crew, Turn, split
from migrator.engine.plan import Plan

_ON_WORD = "on a person's word: nobody looked, or nothing could be looked at"


class Action(enum.StrEnum):
    """What is done with a step."""

    APPLY = "apply"
    RENEW = "renew"
    """Its revert did not end: undo the rest, then apply it."""
    REDO = "redo"
    """Its effect was lost: strike it from the ledger before the run's first step, then apply it."""
    REVERT = "revert"
    ADOPT = "adopt"
    """Write the ledger alone: its effect was found."""
    RECORD = "record"
    """Write the ledger alone: a person said so."""
    FORGET = "forget"
    """Strike from the ledger alone."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A step that failed, with its error."""

    step: Step
    error: AccordError


@dataclass(frozen=True, kw_only=True)
class Execution:
    """
    What became of a plan.

    Attributes:
        outcomes: Of the steps that are done, in order.
        failures: Steps that failed.
        skipped: Steps that were left out because of them.
    """

    outcomes: tuple[StepOutcome, ...] = ()
    failures: tuple[Failure, ...] = ()
    skipped: tuple[Step, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """Done, or failed."""
        return ExitCode.FAILED if self.failures else ExitCode.DONE


def renew_step(store: Store, step: Step, lease: Lease, report: Reporter) -> StepOutcome:
    """
    Apply a step whose revert did not end: the rest of it goes first.

    A kill between the two leaves a step that is not applied, which the next run applies.
    """
    report(StepNoted(key=str(step.key), note="its revert was begun and did not end: it is undone first."))
    store.revert(step, lease, report)
    return store.apply(step, lease, report)


def record_step(store: Store, step: Step, lease: Lease, how: Origin) -> StepOutcome:
    """Write a step into the ledger without acting, with how it came there."""
    _records(store).record(step, lease, how)
    found = how is Origin.ADOPTED
    return StepOutcome(
        key=step.key,
        direction=Direction.APPLY,
        already=found,
        detail="recorded only" if found else _ON_WORD,
        origin=how,
    )


def forget_step(store: Store, step: Step, lease: Lease, reason: str = "") -> StepOutcome:
    """Strike a step from the ledger without acting."""
    _records(store).forget(step, lease)
    detail = "struck from the ledger only" + (f": {reason}" if reason else "")
    return StepOutcome(key=step.key, direction=Direction.REVERT, already=True, detail=detail)


def _records(store: Store) -> Records:
    if not isinstance(store, Records):
        raise StepFailed(
            f"The ledger of “{store.alias}” can't be written without acting.",
            hint="Name the stores that can, with --store.",
        )
    return store


def _lane_of(store: Store, *, one_by_one: bool) -> str:
    features = store.features
    return CALLER if one_by_one or features.thread_bound or features.process_wide else store.alias


class Executor:
    """
    Runs one plan.

    Args:
        stores: The stores by alias.
        lease: The right to write; checked before every step.
        report: Hears everything, from whichever thread a step runs in.
        clock: Time.
        stop: Asked before every step; True ends the run there.
        one_by_one: Don't let steps of different stores run at the same time.
    """

    def __init__(
        self,
        stores: Mapping[str, Store],
        lease: Lease,
        *,
        report: Reporter,
        clock: Clock,
        stop: Callable[[], bool],
        one_by_one: bool = False,
    ) -> None:
        self._stores = stores
        self._lease = lease
        self._report = report
        self._clock = clock
        self._stop = stop
        self._lanes = {alias: _lane_of(store, one_by_one=one_by_one) for alias, store in stores.items()}
        self._positions: Mapping[StepKey, int] = {}
        self._reason = ""
        self._outcomes: list[StepOutcome] = []
        self._failures: dict[StepKey, Failure] = {}
        self._skipped: dict[StepKey, Step] = {}

    def run(self, plan: Plan, actions: Mapping[StepKey, Action], *, reason: str = "") -> Execution:
        """
        Take every step of a plan.

        Args:
            plan: The steps.
            actions: What to do with each of them.
            reason: Why, in a person's words; told with each step that is forgotten.

        Returns:
            What became of them. A step's own error is in there and is not raised.

        Raises:
            LeaseError: The lease was lost, or a store saw a later token. The run stops at once.
            StoreUnavailable: A store went away. The run stops at once.
            StepFailed: What a store does before or after its steps failed, or its ledger can only be
                written by acting. The run stops at once.
            Interrupted: `stop` said so.
        """
        self._reason = reason
        hooked = self._hooked_stores(plan)
        for alias, store, steps in hooked:
            with _translated_hook(alias, "begins"):
                store.before_run(steps, plan.direction, self._report)
        self._forget_lost(plan, actions)
        self._take_all(plan, actions)
        for alias, store, steps in hooked:
            if not any(step.key in self._failures or step.key in self._skipped for step in steps):
                with _translated_hook(alias, "ends"):
                    store.after_run(steps, plan.direction, self._report)
        return self.so_far()

    def _take_all(self, plan: Plan, actions: Mapping[StepKey, Action]) -> None:
        """Take every step; the tables in which runs are recorded come before all else, or go after it."""
        turns = [
            Turn(position=position, step=step, needs=plan.parents[step.key])
            for position, step in enumerate(plan.steps, start=1)
        ]
        self._positions = {turn.step.key: turn.position for turn in turns}
        crew = Crew(lambda turn: self._take(turn, plan, actions[turn.step.key]), db.close_own)
        for _, stage in groupby(turns, key=lambda turn: turn.step.foundation):
            crew.run(split(stage, self._lanes))

    def _forget_lost(self, plan: Plan, actions: Mapping[StepKey, Action]) -> None:
        """Strike what is gone, newest first: a kill in between leaves a ledger that a rebuild understands."""
        for step in reversed(plan.steps):
            if actions[step.key] is Action.REDO:
                self._lease.check()
                forget_step(self._stores[step.key.store], step, self._lease)

    def so_far(self) -> Execution:
        """Return what became of the steps until now."""
        return Execution(
            outcomes=tuple(sorted(self._outcomes, key=lambda outcome: self._positions[outcome.key])),
            failures=tuple(self._failures[key] for key in self._in_order(self._failures)),
            skipped=tuple(self._skipped[key] for key in self._in_order(self._skipped)),
        )

    def _in_order(self, keys: Iterable[StepKey]) -> Sequence[StepKey]:
        return sorted(keys, key=self._positions.__getitem__)

    def _hooked_stores(self, plan: Plan) -> Sequence[tuple[str, RunHooks, Sequence[Step]]]:
        groups = by_store(plan.steps)
        return [
            (alias, store, groups.get(alias, ()))
            for alias, store in self._stores.items()
            if isinstance(store, RunHooks)
        ]

    def _take(self, turn: Turn, plan: Plan, action: Action) -> None:
        step, position = turn.step, turn.position
        cause = self._broken_parent(plan, step)
        if cause is not None:
            self._skipped[step.key] = step
            self._report(StepSkipped(step=step, because=cause, direction=plan.direction))
            return
        if self._stop():
            raise Interrupted(
                f"Stopped on request before {step.key}.", hint="Run the same command again to continue."
            )
        self._lease.check()
        total = len(plan)
        self._report(StepStarted(step=step, direction=plan.direction, position=position, total=total))
        started = self._clock.monotonic()
        try:
            outcome = self._do(action, self._stores[step.key.store], step)
        except (Interrupted, LeaseError, StoreUnavailable) as exc:
            if str(step.key) not in exc.message:
                exc.reword(f"{exc.message} {step.key} was under way.")
            raise
        except Exception as exc:  # noqa: BLE001 - a revision's own code may raise anything; it is reported
            self._break(step, exc, self._clock.monotonic() - started)
        else:
            self._outcomes.append(outcome)
            seconds = self._clock.monotonic() - started
            self._report(
                StepFinished(step=step, outcome=outcome, seconds=seconds, position=position, total=total)
            )

    def _do(self, action: Action, store: Store, step: Step) -> StepOutcome:
        if action not in (Action.APPLY, Action.REDO, Action.RENEW):
            return self._act(action, store, step)
        if action is not Action.RENEW:
            hold_before(store, step)
        outcome = self._act(action, store, step)
        hold_after(store, step, outcome)
        return outcome

    def _act(self, action: Action, store: Store, step: Step) -> StepOutcome:
        match action:
            case Action.APPLY | Action.REDO:
                return store.apply(step, self._lease, self._report)
            case Action.REVERT:
                return store.revert(step, self._lease, self._report)
            case Action.RENEW:
                return renew_step(store, step, self._lease, self._report)
            case Action.ADOPT:
                return record_step(store, step, self._lease, Origin.ADOPTED)
            case Action.RECORD:
                return record_step(store, step, self._lease, Origin.RECORDED)
            case Action.FORGET:
                return forget_step(store, step, self._lease, self._reason)

    def _broken_parent(self, plan: Plan, step: Step) -> Step | None:
        """Find the failed step because of which this one can't go."""
        for key in sorted(plan.parents[step.key]):
            if key in self._failures:
                return self._failures[key].step
            if key in self._skipped:
                return self._skipped[key]
        return None

    def _break(self, step: Step, cause: Exception, seconds: float) -> None:
        error = cause if isinstance(cause, AccordError) else _step_failed(step, cause)
        if str(step.key) not in error.message:
            error.reword(f"{step.key}: {error.message}")
        self._failures[step.key] = Failure(step=step, error=error)
        self._report(StepBroke(step=step, error=error, seconds=seconds))


def _step_failed(step: Step, cause: Exception) -> StepFailed:
    error = StepFailed(
        f"{step.key} failed with {type(cause).__name__}: {first_line(cause)} ({step.source.path})",
        hint="Mend the cause and run the same command again: it continues with this step.",
    )
    error.__cause__ = cause
    return error


@contextmanager
def _translated_hook(alias: str, moment: str) -> Iterator[None]:
    """
    Turn what a store's own code raises around a run into an error that a report can hold.

    Raises:
        StepFailed: It raised anything that is no error of the suite.
    """
    try:
        yield
    except AccordError:
        raise
    except Exception as exc:
        raise StepFailed(
            f"What the store “{alias}” does when a run {moment} failed with {type(exc).__name__}: "
            f"{first_line(exc)}.",
            hint="Mend the cause and run the same command again; --traceback shows the whole error.",
        ) from exc
