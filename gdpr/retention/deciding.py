"""What a second person decides about a plan of retention: to let it go, or not."""

from __future__ import annotations

import re

from django.db import transaction

from accord.acting import Account
from accord.approvals import expiry
from accord.approvals.deciding import Hindrance, hindrance
from accord.audit.events import EventKind, ObjectKind
from accord.denied import Denial
from accord.errors import UsageError
from accord.wording import say
from gdpr.erasure import actors, encryption, policy, state_changes
from gdpr.errors import IllegalTransition, OwnRequest, UnknownRequest
from gdpr.models import RetentionPlan
from gdpr.retention import plans
from gdpr.states import RetentionPlanState

_EVENTS = {
    RetentionPlanState.APPROVED: EventKind.RETENTION_APPROVED,
    RetentionPlanState.REJECTED: EventKind.RETENTION_REJECTED,
}
_SEE = "See what waits: gdpr_retention --dry-run."
_ANEW = "The next run asks for what has run out then. See what waits: gdpr_retention --dry-run."


def find(reference: str) -> RetentionPlan:
    """
    Find a plan by its reference, or by the first four digits of it or more.

    Raises:
        UnknownRequest: There is none, or more than one.
    """
    text = reference.strip().lower()
    known = re.fullmatch(r"[0-9a-f]{4,32}", text)
    found = list(RetentionPlan.objects.filter(reference__startswith=text)[:2]) if known else []
    if len(found) > 1:
        raise UnknownRequest(
            say("More than one plan of retention begins with {text}.", text=text), hint="Give more digits."
        )
    if not found:
        raise UnknownRequest("No plan of retention has this reference.", hint=_SEE)
    return found[0]


def approve(plan: RetentionPlan, *, by: Account) -> RetentionPlan:
    """
    Let a plan go: the next run carries it out, by its day and no more than it says.

    Args:
        plan: Which.
        by: A person who may approve erasures, and did not ask for it.

    Returns:
        The plan as it is now.

    Raises:
        NotAllowed: The account lacks the permission.
        OwnRequest: It asked for the plan, or wasn't known when that was made.
        IllegalTransition: The plan doesn't wait any more.
    """
    return _decide(plan, by, RetentionPlanState.APPROVED, "")


def reject(plan: RetentionPlan, *, by: Account, reason: str) -> RetentionPlan:
    """
    Refuse a plan: nothing of it goes, and the next run asks anew.

    Args:
        plan: Which.
        by: As for :func:`approve`.
        reason: In words; kept sealed.

    Raises:
        UsageError: No reason was given.
        AccordError: As for :func:`approve`.
    """
    if not reason.strip():
        raise UsageError("A reason is missing.", hint="Say in a sentence why it stays: --reason TEXT.")
    return _decide(plan, by, RetentionPlanState.REJECTED, reason)


def require_decidable(plan: RetentionPlan, by: Account) -> None:
    """
    Make sure that a plan waits, and that an account is the other person.

    Raises:
        NotAllowed: The account lacks the permission.
        OwnRequest: It asked for the plan, or wasn't known when that was made.
        IllegalTransition: The plan doesn't wait any more.
    """
    actors.require(by, actors.APPROVE, kind=ObjectKind.RETENTION_PLAN.value)
    _require_another(by, plan)
    _require_waiting(plan)


def _decide(plan: RetentionPlan, by: Account, state: RetentionPlanState, reason: str) -> RetentionPlan:
    with transaction.atomic(using=state_changes.alias()):
        held = RetentionPlan.objects.select_for_update().get(pk=plan.pk)
        require_decidable(held, by)
        now = expiry.server_now(state_changes.alias())
        held.state, held.decided_by_id, held.decided_at = state, by.pk, now
        held.sealed_reason = encryption.seal(reason) if reason else None
        if state is RetentionPlanState.APPROVED:
            held.expires_at = now + policy.load().approval_life
        else:
            held.ended_at = now
        held.save()
        plans.record(held, _EVENTS[state], by)
    return held


def _require_waiting(plan: RetentionPlan) -> None:
    if plan.state != RetentionPlanState.WAITING:
        state = plan.get_state_display()
        fact = say("Plan {reference} waits for nobody: {state}.", reference=plan.reference, state=state)
        raise IllegalTransition(fact, hint=_ANEW)
    if plans.is_late(plan):
        fact = say("Plan {reference} waits for nobody: its time is over.", reference=plan.reference)
        raise IllegalTransition(fact, hint=_ANEW)


def _require_another(by: Account, plan: RetentionPlan) -> None:
    askers = () if plan.planned_by_id is None else (str(plan.planned_by_id),)
    found = hindrance(by, plan.reference, askers, plans.RETENTION)
    if found is None:
        return
    facts = {
        Hindrance.ASKED: say(
            "You had plan {reference} made; another person has to decide.", reference=plan.reference
        ),
        Hindrance.UNKNOWN: say(
            "This account was not known here when plan {reference} was made.", reference=plan.reference
        ),
    }
    denial = Denial(by=by, kind=ObjectKind.RETENTION_PLAN.value, ref=plan.reference)
    raise OwnRequest(facts[found], hint="Ask somebody else who may approve erasures.").told(denial)
