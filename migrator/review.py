"""What a person looks at before they approve a plan: steps by store, what each would send, and findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.utils.translation import gettext

from accord import conf
from accord.acting import Account
from accord.errors import AccordError
from accord.identity import store_ids
from accord.seam.losses import Loss
from accord.seam.origins import LEFT
from accord.seam.registry import Registry, opened
from accord.seam.types import Direction, Statement, Step, StepKey
from accord.wording import explained, worded
from accord.words import counted
from migrator.engine.api import Migrations
from migrator.engine.gate import Gate
from migrator.engine.linting import linted, sentence
from migrator.engine.plan import Plan
from migrator.engine.rewriting import settle_asked
from migrator.engine.situation import Situation
from migrator.errors import LossesUnseen
from migrator.governance import rules
from migrator.governance.approvals import Approvals
from migrator.governance.work import Bound, PlannedWork, not_covered, words_in
from migrator.models import DRIFT, IDENTITY, PlanApproval, RunKind

_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class ReviewedStep:
    """
    A step of a request, as it stands on disk now.

    Attributes:
        key: Its identity, as text.
        name: App and name.
        phase: When it runs; empty for drift.
        checksum: Of the file, as it was asked for; of drift, what is bound of ledger and file.
        title: One line for people; of drift, what disagrees.
        irreversible: Why it can't be undone; empty when it can.
        done: Whether it was done under this approval.
        statements: What it would send.
    """

    key: str
    name: str
    phase: str
    checksum: str
    title: str = ""
    irreversible: str = ""
    done: bool = False
    statements: Sequence[Statement] = ()


@dataclass(frozen=True, kw_only=True)
class Review:
    """
    A request, prepared for the person who decides.

    Attributes:
        stores: Aliases with their steps, in the order of the plan.
        findings: What should be known before deciding, a sentence each.
        losses: What goes with what it holds, a line each.
        uncounted: Whether a store could not be asked what would go.
        reverts: Whether steps are undone; data that goes on the way forward was reviewed with its migration.
        stuck: Where steps are undone: those that can't be, each with its reason.
        left: Where steps are undone: keys of those whose effect was found there, and stays.
    """

    stores: Sequence[tuple[str, Sequence[ReviewedStep]]] = ()
    findings: Sequence[str] = field(default=())
    losses: Sequence[str] = ()
    uncounted: bool = False
    reverts: bool = False
    stuck: Sequence[str] = ()
    left: Sequence[str] = ()

    @property
    def needs_a_tick(self) -> bool:
        """Return whether data may go, so that whoever approves has to say that they saw it."""
        return self.reverts and (bool(self.losses) or self.uncounted)


def approve(
    approvals: Approvals, reference: str, person: Account, reason: str, *, seen: bool
) -> PlanApproval:
    """
    Approve the plan of another account: what every door does.

    Args:
        approvals: The approvals of the environment.
        reference: The request's, or the beginning of it.
        person: Who approves.
        reason: Why.
        seen: Whether they say that they have seen what goes with the plan, and that it may go.

    Raises:
        LossesUnseen: They don't, and data goes, or nobody could count it.
        AccordError: As for :meth:`migrator.governance.approvals.Approvals.approve`.
    """
    return approvals.approve(reference, person, reason, _at_nothing if seen else _refuse_unseen)


def _at_nothing(approval: PlanApproval) -> None:
    """Take the person's word that they looked."""


def _refuse_unseen(approval: PlanApproval) -> None:
    found = review(approval) if approval.direction == Direction.REVERT else Review()
    if not found.needs_a_tick:
        return
    more = len(found.losses) - _TOLD
    told = [*found.losses[:_TOLD], *([f"{counted(more, 'more thing')}"] if more > 0 else [])]
    goes = "; ".join(told) or "a store can't be asked what"
    raise LossesUnseen(
        f"Plan {approval.short} undoes steps, and drops what holds data: {goes}.",
        hint="Look at what goes. If it may, say so with the approval: the field seen over HTTP, --seen in "
        "the command.",
    )


def review(approval: PlanApproval) -> Review:
    """
    Look at the files and stores behind a request. Nothing is changed.

    A store that is unavailable, or a file that can't be read, is a finding; the steps are shown all
    the same, as they were asked for.

    Args:
        approval: The request.
    """
    with opened() as stores:
        return _review(approval, Migrations(stores), stores)


def _review(approval: PlanApproval, migrations: Migrations, stores: Registry) -> Review:
    if approval.kind == DRIFT:
        return _review_of_drift(approval, migrations)
    if approval.kind == IDENTITY:
        return _review_of_identity(approval)
    try:
        settle_asked(approval.target, stores, conf.load())
        situation = migrations.situation()
        steps = _present(approval, situation)
        found = situation.found
        rendered = _rendered(migrations, approval, steps)
        losses = _losses(migrations, approval, steps)
        findings = list(_findings(migrations.gate(), approval, situation, steps, rendered))
        findings += _not_agreed(approval, losses)
        findings += _linted(approval, steps, stores, migrations.gate())
    except AccordError as exc:
        losses, found = None, frozenset()
        steps, rendered, findings = [], {}, [gettext("The plan can't be shown whole. %s") % explained(exc)]
    known = {str(step.key): step for step in steps}
    shown = [_shown(approval, entry, known.get(entry[0]), rendered) for entry in approval.steps]
    undone = [
        step for step in steps if approval.kind == RunKind.REVERT and str(step.key) in approval.remaining
    ]
    return Review(
        stores=_by_store(shown),
        findings=findings,
        losses=[f"{loss.words} ({loss.key})" for loss in losses or ()],
        uncounted=losses is None,
        reverts=approval.direction == Direction.REVERT,
        stuck=[f"{step.key}: {step.irreversible}" for step in undone if _is_stuck(step, found)],
        left=[str(step.key) for step in undone if step.key in found],
    )


