"""Four eyes: a second person's yes to one exact plan, which expires and is void when the plan changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accord import meanings
from accord.acting import Account
from accord.approvals import expiry, groups
from accord.approvals.quorum import Standing
from accord.audit.events import EventKind
from accord.errors import UsageError
from accord.wording import say
from gdpr.erasure import actors, encryption, flaws, policy, state_changes, transitions
from gdpr.errors import ApprovalVoid, IllegalTransition
from gdpr.models import Approval, ErasureRequest
from gdpr.states import Decision, RequestState


def approve(request: ErasureRequest, *, by: Account, digest: str, reason: str = "") -> Approval:
    """
    Agree to a plan. The request is approved once all have that the policy asks for.

    Args:
        request: Which.
        by: A person who neither filed nor planned it, and whom it is not about.
        digest: Digest of the plan that the person has seen.
        reason: In words; kept sealed.

    Raises:
        OwnRequest: The person filed or planned it, or it is about them.
        NotAllowed: They are in none of the groups that the policy asks for.
        ApprovalVoid: The plan changed since the person saw it.
        IllegalTransition: There is nothing to approve, or they have approved it already.
        ConfigurationError: The policy names a group that can't do it.
    """
    actors.require(by, actors.APPROVE, about=request)
    require_place(by, request)
    with state_changes.locked(request) as held:
        actors.require_another(by, held)
        transitions.check(RequestState(held.state), RequestState.APPROVED)
        if digest != held.plan_digest:
            raise ApprovalVoid(
                say("The plan of request {reference} is not the one that you saw.", reference=held.reference),
                hint="Look at the plan again, then approve that one.",
            )
        if given(held).filter(decided_by_id=by.pk).exclude(expiry.late()).exists():
            raise IllegalTransition(
                say(
                    "You approved the plan of request {reference} already: {words}.",
                    reference=held.reference,
                    words=standing(held).words,
                ),
                hint=say(
                    "Ask somebody else with the permission {permission}.",
                    permission=meanings.permission(actors.APPROVE),
                ),
            )
        return _approve(held, by, reason)


def require_place(by: Account, request: ErasureRequest) -> None:
    """
    Make sure that a person's yes can be one of those that the policy asks for.

    Raises:
        NotAllowed: They are in none of its groups.
        ConfigurationError: It names a group that can't do it.
        StoreUnavailable: The accounts can't be read.
    """
    quorum = policy.load().approvals
    groups.refuse_unknown(quorum, policy.PLACE)
    if not groups.has_place(by, quorum):
        raise actors.no_member(by, request, quorum.groups)


def _approve(held: ErasureRequest, by: Account, reason: str) -> Approval:
    now = expiry.server_now(state_changes.alias())
    approval = _decided(held, by, Decision.APPROVED, reason, now)
    state_changes.record([state_changes.act(held, EventKind.ERASURE_APPROVED)], by=by)
    # It counts, however soon it expires.
    if flaws.standing_of([held.pk], given_now=approval)[held.pk].is_enough:
        others = given(held).exclude(expiry.late()).values_list("expires_at", flat=True)
        ends = min(one for one in (*others, approval.expires_at) if one)
        transitions.check(RequestState(held.state), RequestState.APPROVED)
        state_changes.save(
            [held], state=RequestState.APPROVED, approved_by_id=by.pk, approval_expires_at=ends
        )
    return approval


def _decided(held: ErasureRequest, by: Account, decision: Decision, reason: str, now: datetime) -> Approval:
    return Approval.objects.create(
        request=held,
        plan_digest=held.plan_digest,
        decision=decision,
        filed_by_id=held.filed_by_id,
        decided_by_id=by.pk,
        decided_at=now,
        expires_at=now + policy.load().approval_life if decision is Decision.APPROVED else None,
        sealed_reason=encryption.seal(reason) if reason else None,
    )


def revoke(request: ErasureRequest, *, by: Account, reason: str) -> ErasureRequest:
    """
    Take a yes back before the erasure begins: one's own, or those of all others where one gave none.

    Args:
        request: Which; its plan waits for approval again.
        by: Who takes it back; a second person as for :func:`approve`.
        reason: In words; kept sealed.

    Raises:
        OwnRequest: The person filed or planned it, or it is about them.
        IllegalTransition: It has begun, or nobody has approved it.
        UsageError: No reason was given.
    """
    actors.require(by, actors.APPROVE, about=request)
    if not reason.strip():
        raise UsageError("A reason is missing.", hint="Say in a sentence why it is taken back.")
    with state_changes.locked(request) as held:
        actors.require_another(by, held)
        _refuse_begun(held)
        standing_yeses = given(held)
        own = standing_yeses.filter(decided_by_id=by.pk)
        now = expiry.server_now(state_changes.alias())
        if not (own if own.exists() else standing_yeses).update(voided_at=now):
            raise IllegalTransition(
                say("There is no approval of request {reference} to take back.", reference=held.reference),
                hint="Nothing needs to be done.",
            )
        _decided(held, by, Decision.REVOKED, reason, now)
        _wait_again(held, by)
    return held


def _wait_again(held: ErasureRequest, by: Account) -> None:
    state_changes.record([state_changes.act(held, EventKind.ERASURE_REVOKED)], by=by)
    if held.state == RequestState.APPROVED and not standing(held).is_enough:
        transitions.check(RequestState.APPROVED, RequestState.PLANNED)
        state_changes.save([held], state=RequestState.PLANNED, approved_by_id=None, approval_expires_at=None)


def _refuse_begun(held: ErasureRequest) -> None:
    if held.state not in (RequestState.PLANNED, RequestState.APPROVED):
        raise IllegalTransition(
            say(
                "The approval of request {reference} can't be taken back: it is “{state}”.",
                reference=held.reference,
                state=held.state,
            ),
            hint="Where it has begun, a legal hold stops it before its next batch.",
        )


def given(request: ErasureRequest) -> QuerySet[Approval]:
    """Return the yes-es to the plan of a request that were not taken back."""
    return Approval.objects.filter(
        request=request,
        decision=Decision.APPROVED,
        voided_at__isnull=True,
        plan_digest=request.plan_digest,
    )


def standing(request: ErasureRequest) -> Standing:
    """Say how far the yes-es to the plan of a request are."""
    return flaws.standing_of([request.pk])[request.pk]


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
