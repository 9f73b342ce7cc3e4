"""What commands, admin and API ask of the engine. One set of functions for all of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from accord import conf, lease
from accord.clock import Clock, SystemClock
from accord.errors import (
    AccordError,
    Interrupted,
    LeaseError,
    PlanChanged,
    StoreUnavailable,
    UnknownTarget,
    UsageError,
    WrongEnvironment,
)
from accord.events import Reporter, fan_out, silent
from accord.registry import Registry
from accord.stores import Explains, Probes, by_store
from accord.types import Direction, Language, Lease, Presence, Probe, Source, Statement, Step, StepKey
from migrator.engine.baseline import refuse_mismatch
from migrator.engine.events import RunFinished, RunStarted
from migrator.engine.executor import (
    Act,
    Execution,
    Executor,
    apply_step,
    forget_step,
    record_step,
    renew_step,
    revert_step,
)
from migrator.engine.journal import Journal
from migrator.engine.plan import Plan, plan_forward, plan_revert
from migrator.engine.request import Request, RunReport
from migrator.engine.situation import Situation, read_situation
from migrator.models import Outcome, RunKind

if TYPE_CHECKING:
    from migrator.engine.guard import Guard

LEASE_SCOPE = "migrations"
_NO_FILE = Path("(no file)")


def never() -> bool:
    """Don't stop."""
    return False