def _linted(approval: PlanApproval, steps: Sequence[Step], stores: Registry, gate: Gate) -> Iterator[str]:
    """Tell what lint finds in the files, whatever the policy does about it, and what is waived there."""
    if approval.kind != RunKind.APPLY:
        return
    found = linted(stores, steps, gate.policy, conf.load())
    yield from (f"{sentence(one)} Safe: {one.safe}" for one in found.findings)
    yield from (f"{one.finding.key}: waived, {one.waiver.words}" for one in found.waived)


def _not_agreed(approval: PlanApproval, losses: Sequence[Loss] | None) -> Sequence[str]:
    if approval.kind != RunKind.REVERT or (losses is not None and not losses):
        return ()
    if "--even-with-data" in words_in(approval.target):
        return ()
    return ["It was asked for without --even-with-data: a run that drops what holds data would be refused."]


def _is_stuck(step: Step, found: Collection[StepKey]) -> bool:
    """Return whether a step can't be undone; of one whose effect was found nothing has to be."""
    return bool(step.irreversible) and step.key not in found


def _by_store(shown: Sequence[ReviewedStep]) -> Sequence[tuple[str, Sequence[ReviewedStep]]]:
    groups = groupby(shown, key=lambda step: step.key.partition(":")[0])
    return [(store, list(of_store)) for store, of_store in groups]


def _review_of_drift(approval: PlanApproval, migrations: Migrations) -> Review:
    """Show each disagreement in its own words, as it is now; one that changed can't be accepted any more."""
    try:
        present = {found.digest: found.error.message for found in migrations.situation().drift}
        findings = [
            f"{key}: this drift is gone, or another one by now. An acceptance would not count."
            for key, _, digest in approval.steps
            if digest not in present
        ]
    except AccordError as exc:
        present, findings = {}, [gettext("The drift can't be shown. %s") % explained(exc)]
    shown = [
        ReviewedStep(
            key=key, name=key.partition(":")[2], phase="", checksum=digest, title=present.get(digest, kind)
        )
        for key, kind, digest in approval.steps
    ]
    return Review(stores=_by_store(shown), findings=findings)


def _review_of_identity(approval: PlanApproval) -> Review:
    """Show where each store comes from and goes; whether it still says so is asked under the lease."""
    shown = [
        ReviewedStep(
            key=alias,
            name=change.replace(">", " → "),
            phase="",
            checksum=store_id,
            title="Runs and erasures here change this store from now on.",
            done=alias not in approval.remaining,
        )
        for alias, change, store_id in approval.steps
    ]
    return Review(stores=_by_store(shown))


def _present(approval: PlanApproval, situation: Situation) -> list[Step]:
    on_disk = {str(key): step for key, step in situation.graph.steps.items()}
    return [on_disk[entry[0]] for entry in approval.steps if entry[0] in on_disk]


def _rendered(
    migrations: Migrations, approval: PlanApproval, steps: Sequence[Step]
) -> Mapping[str, Sequence[Statement]]:
    if approval.kind not in (RunKind.APPLY, RunKind.REVERT):
        return {}
    plan = Plan(direction=Direction(approval.direction), steps=tuple(steps), parents={})
    return {str(step.key): statements for step, statements in migrations.explain(plan)}


def _losses(migrations: Migrations, approval: PlanApproval, steps: Sequence[Step]) -> Sequence[Loss] | None:
    left = tuple(step for step in steps if str(step.key) in approval.remaining)
    if approval.kind not in (RunKind.APPLY, RunKind.REVERT) or not left:
        return ()
    return migrations.losses(Plan(direction=Direction(approval.direction), steps=left, parents={}))


def _shown(
    approval: PlanApproval, entry: Bound, step: Step | None, rendered: Mapping[str, Sequence[Statement]]
) -> ReviewedStep:
    key, phase, checksum = entry
    return ReviewedStep(
        key=key,
        name=key.partition(":")[2],
        phase=phase,
        checksum=checksum,
        title=step.title if step else "the file is gone",
        irreversible=step.irreversible if step else "",
        done=key not in approval.remaining,
        statements=rendered.get(key, ()),
    )


def _findings(
    gate: Gate,
    approval: PlanApproval,
    situation: Situation,
    steps: Sequence[Step],
    rendered: Mapping[str, Sequence[Statement]],
) -> Iterator[str]:
    left = tuple(step for step in steps if str(step.key) in approval.remaining)
    if len(steps) < len(approval.steps):
        yield "Files of this plan are gone since it was asked for."
    if flaw := not_covered(approval.steps, approval.remaining, left):
        yield f"What stands on disk is not what was asked for: {flaw}. An approval would not count."
    direction = Direction(approval.direction)
    work = PlannedWork(kind=RunKind(approval.kind), direction=direction, steps=left, applied=situation.done)
    if work.kind is RunKind.APPLY:
        for item in rules.broken(gate.policy.rules, left, situation.done):
            yield f"{item.key}: {item.text} ({item.rule})."
        yield from (f"{step.key} can't be undone: {step.irreversible}" for step in left if step.irreversible)
    if work.kind in (RunKind.APPLY, RunKind.REVERT) and gate.policy.attestation:
        yield from _attested(gate, work, situation)
    opaque = [key for key, items in rendered.items() if any(item.opaque and item != LEFT for item in items)]
    if opaque:
        yield f"What these do is seen in their files only: {', '.join(opaque)}."


def _attested(gate: Gate, work: PlannedWork, situation: Situation) -> Iterator[str]:
    try:
        gate.attestations.require(work, gate.policy.attestation, store_ids(situation.identities))
    except AccordError as exc:
        yield worded(exc.message)
