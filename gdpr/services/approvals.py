"""Four eyes: a second person's yes to one exact plan, which expires and is void when the plan changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from accord.audit_events import Event
from gdpr.errors import ApprovalVoid
from gdpr.models import Approval, ErasureRequest
from gdpr.services import actors, moving, planning, policy, sealing, transitions
from gdpr.services.actors import Person
from gdpr.states import Decision, RequestState


def approve(request: ErasureRequest, *, by: Person, digest: str, reason: str = "") -> Approval:
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
    actors.require(by, actors.APPROVE)
    with moving.locked(request) as held:
        actors.require_another(by, held)
        transitions.check(RequestState(held.state), RequestState.APPROVED)
        if digest != held.plan_digest:
            raise ApprovalVoid(
                f"The plan of request {held.reference} is not the one that you saw.",
                hint="Look at the plan again, then approve that one.",
            )
        return _approve(held, by, reason)


def _approve(held: ErasureRequest, by: Person, reason: str) -> Approval:
    now = timezone.now()
    approval = Approval.objects.create(
        request=held,
        plan_digest=held.plan_digest,
        decision=Decision.APPROVED,
        filed_by_id=held.filed_by_id,
        decided_by_id=by.pk,
        decided_at=now,
        expires_at=now + policy.load().approval_life,
        sealed_reason=sealing.seal(reason) if reason else None,
    )
    held.approved_by_id, held.approval_expires_at = by.pk, approval.expires_at
    moving.move(held, RequestState.APPROVED, Event.ERASURE_APPROVED, by=by)
    return approval


def expire(request: ErasureRequest, now: datetime | None = None) -> bool:
    """
    Take an approval back that was not used in time.

    Returns:
        False when it still counts, or there is none.
    """
    with moving.locked(request) as held:
        expires = held.approval_expires_at
        if held.state != RequestState.APPROVED or expires is None or expires > (now or timezone.now()):
            return False
        take_back(held)
    return True


def take_back(held: ErasureRequest) -> None:
    """Void the approval of a request whose row is held; the same plan waits for approval again."""
    planning.void_approval(held)
    moving.move(held, RequestState.PLANNED, Event.ERASURE_APPROVAL_VOIDED)


def standing_among(requests: Sequence[int]) -> set[int]:
    """Give those of several requests that have an approval as :func:`standing` means it."""
    found = Approval.objects.filter(
        request__in=requests,
        decision=Decision.APPROVED,
        voided_at__isnull=True,
        plan_digest=F("request__plan_digest"),
        decided_by=F("request__approved_by"),
        expires_at__gt=timezone.now(),
    )
    return set(found.values_list("request_id", flat=True))


def standing(held: ErasureRequest) -> bool:
    """Tell whether an approval of exactly the plan that counts is there, by another person than the filer."""
    return held.pk in standing_among([held.pk])