class Migrations:
    """
    The migrations of one project.

    Args:
        stores: The stores, opened for this piece of work; see :func:`accord.registry.opened`.
        settings: Settings of the suite; those of the project by default.
        clock: Time.
    """

    def __init__(
        self,
        stores: Registry,
        settings: conf.AccordSettings | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._stores = stores
        self._settings = settings or conf.load()
        self._clock = clock or SystemClock()

    @property
    def lease_scope(self) -> str:
        """What the lease of this project's migrations is called."""
        return f"{LEASE_SCOPE}:{self._settings.project}"

    def situation(self) -> Situation:
        """
        Read files and ledgers.

        Raises:
            RevisionError: A file can't be used.
            StoreUnavailable: A ledger can't be read.
        """
        return read_situation(self._stores)

    def plan(self, request: Request, situation: Situation) -> Plan:
        """
        Plan a request. Nothing is changed.

        Raises:
            UsageError: The request does not fit the situation.
            DriftError: Files and ledgers disagree.
            IrreversibleStep: A revert would pass a step that can't be undone.
        """
        self._check_environment(request)
        if request.kind is RunKind.FAKE and request.revert and request.target.step:
            orphan = _orphan(situation, request.target.step)
            if orphan is not None:
                return Plan(direction=Direction.REVERT, steps=(orphan,), parents={orphan.key: frozenset()})
        situation.refuse_drift(self._mended_by(request, situation))
        if request.direction is Direction.REVERT:
            plan = plan_revert(
                situation.graph, situation.standing, request.target, self._applied_by(request, situation)
            )
        else:
            plan = plan_forward(situation.graph, situation.done, request.target)
        self._check_kind(request, plan)
        return plan

    def explain(self, plan: Plan) -> Iterator[tuple[Step, Sequence[Statement]]]:
        """
        Show what a plan would send, step by step in its order. Nothing is changed.

        Args:
            plan: The plan.

        Yields:
            Each step with its statements. A step that can't be shown says so.
        """
        rendered: dict[str, Iterator[tuple[Step, Sequence[Statement]]]] = {}
        for alias, steps in by_store(plan.steps).items():
            store = self._stores[alias]
            if isinstance(store, Explains):
                rendered[alias] = store.explain(steps, plan.direction)
        for step in plan.steps:
            alias = step.key.store
            yield next(rendered[alias]) if alias in rendered else (step, [_unshown(alias)])

    def run(
        self,
        request: Request,
        *,
        report: Reporter = silent,
        confirm: Callable[[Plan], None] | None = None,
        exact: bool = False,
        stop: Callable[[], bool] = never,
    ) -> RunReport:
        """
        Do what is asked: plan, take the lease, plan again, and take every step.

        Args:
            request: What is wanted.
            report: Hears what happens.
            confirm: Shown a plan that holds steps, before the lease is taken; raises to refuse.
            exact: Refuse to run another plan than the one shown, should it change meanwhile.
            stop: Asked between steps; True ends the run there.

        Returns:
            What the run came to. A step's error, a lost lease and a store that went away
            *during* the run are in the report, with what was done until then.

        Raises:
            AccordError: Anything that came up before the first step; nothing was changed.
        """
        situation = self.situation()
        plan = self.plan(request, situation)
        if plan.steps:
            self._preflight(request, plan, situation)
            if confirm is not None:
                confirm(plan)
        wait = self._settings.lock_wait if request.lock_wait is None else request.lock_wait
        run_id = self._new_run_id()
        with lease.hold(
            self.lease_scope,
            alias=self._settings.coordinator,
            run_id=run_id,
            ttl=self._settings.lease_ttl,
            wait=wait,
            report=report,
        ) as held:
            if plan.steps:
                situation = self.situation()
                plan = self._plan_again(request, plan, situation, exact=exact)
            return self._execute(request, plan, situation, held, report, stop)

    def _plan_again(self, request: Request, plan: Plan, situation: Situation, *, exact: bool) -> Plan:
        """
        Plan under the lease: another run may have worked while this one waited.

        Raises:
            PlanChanged: A person confirmed the first plan, and the second has other steps.
        """
        again = self.plan(request, situation)
        if exact and again.steps and again.digest != plan.digest:
            raise PlanChanged(
                "The plan changed while this run waited for the lease.",
                hint="Look at the new plan with --plan, and run again.",
            )
        return again

    def _execute(
        self,
        request: Request,
        plan: Plan,
        situation: Situation,
        held: Lease,
        report: Reporter,
        stop: Callable[[], bool],
    ) -> RunReport:
        guard = self.guard() if plan.steps else None
        if guard is not None:
            guard.take(request, plan, situation, held.run_id, report)
        acts = self._acts(request, plan, situation)
        journal = Journal(self._settings.coordinator, self._clock)
        tell = fan_out([journal, report]) if plan.steps else report
        executor = Executor(self._stores, held, report=tell, clock=self._clock, stop=stop)
        started = self._clock.monotonic()
        tell(
            RunStarted(
                run_id=held.run_id,
                kind=request.kind.value,
                environment=self._settings.environment,
                plan=plan,
                fence=held.fence,
            )
        )
        error: AccordError | None = None
        try:
            execution = executor.run(plan, acts)
        except (LeaseError, StoreUnavailable, Interrupted) as exc:
            execution, error = executor.so_far(), exc
            journal.blame(exc)
        if guard is not None:
            guard.finish(request, plan, situation, execution, held.run_id, report)
        seconds = self._clock.monotonic() - started
        tell(RunFinished(run_id=held.run_id, outcome=_outcome(execution, error), seconds=seconds))
        run_id = held.run_id if plan.steps else ""
        return RunReport(run_id=run_id, plan=plan, execution=execution, seconds=seconds, error=error)

    def _acts(self, request: Request, plan: Plan, situation: Situation) -> Mapping[StepKey, Act]:
        """Decide what is done with each step."""
        if request.kind is RunKind.BASELINE:
            # The suite's own tables can't stand in a system that never ran it: those are made.
            present = {probe.key for probe in self._probe(plan) if probe.presence is not Presence.ABSENT}
            return {
                step.key: record_step if step.key in present or not step.foundation else apply_step
                for step in plan.steps
            }
        if request.kind is RunKind.FAKE:
            act: Act = forget_step if request.revert else record_step
        else:
            act = revert_step if plan.direction is Direction.REVERT else apply_step
        acts = {step.key: act for step in plan.steps}
        if act is apply_step:
            acts |= dict.fromkeys(situation.half_reverted & acts.keys(), renew_step)
        return acts

    def guard(self) -> Guard:
        """
        Give the guard that a run of this project passes.

        Raises:
            ConfigurationError: `ACCORD["POLICY"]` can't be read.
        """
        # Loaded here: a run with nothing to do needs no guard, and should not pay for one.
        from migrator.engine.guard import Guard

        return Guard(self._settings, self._clock)

    def _preflight(self, request: Request, plan: Plan, situation: Situation) -> None:
        """
        Ask everything that can be asked before the first write.

        Raises:
            StoreUnavailable: A store of the plan is away, refuses us or isn't supported.
            GovernanceError: The environment's policy asks for something that isn't there.
            BaselineMismatch: A baseline would record what isn't there.
        """
        for alias in by_store(plan.steps):
            self._stores[alias].ping()
        self.guard().check(request, plan, situation)
        if request.kind is RunKind.BASELINE:
            refuse_mismatch(self._probe(plan), plan)

    def _probe(self, plan: Plan) -> Sequence[Probe]:
        probes: list[Probe] = []
        for alias, steps in by_store(plan.steps).items():
            store = self._stores[alias]
            if not isinstance(store, Probes):
                raise UsageError(
                    f"The store “{alias}” can't be asked what stands in it.",
                    hint="Name the stores that can, with --store.",
                )
            probes.extend(store.probe(steps))
        return probes

    def _check_environment(self, request: Request) -> None:
        if request.environment not in ("", self._settings.environment):
            raise WrongEnvironment(
                f"The call is for “{request.environment}”, and the settings describe "
                f"“{self._settings.environment}”.",
                hint="Set ACCORD_ENV and the URLs of that environment, or drop --env.",
            )

    def _check_kind(self, request: Request, plan: Plan) -> None:
        if request.kind is not RunKind.FAKE:
            return
        for step in plan.steps:
            if not self._stores[step.key.store].features.allows_fake:
                raise UsageError(
                    f"{step.key} can't be faked: --fake is for Django's own migrations.",
                    hint="Use --baseline, which looks whether the effect is there, or --store.",
                )

    @staticmethod
    def _applied_by(request: Request, situation: Situation) -> Sequence[StepKey]:
        run_id = request.target.run_id
        keys = [key for key, entry in situation.applied.items() if run_id and entry.run_id == run_id]
        if run_id and not keys:
            raise UnknownTarget(
                f"No applied step was recorded by the run “{run_id}”.", hint="The admin lists the runs."
            )
        return keys

    @staticmethod
    def _mended_by(request: Request, situation: Situation) -> Sequence[StepKey]:
        """Name the drift that a baseline may mend: steps after one that the ledger doesn't know."""
        if request.kind is not RunKind.BASELINE:
            return ()
        return [found.key for found in situation.drift if found.error.code == "ACC-303"]

    def _new_run_id(self) -> str:
        return f"{self._clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _orphan(situation: Situation, text: str) -> Step | None:
    """Find a ledger entry whose file is gone by its whole key."""
    for key in situation.applied:
        if str(key) == text and key not in situation.graph:
            return Step(key=key, source=Source(path=_NO_FILE, content=b""), title="file is gone")
    return None


def _outcome(execution: Execution, error: AccordError | None) -> str:
    if isinstance(error, Interrupted):
        return Outcome.INTERRUPTED.value
    failed = error is not None or bool(execution.failures)
    return Outcome.FAILED.value if failed else Outcome.SUCCEEDED.value


def _unshown(alias: str) -> Statement:
    text = f"The store “{alias}” can't show what it would send."
    return Statement(text=text, language=Language.PYTHON, opaque=True)
