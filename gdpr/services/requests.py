"""Receiving a demand for erasure: on record, identity, more time, refused, taken back."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accord.audit_events import Event
from gdpr.errors import ExtensionRefused, IllegalTransition
from gdpr.models import Approval, ErasureRequest
from gdpr.services import actors, deadlines, moving, sealing, transitions
from gdpr.services.actors import Person
from gdpr.states import (
    Channel,
    Decision,
    ExtensionReason,
    Ground,
    IdentityMethod,
    RejectionGround,
    RequestState,
)
from gdpr.subjects import SubjectKeys


def open_request(keys: SubjectKeys) -> ErasureRequest | None:
    """Give the request about a person that is not over, if there is one."""
    return _of(sealing.tag_of(keys)).filter(state__in=transitions.OPEN).first()


def last_request(kind: str, key: object) -> ErasureRequest | None:
    """
    Give the newest request about a person who may be gone already.

    Args:
        kind: Model of the person.
        key: The primary key that the person had.
    """
    real = _of(sealing.tag_of_key(kind, key)).exclude(state=RequestState.DUPLICATE)
    return real.order_by("-received_at").first()


def _of(tag: str) -> QuerySet[ErasureRequest]:
    return ErasureRequest.objects.filter(subject_tag=tag)


def file_request(
    keys: SubjectKeys,
    *,
    by: Person,
    channel: Channel,
    ground: Ground = Ground.NO_LONGER_NECESSARY,
    identity: IdentityMethod | None = None,
    idempotency_key: str = "",
    received_at: datetime | None = None,
) -> ErasureRequest:
    """
    Put a demand on record. The clock of Art. 12(3) starts.

    Args:
        keys: Whom it is about.
        by: Who files it: the person themselves where they are signed in, or staff.
        channel: How it came in.
        ground: Why the person may demand it.
        identity: How it was made sure who asks, where that is settled already.
        idempotency_key: The same key gives the same request, however often it is sent.
        received_at: When it came in, if that was before now.

    Returns:
        The request. Where one about the same person is open, a duplicate that points to it.

    Raises:
        NotAllowed: The account may not file requests for others.
    """
    if sealing.tag_of_key(by._meta.label, by.pk) != sealing.tag_of(keys):
        actors.require(by, actors.FILE)
    if idempotency_key:
        known = ErasureRequest.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            return known
    received = received_at or timezone.now()
    request = ErasureRequest(
        subject_kind=keys.kind,
        subject_tag=sealing.tag_of(keys),
        sealed_keys=sealing.seal_keys(keys),
        ground=ground,
        channel=channel,
        identity_method=identity or "",
        idempotency_key=idempotency_key or None,
        filed_by_id=by.pk,
        received_at=received,
        due_at=deadlines.due(received),
    )
    return _put_on_record(request, by)


def _put_on_record(request: ErasureRequest, by: Person) -> ErasureRequest:
    with transaction.atomic(using=moving.alias()):
        event = Event.ERASURE_RECEIVED
        try:
            # The unique constraint decides between two that come at once.
            with transaction.atomic(using=moving.alias()):
                request.save(using=moving.alias(), force_insert=True)
        except IntegrityError:
            same = ErasureRequest.objects.filter(idempotency_key=request.idempotency_key or "-").first()
            if same is not None:
                return same
            event = Event.ERASURE_DUPLICATE
            _become_duplicate(request)
        moving.record(request, event, by=by)
    return request


def _become_duplicate(request: ErasureRequest) -> None:
    same_person = ErasureRequest.objects.filter(subject_tag=request.subject_tag, state__in=transitions.OPEN)
    request.canonical = same_person.get()
    request.state = RequestState.DUPLICATE
    request.sealed_keys = None
    request.closed_at = request.received_at
    request.save(using=moving.alias(), force_insert=True)


def ask_identity(request: ErasureRequest, *, by: Person) -> ErasureRequest:
    """
    Ask for proof of who asks, because there is reasonable doubt (Art. 12(6)).

    What was noted before no longer counts, and a plan is made anew once identity is settled.

    Args:
        request: One that nobody has approved yet.
        by: Who files requests, or who reviews their plans.

    Raises:
        IllegalTransition: It is approved, begun or over.
    """
    actors.require(by, actors.FILE, actors.APPROVE)
    with moving.locked(request) as held:
        held.identity_method = ""
        moving.move(held, RequestState.IDENTITY_CHECK, Event.ERASURE_NEEDS_INPUT, by=by)
    return held


def check_identity(request: ErasureRequest, method: IdentityMethod, *, by: Person) -> ErasureRequest:
    """
    Note how it was made sure who asks. The proof itself is never kept.

    Raises:
        IllegalTransition: The request is past that.
    """
    actors.require(by, actors.FILE)
    with moving.locked(request) as held:
        held.identity_method = method
        if held.state == RequestState.IDENTITY_CHECK:
            moving.move(held, RequestState.RECEIVED, Event.ERASURE_IDENTITY_CHECKED, by=by)
        elif held.state == RequestState.RECEIVED:
            held.save()
            moving.record(held, Event.ERASURE_IDENTITY_CHECKED, by=by)
        else:
            transitions.check(RequestState(held.state), RequestState.IDENTITY_CHECK)
    return held


def extend(
    request: ErasureRequest, reason: ExtensionReason, *, by: Person, now: datetime | None = None
) -> ErasureRequest:
    """
    Take two more months. The person must be told why within the first.

    Raises:
        ExtensionRefused: The first month is over, the time was extended before, or nothing is open.
    """
    actors.require(by, actors.FILE)
    moment = now or timezone.now()
    with moving.locked(request) as held:
        refused = (
            held.extended_at is not None
            or held.state not in transitions.OPEN
            or not deadlines.may_extend(held.received_at, moment)
        )
        if refused:
            raise ExtensionRefused(
                f"The time for request {held.reference} can't be extended.",
                hint="Once only, while it is open, and within one month of receipt (Art. 12(3)).",
            )
        held.extended_at, held.extension_reason = moment, reason
        held.due_at = deadlines.extended(held.received_at)
        held.save()
        moving.record(held, Event.ERASURE_EXTENDED, by=by, counters={"days": (held.due_at - moment).days})
    return held


def reject(
    request: ErasureRequest, ground: RejectionGround, *, by: Person, reason: str = ""
) -> ErasureRequest:
    """
    Refuse a request before anything was done. The keys of the person are destroyed.

    Args:
        request: Which.
        ground: The legal ground.
        by: Another person than the one who filed it.
        reason: In words; kept sealed.

    Raises:
        OwnRequest: The person filed it.
        IllegalTransition: The erasure has begun.
    """
    actors.require(by, actors.APPROVE)
    with moving.locked(request) as held:
        actors.require_another(by, held)
        transitions.check(RequestState(held.state), RequestState.REJECTED)
        _require_unfenced(held, "rejected")
        now = timezone.now()
        _void_approvals(held, now)
        Approval.objects.create(
            request=held,
            plan_digest=held.plan_digest,
            decision=Decision.REJECTED,
            filed_by_id=held.filed_by_id,
            decided_by_id=by.pk,
            decided_at=now,
            sealed_reason=sealing.seal(reason) if reason else None,
        )
        held.rejection_ground = ground
        _end(held, now)
        moving.move(held, RequestState.REJECTED, Event.ERASURE_REJECTED, by=by)
    return held


def cancel(request: ErasureRequest, *, by: Person) -> ErasureRequest:
    """
    Take a request back before anything was done. The keys of the person are destroyed.

    Raises:
        IllegalTransition: The erasure has begun.
    """
    actors.require(by, actors.FILE)
    with moving.locked(request) as held:
        _require_unfenced(held, "cancelled")
        now = timezone.now()
        _void_approvals(held, now)
        _end(held, now)
        moving.move(held, RequestState.CANCELLED, Event.ERASURE_CANCELLED, by=by)
    return held


def _require_unfenced(held: ErasureRequest, done: str) -> None:
    if held.fenced_at is not None:
        raise IllegalTransition(
            f"Request {held.reference} can't be {done}: the erasure has begun.",
            hint="What is erased can't be brought back; let it finish, or place a legal hold.",
        )


def _end(request: ErasureRequest, now: datetime) -> None:
    request.sealed_keys = None
    request.approved_by_id = None
    request.closed_at = now


def _void_approvals(request: ErasureRequest, now: datetime) -> None:
    standing = request.approvals.filter(decision=Decision.APPROVED, voided_at__isnull=True)
    standing.update(voided_at=now)
