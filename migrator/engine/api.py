"""What commands, admin and API ask of the engine. One set of functions for all of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from accord import conf, lease
from accord.clock import Clock, SystemClock
from accord.errors import ExitCode
from accord.events import Reporter, silent
from accord.identity import refuse_foreign
from accord.seam.foretelling import Foretold
from accord.seam.losses import Loss
from accord.seam.registry import Registry
from accord.seam.stores import Explains, by_store
from accord.seam.types import Language, Shown, Statement, Step, StepKey
from migrator.engine import abandoned, baseline, tags
from migrator.engine.plan import Plan
from migrator.engine.planning import actions_for, plan_request
from migrator.engine.request import Request, RunReport
from migrator.engine.run import Run
from migrator.engine.situation import Situation, read_situation
from migrator.engine.verdicts import StepVerdict
from migrator.engine.verification import Verification, recorded_steps, verify_recorded
from migrator.errors import PlanChanged, WrongEnvironment

if TYPE_CHECKING:
    from migrator.engine.asserting import PromisesAsked
    from migrator.engine.gate import Gate
    from migrator.engine.live import LiveLook


def never() -> bool:
    """Don't stop."""
    return False


class Migrations:
    """
    The migrations of one project.

    Args:
        stores: The stores, opened for this piece of work; see :func:`accord.seam.registry.opened`.
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
        return abandoned.lease_scope(self._settings)

    def situation(self, request: Request | None = None) -> Situation:
        """
        Read files and ledgers.

        Args:
            request: What is wanted; only the stores are asked that it has to do with. All unless given.

        Raises:
            RevisionError: A file can't be used.
            StoreUnavailable: A ledger can't be read.
        """
        if request is None or not request.target.stores or self._attests():
            return self._judged(read_situation(self._stores))
        # The coordinator holds the lease of whatever runs, and the tables of approvals.
        only = (*request.target.stores, self._settings.coordinator)
        return self._judged(read_situation(self._stores, only, request.direction))

    def _judged(self, situation: Situation) -> Situation:
        """Read what people said to drift, where there is any that stops a run."""
        if not situation.stops:
            return situation
        return replace(situation, acceptances=self.gate().acceptances.by_digest())

    def _attests(self) -> bool:
        """Return whether others rely on this environment: what is attested is what stands in every store."""
        # Loaded here, as below.
        from migrator.governance import policy

        return policy.load(self._settings).attests(self._settings.environment)

    def plan(self, request: Request, situation: Situation) -> Plan:
        """
        Plan a request. Nothing is changed.

        Raises:
            UsageError: The request does not fit the situation, or the environment.
            DriftError: Files and ledgers disagree.
            IrreversibleStep: A revert would pass a step that can't be undone.
        """
        self.refuse_other(request.environment)
        plan = plan_request(request, situation, self._stores)
        if plan.steps:
            # Loaded here, as above.
            from migrator.engine.rewriting import settle

            settle(request, situation, self._stores, self._settings)
        return plan

    def refuse_other(self, environment: str) -> None:
        """
        Make sure that the settings are those of the environment that a call names, if it names one.

        Raises:
            WrongEnvironment: They aren't.
        """
        if environment not in ("", self._settings.environment):
            raise WrongEnvironment(
                f"The call is for “{environment}”, and the settings describe “{self._settings.environment}”.",
                hint="Set ACCORD_ENV and the URLs of that environment, or drop --env.",
            )

    def look(self, plan: Plan) -> Sequence[StepVerdict]:
        """
        Look what stands of a plan's steps, as a baseline does. Nothing is changed.

        Raises:
            UsageError: A store can't be asked.
            StoreUnavailable: A store can't be reached.
        """
        return baseline.looked_at(self._stores, plan)

    def verify_baseline(self, request: Request, situation: Situation) -> Verification:
        """
        Compare what the ledgers hold already with what stands. Nothing is changed.

        Raises:
            UsageError: The target matches nothing, or a store can't be asked.
            StoreUnavailable: A store can't be reached.
        """
        return verify_recorded(self._stores, situation, request.target)

    def look_live(self, request: Request) -> LiveLook:
        """
        Compare the live stores with what the applied steps describe. Nothing in them is changed.

        What is found of a whole store is kept for the health check, unless a run is at work.

        Raises:
            UsageError: No such app or store.
            StoreUnavailable: A store can't be reached.
        """
        # Loaded here: it is not part of a run.
        from migrator.engine.live_kept import look_and_keep

        return look_and_keep(self._stores, self._settings, self._clock, request.target).found

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

    def foretell(self, plan: Plan, shown: Shown = ()) -> Mapping[StepKey, Sequence[Foretold]]:
        """
        Ask the servers what would become of each step of a plan. Nothing is changed.

        Args:
            plan: The plan.
            shown: What :meth:`explain` gave of it, where the caller has it.
        """
        # Loaded here: a run with nothing to do asks nothing.
        from migrator.engine.foretelling import foretold

        return foretold(self._stores, plan, shown)

    def verify(self, request: Request) -> PromisesAsked:
        """
        Ask what the applied steps of the asked stores and app promise in `checks_after`. Nothing is changed.

        Raises:
            UsageError: No such app or store.
            StoreUnavailable: A store can't be reached.
        """
        from migrator.engine import asserting

        wanted = recorded_steps(self.situation(request), request.target)
        return asserting.verify(self._stores, wanted)

    def losses(self, plan: Plan, shown: Shown = ()) -> Sequence[Loss] | None:
        """
        Ask the stores what a plan would drop that holds data; None where one is away.

        Args:
            plan: The plan.
            shown: What :meth:`explain` gave of it, where the caller has it.
        """
        from migrator.engine.losses import losses_if_asked

        return losses_if_asked(self._stores, plan, shown)

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
            What the run came to. What failed and what ended the run early is in the report, with
            what was done until then: a step's error, a failing receiver of Django's signals, a
            lost lease, a store that went away.

        Raises:
            AccordError: Anything that came up before the run began; nothing was changed.
        """
        situation = self._own_situation(request)
        plan = self.plan(request, situation)
        if request.tag:
            tags.refuse_taken(self._settings.coordinator, request.tag, plan, self.situation)
        if plan.steps:
            self._preflight(request, plan, situation)
            if confirm is not None:
                confirm(plan)
        # Before the lease is ours: its row tells when the run that left it was last alive.
        abandoned.close_dead(self._settings)
        with lease.hold(
            self.lease_scope,
            alias=self._settings.coordinator,
            run_id=self._new_run_id(),
            ttl=self._settings.lease_ttl,
            wait=self._settings.lock_wait if request.lock_wait is None else request.lock_wait,
            report=report,
        ) as held:
            if plan.steps:
                # Another run may have worked while this one waited.
                situation = self._own_situation(request)
                confirmed, plan = plan, self.plan(request, situation)
                if exact:
                    _refuse_change(confirmed, plan)
            actions = actions_for(request, plan, situation, self._stores)
            gate = self.gate() if plan.steps else None
            if gate is not None:
                # Not before: what another run is making would look like what stands in the way.
                self._look_ahead(gate, request, plan, situation, report)
            asked = {alias: self._stores[alias] for alias in self._stores if alias not in situation.unread}
            run = Run(
                asked,
                self._settings,
                self._clock,
                held=held,
                gate=gate,
                report=report,
                stop=stop,
                one_by_one=request.one_by_one,
            )
            result = run.carry_out(request, plan, situation, actions)
            if request.tag and result.exit_code is ExitCode.DONE:
                # Under the lease: nobody else moves the stores while they are read.
                at = self._clock.now()
                tags.keep(self._settings.coordinator, request.tag, result.run_id, self.situation(), at)
            return result

    def _own_situation(self, request: Request) -> Situation:
        """
        Read files and ledgers for a run.

        Raises:
            ForeignEnvironment: A store belongs to another environment than the settings describe.
        """
        situation = self.situation(request)
        refuse_foreign(situation.identities, self._settings.environment)
        return situation

    def gate(self) -> Gate:
        """
        Return the gate that a run of this project passes.

        Raises:
            ConfigurationError: `ACCORD["POLICY"]` can't be read.
        """
        # Loaded here: a run with nothing to do needs no gate, and should not pay for one.
        from migrator.engine.gate import Gate

        return Gate(self._settings, self._clock)

    def _preflight(self, request: Request, plan: Plan, situation: Situation) -> None:
        # Loaded here, as above and below.
        from migrator.engine import preflight

        preflight.before_the_lease(self._stores, self.gate(), request, plan, situation)

    def _look_ahead(
        self, gate: Gate, request: Request, plan: Plan, situation: Situation, report: Reporter
    ) -> None:
        from migrator.engine import preflight

        preflight.under_the_lease(self._stores, self._settings, gate, request, plan, situation, report)

    def _new_run_id(self) -> str:
        return f"{self._clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _refuse_change(confirmed: Plan, plan: Plan) -> None:
    """
    Make sure that the plan made under the lease is the one that a person confirmed, or empty.

    Raises:
        PlanChanged: It has other steps.
    """
    if plan.steps and plan.digest != confirmed.digest:
        raise PlanChanged(
            "The plan changed while this run waited for the lease.",
            hint="Look at the new plan with --plan, and run again.",
        )


def _unshown(alias: str) -> Statement:
    text = f"The store “{alias}” can't show what it would send."
    return Statement(text=text, language=Language.PYTHON, opaque=True)
