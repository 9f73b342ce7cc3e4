"""
The gate of a run: what the environment's policy asks for, asked before and again under the lease.

Loaded only when a plan holds steps. It stands in the engine, so that no door leads past it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import transaction

from accord import conf, db
from accord.acting import actor, key_of_signed_in
from accord.audit import trail
from accord.audit.events import Counter, EventKind, ObjectKind
from accord.clock import Clock
from accord.errors import AccordError, ExitCode
from accord.events import Reporter, silent
from accord.identity import store_ids
from accord.seam.types import Direction, Step, StepKey
from accord.secrets.redact import first_line
from migrator.engine import run_trail
from migrator.engine.events import RunNoted
from migrator.engine.flags import flags_of
from migrator.engine.plan import Plan
from migrator.engine.request import Request, RunReport
from migrator.engine.situation import Situation
from migrator.governance import policy as policies
from migrator.governance import rules
from migrator.governance.acceptances import Acceptances
from migrator.governance.approvals import Approvals
from migrator.governance.attestations import Attestations, Attested, standing
from migrator.governance.break_glass import Breaks
from migrator.governance.work import PlannedWork
from migrator.models import PlanApproval, RunKind

_ACTS = (RunKind.APPLY, RunKind.REVERT)


class Gate:
    """
    Asks for what the policy of the environment wants.

    Args:
        settings: Settings of the suite.
        clock: Time.
    """

    def __init__(self, settings: conf.AccordSettings, clock: Clock) -> None:
        self._settings = settings
        self._policies = policies.load(settings)
        self._policy = self._policies.of(settings.environment)
        self.approvals = Approvals(settings, self._policy)
        self.acceptances = Acceptances(settings, self._policy, self.approvals)
        self.attestations = Attestations(settings, clock)
        self.breaks = Breaks(settings)
        self._taken: PlanApproval | None = None

    @property
    def policy(self) -> policies.Policy:
        """What this environment asks for."""
        return self._policy

    def policy_of(self, environment: str) -> policies.Policy:
        """Return what another environment asks for, as this installation knows it."""
        return self._policies.of(environment)

    def work(self, request: Request, plan: Plan, situation: Situation) -> PlannedWork:
        """
        Return what governance looks at of a plan.

        The suite's own tables are left out: they hold the approvals. So is what accounts need,
        as long as nothing else was ever applied: without accounts there is no one to approve.
        """
        exempt = self.exempt(situation) if plan.direction is Direction.APPLY else frozenset()
        return PlannedWork(
            kind=request.kind,
            direction=plan.direction,
            steps=tuple(step for step in plan.steps if step.key not in exempt),
            # What a rebuild does again is no more done than what never was.
            applied=situation.done - {step.key for step in plan.steps} if request.rebuild else situation.done,
            target=" ".join(flags_of(request)),
        )

    def exempt(self, situation: Situation) -> frozenset[StepKey]:
        """Return the steps that need no approval."""
        steps = situation.graph.steps
        foundation = frozenset(key for key, step in steps.items() if step.foundation)
        app = _app_of_accounts()
        leaves = situation.graph.leaves(self._settings.coordinator, app) if app else ()
        first = foundation | situation.graph.ancestors(leaves)
        return first if first.issuperset(situation.applied) else foundation

    def check(self, request: Request, plan: Plan, situation: Situation) -> None:
        """
        Ask before the lease is taken. Nothing is changed.

        Raises:
            ConventionBroken: Pending steps break conventions.
            NotAttested, ForgedSignature, ForeignSignature: Another environment has to go first.
            PlanNotApproved: Another person has to approve.
            ReviewMissing: A run went ahead without approval, and waits for its review.
            NotEntitled: The account may not run a plan without approval.
        """
        with self.refusal_on_record(request, plan):
            self._refuse_unreviewed(request, plan, situation)
            if self._policy.asks and (work := self._asked(request, plan, situation)):
                self.approvals.covering(work)

    @contextmanager
    def refusal_on_record(self, request: Request, plan: Plan) -> Iterator[None]:
        """Put into the audit trail that the policy refused."""
        try:
            yield
        except AccordError as exc:
            alias, code = self._settings.coordinator, int(exc.exit_code)
            run_trail.refused(alias, plan.digest, len(plan), code, by=self.who(request))
            raise

    def who(self, request: Request) -> object:
        """Return the key of the account that runs it: the one named, or who is signed in; None if neither."""
        return request.account.pk if request.account is not None else key_of_signed_in()

    def take(self, request: Request, plan: Plan, situation: Situation, run_id: str, report: Reporter) -> None:
        """Ask again for the plan that really runs, under the lease, and take its approval."""
        for found in situation.drift:
            if found.acceptance is not None:
                told = f"{found.error.message} Accepted under {found.acceptance.reference}"
                report(RunNoted(note=f"{told} {found.acceptance.until}."))
        with self.refusal_on_record(request, plan):
            self._refuse_unreviewed(request, plan, situation)
            if self._policy.asks and (work := self._asked(request, plan, situation)):
                self._taken = self.approvals.take(work, run_id)
                report(RunNoted(note=f"Approval {self._taken.short} covers this run."))
            if request.break_glass:
                self._break(request, self.work(request, plan, situation), run_id, report)
        if request.kind is RunKind.FORGET:
            self._witness(request, plan, situation, report)

    def refuse_taken_back(self) -> None:
        """
        Make sure, before a step, that the run's approval was not taken back meanwhile.

        Raises:
            PlanNotApproved: It was; the run stops.
        """
        # A run that undoes the suite's own tables has dropped them at its end.
        if self._taken is not None and self.approvals.exist():
            self.approvals.refuse_taken_back(self._taken)

    def _witness(self, request: Request, plan: Plan, situation: Situation, report: Reporter) -> None:
        """Put on record who has a step forgotten, before it is; the journal has the reason, by the digest."""
        own = {key for key, step in situation.graph.steps.items() if step.foundation}
        if not (own <= situation.done and self.approvals.exist()):
            # What is forgotten may be the very thing that keeps the trail from being completed.
            report(RunNoted(note="Not in the audit trail: its tables are not complete before migrate_all."))
            return
        with transaction.atomic(using=self._settings.coordinator):
            trail.record(
                EventKind.LEDGER_STRUCK,
                actor=actor(request.account),
                object_kind=ObjectKind.PLAN,
                counters={Counter.STEPS.value: len(plan)},
                plan_digest=plan.digest,
                using=self._settings.coordinator,
            )

    def _asked(self, request: Request, plan: Plan, situation: Situation) -> PlannedWork | None:
        """Ask for conventions and attestation; give what has to be approved, if anything."""
        work = self.work(request, plan, situation)
        if work.kind is RunKind.APPLY:
            rules.refuse_broken(self._policy.rules, work.steps, work.applied)
        if work.steps and work.kind in _ACTS and self._policy.attestation:
            self.attestations.require(work, self._policy.attestation, store_ids(situation.identities))
        return work if work.steps and self._policy.approval and not request.break_glass else None

    def _refuse_unreviewed(self, request: Request, plan: Plan, situation: Situation) -> None:
        work = self.work(request, plan, situation)
        self.breaks.refuse_unreviewed(work, request.account, breaking=request.break_glass)
        if request.break_glass:
            self.breaks.refuse_unentitled(request.account, request.reason)
            self.breaks.refuse_needless(needed=self._policy.approval)

    def _break(self, request: Request, work: PlannedWork, run_id: str, report: Reporter) -> None:
        account = self.breaks.refuse_unentitled(request.account, request.reason)
        row = self.breaks.put_on_record(work, account, request.reason, run_id)
        report(RunNoted(note=f"Without approval: on record as {row.short}; another person has to review it."))

    def finish(
        self,
        request: Request,
        situation: Situation,
        result: RunReport,
        report: Reporter = silent,
    ) -> None:
        """
        Note in the approval what was done, and attest a run that succeeded where others rely on it.

        A run that failed as a whole is not attested, although all of its steps may stand. The run is
        over and stands, whatever happens here: what can't be written is reported, the next run
        strikes off by the ledgers, and `migration_approval attest` attests by them.
        """
        try:
            if self._taken is not None:
                done = [outcome.key for outcome in result.execution.outcomes]
                self.approvals.finish(self._taken, done)
            if request.kind in _ACTS and self._policies.attests(self._settings.environment):
                self._attest_whole(situation, result, report)
        except (*db.ERRORS, OSError, AccordError) as exc:
            report(RunNoted(note=f"The papers of this run are not complete: {first_line(exc)}"))

    def _attest_whole(self, situation: Situation, result: RunReport, report: Reporter) -> None:
        if len(result.execution.outcomes) < len(result.plan):
            return
        if result.exit_code is ExitCode.DONE:
            self._attest(result.plan, situation, result.run_id, report)
        else:
            # No further run has steps to take, and so none would attest these.
            note = "Not attested, because the run failed after its last step. Once the cause is mended: "
            report(RunNoted(note=f"{note}migration_approval attest."))

    def _attest(self, plan: Plan, situation: Situation, run_id: str, report: Reporter) -> None:
        if not self.approvals.exist():
            return
        done = [Attested(key=str(step.key), checksum=step.source.checksum) for step in _others(plan.steps)]
        if plan.direction is Direction.APPLY:
            known = {entry.key for entry in done}
            done = [*(entry for entry in self.standing(situation) if entry.key not in known), *done]
        stores = store_ids(situation.identities)
        attestation = self.attestations.write(done, plan.direction, run_id, stores)
        folder = self._settings.attestations
        if folder:
            path = self.attestations.export(attestation, conf.base_dir() / Path(folder))
            report(RunNoted(note=f"Attested in {path}."))
        else:
            report(RunNoted(note="Attested; migration_approval attest --output FILE writes it to a file."))

    @staticmethod
    def standing(situation: Situation) -> list[Attested]:
        """Return what the ledgers say that the suite applied here, its own tables left out."""
        steps = situation.graph.steps
        whole = situation.applied.keys() - situation.half_reverted
        keys = [key for key in sorted(whole) if key in steps and not steps[key].foundation]
        return list(standing([situation.applied[key] for key in keys]))


def _others(steps: tuple[Step, ...]) -> Iterator[Step]:
    return (step for step in steps if not step.foundation)


def _app_of_accounts() -> str:
    from django.apps import apps
    from django.contrib.auth import get_user_model

    return get_user_model()._meta.app_label if apps.is_installed("django.contrib.auth") else ""
