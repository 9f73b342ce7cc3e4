"""What a person looks at before they approve a plan: steps by store, what each would send, and findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from accord.errors import AccordError
from accord.seam.losses import Loss
from accord.seam.registry import opened
from accord.seam.types import Direction, Statement, Step
from migrator.engine.api import Migrations
from migrator.engine.gate import Gate
from migrator.engine.plan import Plan
from migrator.engine.situation import Situation
from migrator.governance import rules
from migrator.governance.work import Bound, PlannedWork, not_covered
from migrator.models import DRIFT, PlanApproval, RunKind


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
    """

    stores: Sequence[tuple[str, Sequence[ReviewedStep]]] = ()
    findings: Sequence[str] = field(default=())
    losses: Sequence[str] = ()
    uncounted: bool = False

    @property
    def needs_a_tick(self) -> bool:
        """Return whether data may go, so that whoever approves has to say that they saw it."""
        return bool(self.losses) or self.uncounted


def review(approval: PlanApproval) -> Review:
    """
    Look at the files and stores behind a request. Nothing is changed.

    A store that is unavailable, or a file that can't be read, is a finding; the steps are shown all
    the same, as they were asked for.

    Args:
        approval: The request.
    """
    with opened() as stores:
        return _review(approval, Migrations(stores))


def _review(approval: PlanApproval, migrations: Migrations) -> Review:
    if approval.kind == DRIFT:
        return _review_of_drift(approval, migrations)
    try:
        situation = migrations.situation()
        steps = _present(approval, situation)
        rendered = _rendered(migrations, approval, steps)
        losses = _losses(migrations, approval, steps)
        findings = list(_findings(migrations.gate(), approval, situation, steps, rendered))
    except AccordError as exc:
        losses = None
        steps, rendered, findings = [], {}, [f"The plan can't be shown whole. {exc} {exc.hint}".strip()]
    known = {str(step.key): step for step in steps}
    shown = [_shown(approval, entry, known.get(entry[0]), rendered) for entry in approval.steps]
    return Review(
        stores=_by_store(shown),
        findings=findings,
        losses=[f"{loss.words} ({loss.key})" for loss in losses or ()],
        uncounted=losses is None,
    )


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
        present, findings = {}, [f"The drift can't be shown. {exc} {exc.hint}".strip()]
    shown = [
        ReviewedStep(
            key=key, name=key.partition(":")[2], phase="", checksum=digest, title=present.get(digest, kind)
        )
        for key, kind, digest in approval.steps
    ]
    return Review(stores=_by_store(shown), findings=findings)


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
        yield from _attested(gate, work)
    opaque = [key for key, items in rendered.items() if any(item.opaque for item in items)]
    if opaque:
        yield f"What these do is seen in their files only: {', '.join(opaque)}."


def _attested(gate: Gate, work: PlannedWork) -> Iterator[str]:
    try:
        gate.attestations.require(work, gate.policy.attestation)
    except AccordError as exc:
        yield exc.message
