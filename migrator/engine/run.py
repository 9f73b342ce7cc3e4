"""
One run, from the moment that it holds the lease: its journal, its records, its steps, its report.

Every exit leads through :meth:`Run._end`, so that no run is shown as running after it ended, and
what was done is told whatever ended it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from accord import conf, db
from accord.clock import Clock
from accord.errors import AccordError, Interrupted, StoreRefused
from accord.events import Reporter, fan_out, one_at_a_time
from accord.identity import Identity, settle
from accord.seam.stores import Store
from accord.seam.types import Lease, StepKey
from migrator.engine import abandoned, outside
from migrator.engine.events import RunFinished, RunNoted, RunStarted
from migrator.engine.executor import Action, Executor
from migrator.engine.flags import command_of
from migrator.engine.journal import Journal
from migrator.engine.plan import Plan
from migrator.engine.request import Request, RunReport
from migrator.engine.situation import Situation
from migrator.models import RunOutcome

if TYPE_CHECKING:
    from migrator.engine.gate import Gate


class Run:
    """
    A run that holds the lease.

    Args:
        stores: The stores by alias.
        settings: Settings of the suite.
        clock: Time.
        held: The lease.
        gate: Keeps the records of the run; None where there is nothing to do.
        report: Hears what happens.
        stop: Asked between steps; True ends the run there.
        one_by_one: Don't let steps of different stores run at the same time.
    """

    def __init__(
        self,
        stores: Mapping[str, Store],
        settings: conf.AccordSettings,
        clock: Clock,
        *,
        held: Lease,
        gate: Gate | None,
        report: Reporter,
        stop: Callable[[], bool],
        one_by_one: bool,
    ) -> None:
        self._stores = stores
        self._settings = settings
        self._clock = clock
        self._held = held
        self._gate = gate
        # A run with nothing to do is no history.
        self._tell = one_at_a_time(
            fan_out([Journal(settings.coordinator, clock), report]) if gate else report
        )
        self._executor = Executor(
            stores, held, report=self._tell, clock=clock, stop=self._stopping, one_by_one=one_by_one
        )
        self._stop = stop
        self._marked: dict[str, Identity | None] = {}
        self._started = clock.monotonic()

    def carry_out(
        self, request: Request, plan: Plan, situation: Situation, actions: Mapping[StepKey, Action]
    ) -> RunReport:
        """
        Take every step of a plan.

        Args:
            request: What is wanted.
            plan: The plan made under the lease.
            situation: What it was made of.
            actions: What is done with each step.

        Returns:
            What was done, what failed, and what ended the run early: all of it, from every exit.

        Raises:
            GovernanceError: The policy refuses the plan; nothing was changed.
        """
        abandoned.close_others(self._settings.coordinator, holder=self._held.run_id)
        if self._gate is not None:
            self._gate.take(request, plan, situation, self._held.run_id, self._tell)
        try:
            error = self._attempt(request, plan, situation, actions)
        except BaseException as exc:
            crash = Interrupted(f"The run broke off with {type(exc).__name__}.", hint="See the traceback.")
            self._end(request, plan, situation, crash)
            raise
        return self._end(request, plan, situation, error)

    def _attempt(
        self, request: Request, plan: Plan, situation: Situation, actions: Mapping[StepKey, Action]
    ) -> AccordError | None:
        """Return what ended the run as a whole, if anything did."""
        self._tell(
            RunStarted(
                run_id=self._held.run_id,
                kind=request.kind.value,
                environment=self._settings.environment,
                plan=plan,
                fence=self._held.fence,
                by=None if self._gate is None else self._gate.who(request),
            )
        )
        try:
            self._mark(situation)
            self._executor.run(plan, actions, reason=request.reason)
        except AccordError as exc:
            return exc
        except KeyboardInterrupt:
            return Interrupted(
                "Stopped at once, in the middle of what was going on.",
                hint="Run the same command again to continue.",
            )
        return None

    def _stopping(self) -> bool:
        if self._gate is not None:
            self._gate.refuse_taken_back()
        return self._stop()

    def _mark(self, situation: Situation) -> None:
        """Write into stores of which this is the first run which environment they belong to."""
        for alias, own in situation.identities.items():
            if own is None:
                self._marked[alias] = self._mark_one(self._stores[alias], situation)

    def _mark_one(self, store: Store, situation: Situation) -> Identity | None:
        """Mark a store; one that takes no writes, such as a standby, has nothing to be protected from us."""
        try:
            outside.keep(store, situation, self._held)
            return settle(store, self._settings.environment, self._held)
        except StoreRefused as exc:
            self._tell(RunNoted(note=f"“{store.alias}” keeps no mark of its environment: {exc.message}"))
            return None

    def _end(
        self, request: Request, plan: Plan, situation: Situation, error: AccordError | None
    ) -> RunReport:
        report = RunReport(
            run_id=self._held.run_id if plan.steps else "",
            plan=plan,
            execution=self._executor.so_far(),
            seconds=self._clock.monotonic() - self._started,
            error=error,
            kind=request.kind,
            command=command_of(request),
        )
        try:
            if self._gate is not None:
                db.revive(self._settings.coordinator)
                marked = replace(situation, identities={**situation.identities, **self._marked})
                self._gate.finish(request, marked, report, self._tell)
        finally:
            self._tell(
                RunFinished(
                    run_id=self._held.run_id, outcome=_outcome(report), seconds=report.seconds, error=error
                )
            )
        return report


def _outcome(report: RunReport) -> str:
    if isinstance(report.error, Interrupted):
        return RunOutcome.INTERRUPTED.value
    failed = report.error is not None or bool(report.execution.failures)
    return RunOutcome.FAILED.value if failed else RunOutcome.SUCCEEDED.value
