"""Four eyes: a second person's yes to one exact plan, which expires and is void when the plan changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import QuerySet

from accord.acting import Account
from accord.approvals import expiry
from accord.audit.events import EventKind
from accord.wording import say
from gdpr.erasure import actors, encryption, policy, state_changes, transitions
from gdpr.errors import ApprovalVoid
from gdpr.models import Approval, ErasureRequest
from gdpr.states import Decision, RequestState


def approve(request: ErasureRequest, *, by: Account, digest: str, reason: str = "") -> Approval:
    """
    Agree to a plan.

    Args:
        request: Which.
        by: A person who neither filed nor planned it, and whom it is not about.
        digest: Digest of the plan that the person has seen.
        reason: In words; kept sealed.

    Raises:
        OwnRequest: The person filed or planned it, or it is about them.
        ApprovalVoid: The plan changed since the person saw it.
        IllegalTransition: There is nothing to approve.
    """
    actors.require(by, actors.APPROVE, about=request)
    with state_changes.locked(request) as held:
        actors.require_another(by, held)
        transitions.check(RequestState(held.state), RequestState.APPROVED)
        if digest != held.plan_digest:
            raise ApprovalVoid(
                say("The plan of request {reference} is not the one that you saw.", reference=held.reference),
                hint="Look at the plan again, then approve that one.",
            )
        return _approve(held, by, reason)


def _approve(held: ErasureRequest, by: Account, reason: str) -> Approval:
    now = expiry.server_now(state_changes.alias())
    approval = Approval.objects.create(
        request=held,
        plan_digest=held.plan_digest,
        decision=Decision.APPROVED,
        filed_by_id=held.filed_by_id,
        decided_by_id=by.pk,
        decided_at=now,
        expires_at=now + policy.load().approval_life,
        sealed_reason=encryption.seal(reason) if reason else None,
    )
    state_changes.move(
        [held],
        RequestState.APPROVED,
        EventKind.ERASURE_APPROVED,
        by=by,
        changes={"approved_by_id": by.pk, "approval_expires_at": approval.expires_at},
    )
    return approval


def expire(requests: Collection[int]) -> list[str]:
    """
    Take approvals back that were not used in time, by the server's clock.

    Args:
        requests: Primary keys; those whose approval still counts are left as they are.

    Returns:
        References of those whose approval was taken back.
    """
    with transaction.atomic(using=state_changes.alias()):
        held = state_changes.lock(requests, RequestState.APPROVED)
        late = set(expired().filter(pk__in=[one.pk for one in held]).values_list("pk", flat=True))
        void = [one for one in held if one.pk in late]
        take_back(void)
    return [str(one.reference) for one in void]


def expired() -> QuerySet[ErasureRequest]:
    """Return the requests whose approval was not used in time, by the server's clock."""
    late = expiry.late("approval_expires_at")
    return ErasureRequest.objects.filter(late, state=RequestState.APPROVED)


def take_back(held: Sequence[ErasureRequest]) -> None:
    """Void the approvals of requests whose rows are held; the same plans wait for approval again."""
    voided = state_changes.void_approvals(held)
    state_changes.move(held, RequestState.PLANNED, EventKind.ERASURE_APPROVAL_VOIDED, changes=voided)
