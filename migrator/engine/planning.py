"""Planning a request: whether it fits the situation, which steps it comes to, and what is done with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from accord.errors import InconsistentLedger, UnknownTarget, UsageError
from accord.seam.stores import Store
from accord.seam.types import AppliedStep, BegunStep, Direction, Step, StepKey
from accord.words import counted
from migrator.engine import baseline, outside, tags
from migrator.engine.drift import DriftKind, forgetting
from migrator.engine.executor import Action
from migrator.engine.flags import flags_of
from migrator.engine.forgetting import plan_forgetting, without_file
from migrator.engine.plan import Plan, Target, find_step, plan_forward, plan_revert, refuse_unknown
from migrator.engine.rebuild import plan_rebuild
from migrator.engine.request import Request
from migrator.engine.situation import Situation
from migrator.engine.verdicts import Proof
from migrator.errors import LedgerOrphan
from migrator.governance.work import words_in
from migrator.models import RunKind

_RECORDING = {
    Proof.TO_MAKE: Action.APPLY,
    Proof.PROVED: Action.ADOPT,
    Proof.UNPROVABLE: Action.RECORD,
}
"""What a baseline does with a step by what was found of it."""


def plan_request(request: Request, situation: Situation, stores: Mapping[str, Store]) -> Plan:
    """
    Plan a request, with the words that it needs beside its steps. Nothing is changed.

    Args:
        request: What is wanted.
        situation: Files and ledgers.
        stores: The stores by alias.

    Raises:
        UsageError: The request does not fit the situation.
        DriftError: Files and ledgers disagree.
        IrreversibleStep: A revert would pass a step that can't be undone.
    """
    return replace(_planned(request, situation, stores), words=words_in(" ".join(flags_of(request))))


def _planned(request: Request, situation: Situation, stores: Mapping[str, Store]) -> Plan:
    if request.kind is RunKind.FORGET:
        return plan_forgetting(request.target.step, situation)
    orphan = _orphan(request, situation)
    if orphan is not None:
        return Plan(direction=Direction.REVERT, steps=(orphan,), parents={orphan.key: frozenset()})
    if request.rebuild:
        return plan_rebuild(situation, request.target, stores)
    _refuse_typos(request, situation)
    mended = _mended_by(request, situation)
    situation.refuse_drift(lambda found: found.key in mended)
    if request.direction is Direction.REVERT:
        applied_by_run = _applied_by(request, situation)
        graph = situation.graph_back(request.target.step or request.target.to, request.target)
        half = situation.begun.keys() - situation.half_reverted
        # Of a faked revert nothing is undone.
        found = situation.found if request.kind is RunKind.REVERT else frozenset()
        plan = plan_revert(graph, situation.standing, request.target, applied_by_run, half, found)
        _refuse_strangers(plan, situation)
    else:
        adopts = request.kind is RunKind.BASELINE
        # A baseline puts on record what another tool applied meanwhile, too.
        done = situation.done - outside.since(stores, situation) if adopts else situation.done
        plan = plan_forward(situation.graph, done, request.target, with_own=adopts)
        _refuse_backwards(request, plan, situation)
    if request.kind is RunKind.FAKE:
        _refuse_fake(plan, stores)
    return plan


def actions_for(
    request: Request, plan: Plan, situation: Situation, stores: Mapping[str, Store]
) -> Mapping[StepKey, Action]:
    """
    Decide what is done with each step of a plan. A baseline looks in the stores, so ask under the lease.

    Raises:
        UsageError, BaselineMismatch, BaselineUnproved: As for :func:`migrator.engine.baseline.look`.
    """
    if request.kind is RunKind.BASELINE:
        verdicts = baseline.look(stores, plan, request, situation)
        return {verdict.step.key: _RECORDING[verdict.proof] for verdict in verdicts}
    if request.kind is RunKind.FORGET:
        return dict.fromkeys(_keys(plan), Action.FORGET)
    if request.kind is RunKind.FAKE:
        return _fake_actions(request, plan, stores)
    if plan.direction is Direction.REVERT:
        return dict.fromkeys(_keys(plan), Action.REVERT)
    if request.rebuild:
        return {key: Action.REDO if key in situation.done else Action.APPLY for key in _keys(plan)}
    return {key: Action.RENEW if key in situation.half_reverted else Action.APPLY for key in _keys(plan)}


def _refuse_backwards(request: Request, plan: Plan, situation: Situation) -> None:
    """
    Check that `APP NAME`, which is how `migrate` goes back, isn't answered by doing nothing.

    `--to` says “at least up to here”, and stays a call that can be repeated.
    """
    target = request.target
    if request.kind is not RunKind.APPLY or not (target.app and target.to) or plan.steps:
        return
    found = find_step(situation.graph, target.to, target)
    after = situation.graph.descendants([found]) & situation.done - {found}
    later = [key for key in after if (key.store, key.app) == (found.store, found.app)]
    if later:
        raise UsageError(
            f"{found} is applied already, with {counted(len(later), 'later step')} of its app.",
            hint=f"To undo what is later: migrate_all --revert {target.app} {target.to}. "
            f"If it only has to be there: migrate_all --to {found}.",
        )


def _fake_actions(request: Request, plan: Plan, stores: Mapping[str, Store]) -> Mapping[StepKey, Action]:
    """Believe a person about all but the suite's own tables: without those nothing could be written down."""
    if request.revert:
        return dict.fromkeys(_keys(plan), Action.FORGET)
    own = replace(plan, steps=tuple(step for step in plan.steps if step.foundation))
    missing = {
        verdict.step.key for verdict in baseline.looked_at(stores, own) if verdict.proof is Proof.TO_MAKE
    }
    return {key: Action.APPLY if key in missing else Action.RECORD for key in _keys(plan)}


