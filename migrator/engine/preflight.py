"""Everything that is asked before the first write: of policy, people and servers."""

from __future__ import annotations

from accord import conf
from accord.events import Reporter
from accord.seam.registry import Registry
from accord.seam.stores import by_store
from migrator.engine import baseline, live_settings, rebuild
from migrator.engine.foretelling import refuse_foretold
from migrator.engine.gate import Gate
from migrator.engine.live_preflight import refuse_drifted
from migrator.engine.losses import refuse_losses
from migrator.engine.occupants import name_occupants
from migrator.engine.plan import Plan
from migrator.engine.request import Request
from migrator.engine.situation import Situation
from migrator.governance.policy import Reaction
from migrator.models import RunKind


def before_the_lease(
    stores: Registry, gate: Gate, request: Request, plan: Plan, situation: Situation
) -> None:
    """
    Ask everything that can be asked before the lease is taken.

    Args:
        stores: The stores.
        gate: What the environment asks for.
        request: What is wanted.
        plan: What would run.
        situation: What files and ledgers hold.

    Raises:
        StoreUnavailable: A store of the plan is unavailable, refuses us or isn't supported.
        GovernanceError: The environment's policy asks for something that isn't there.
        BaselineMismatch: A baseline would record what isn't there.
        DataWouldGo: A revert drops what holds data, and that was not agreed to.
        BaselineUnproved: It would record what can't be proved.
    """
    for alias in by_store(plan.steps):
        stores[alias].ping()
    gate.check(request, plan, situation)
    if request.rebuild:
        rebuild.refuse_loss(request, stores)
    if request.kind is RunKind.BASELINE:
        baseline.look(stores, plan, request, situation)
    agreed = request.even_with_data or (request.asks and not gate.policy.approval)
    if request.kind is RunKind.REVERT and not agreed:
        refuse_losses(stores, plan)


def under_the_lease(
    stores: Registry,
    settings: conf.AccordSettings,
    gate: Gate,
    request: Request,
    plan: Plan,
    situation: Situation,
    report: Reporter,
) -> None:
    """
    Ask the servers whether they are as described, and what would become of the steps.

    Raises:
        LiveStoresDiffer: They are not, and the policy refuses that.
        LintRefused: Lint finds errors in the steps, and the policy refuses that.
        ForetoldToFail: A look at the servers shows that a step would fail.
    """
    with gate.refusal_on_record(request, plan):
        ignored = live_settings.load(settings)
        refuse_drifted(stores, request, plan, situation, gate.policy.live_drift, report, ignored)
        if gate.policy.lint is not Reaction.OFF:
            # Loaded where it is asked for: the rules and the parser of every store take their time.
            from migrator.engine.linting import refuse_lint

            refuse_lint(stores, request, plan, gate.policy, settings, report)
    refuse_foretold(stores, request, plan, gate.policy.foretelling, report)
    name_occupants(stores, request, plan, report)
