"""What `gdpr_retention` says of plans that wait for a second person, and how one decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from accord.cli.answer import Answer
from accord.errors import ExitCode
from accord.proof import Credentials
from gdpr.cli import answers
from gdpr.models import RetentionPlan
from gdpr.retention import deciding, plans
from gdpr.states import LapseKind, RetentionPlanState


def decided(approve: str, reject: str, reason: str, who: Credentials) -> Answer:
    """
    Decide about a plan.

    Args:
        approve: Reference of a plan to approve; empty for none.
        reject: Reference of a plan to reject.
        reason: Why it is rejected.
        who: What is said of who decides.

    Raises:
        AccordError: It can't be decided by them, or not any more.
    """
    person, found = who.account(deciding=True), deciding.find(approve or reject)
    plan = deciding.approve(found, by=person) if approve else deciding.reject(found, by=person, reason=reason)
    return Answer(document=_answered(plan), lines=lines([plan]), code=ExitCode.DONE)


def lines(found: Sequence[RetentionPlan], void: str = "") -> Iterator[str]:
    """
    Say what stands in plans, and what comes next.

    Args:
        found: The plans.
        void: Why an earlier one counts no more; empty for none.
    """
    if void:
        yield f"An earlier plan is void: {void}."
    for plan in found:
        scope = f" of {plan.entry}" if plan.entry else ""
        yield f"Plan {plan.reference}{scope}, of what has run out by {plan.day}: {plan.get_state_display()}."
        rows = [
            (one["store"], one["entry"], str(LapseKind(one["kind"]).label), one["rule"], f"{one['rows']:,}")
            for one in plans.terms_of(plan)
        ]
        yield from answers.table(("store", "entry", "of", "kept until", "goes"), rows)
        yield from _next(plan)


def document(plan: RetentionPlan) -> dict[str, Any]:
    """Describe a plan for programs."""
    return {
        "reference": plan.reference,
        "state": plan.state,
        "entry": plan.entry,
        "day": plan.day.isoformat(),
        "digest": plan.digest,
        "expires_at": plan.expires_at.isoformat(),
        "terms": list(plans.terms_of(plan)),
    }


def _answered(plan: RetentionPlan) -> dict[str, Any]:
    return {"schema": "accord.retention/1", "exit_code": int(ExitCode.DONE), "plans": [document(plan)]}


def _next(plan: RetentionPlan) -> Iterator[str]:
    until = f"{plan.expires_at:%Y-%m-%d %H:%M} UTC"
    if plan.state == RetentionPlanState.WAITING:
        yield (
            f"Another person decides until {until}: gdpr_retention --approve {plan.reference} --as USERNAME, "
            f"or gdpr_retention --reject {plan.reference} --reason TEXT --as USERNAME."
        )
    if plan.state == RetentionPlanState.APPROVED:
        yield f"The next run of gdpr_retention carries it out, until {until}."
    if plan.state == RetentionPlanState.REJECTED:
        yield "Nothing of it goes. The next run asks anew: what has to stay needs a hold, or another term."