def _refuse_typos(request: Request, situation: Situation) -> None:
    """Say first that a name means nothing: whoever mistyped it is not helped by hearing of drift."""
    target = request.target
    recorded = {*situation.applied, *situation.begun}
    if any(target.app == key.app or _means(target, key) for key in recorded - situation.graph.steps.keys()):
        return
    graph = situation.graph
    if request.direction is Direction.REVERT:
        graph = situation.graph_back(target.step or target.to, target)
    refuse_unknown(graph, target)


def _means(target: Target, key: StepKey) -> bool:
    """Return whether a target may mean what a ledger holds and no file declares."""
    return any(text and text in str(key) for text in (target.step, target.to))


def _keys(plan: Plan) -> Sequence[StepKey]:
    return [step.key for step in plan.steps]


def _orphan(request: Request, situation: Situation) -> Step | None:
    """Find the ledger entry without a file that a request names by its whole key, to strike it."""
    if request.kind is not RunKind.FAKE or not request.revert:
        return None
    for key in situation.applied:
        if str(key) == request.target.step and key not in situation.graph:
            return without_file(key)
    return None


def _mended_by(request: Request, situation: Situation) -> Sequence[StepKey]:
    """Name the drift that a baseline may mend: steps after one that the ledger doesn't know."""
    if request.kind is not RunKind.BASELINE:
        return ()
    return [found.key for found in situation.drift if isinstance(found.error, InconsistentLedger)]


def _applied_by(request: Request, situation: Situation) -> Sequence[StepKey]:
    if request.target.tag:
        return tuple(tags.applied_after(request.target.tag, situation))
    run_id = request.target.run_id
    lines: dict[StepKey, AppliedStep | BegunStep] = {**situation.begun, **situation.applied}
    keys = [key for key, line in lines.items() if run_id and line.run_id == run_id]
    if run_id and not keys:
        raise UnknownTarget(
            f"No applied step was recorded by the run “{run_id}”.", hint="The admin lists the runs."
        )
    return keys


def _refuse_strangers(plan: Plan, situation: Situation) -> None:
    """Check that nothing leaves which a step of another release, of the same app, may need."""
    for found in situation.drift:
        for step in plan.steps:
            if (found.key.store, found.key.app) != (step.key.store, step.key.app):
                continue
            if found.key in situation.begun:
                raise found.error
            if found.kind is DriftKind.MISSING and _came_later(found.key, step.key, situation.applied):
                raise _undone_too_early(step.key, found.key)


def _undone_too_early(key: StepKey, later: StepKey) -> LedgerOrphan:
    return LedgerOrphan(
        f"{key} can't be undone before {later}, which came after it and has no file here.",
        hint="Undo that first, in the release that has its file. If it is gone for good, strike it: "
        f"{forgetting(later)}",
    )


def _came_later(key: StepKey, other: StepKey, applied: Mapping[StepKey, AppliedStep]) -> bool:
    """Check when two steps were applied; the parts that a squashed step replaced came before what follows."""
    if other not in applied:
        return False
    at, before = applied[key].applied_at, applied[other].applied_at
    return at is None or before is None or at > before


def _refuse_fake(plan: Plan, stores: Mapping[str, Store]) -> None:
    for step in plan.steps:
        if not stores[step.key.store].features.allows_fake:
            raise UsageError(
                f"{step.key} can't be faked: --fake is for Django's own migrations.",
                hint="Use --baseline, which looks whether the effect is there, or --store.",
            )
