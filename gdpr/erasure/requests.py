"""Receiving a demand for erasure: on record, identity, more time, refused, taken back."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accord import clock, second_person
from accord.acting import Account
from accord.audit.events import EventKind
from accord.errors import NotAllowed
from accord.wording import say
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import (
    actors,
    deadlines,
    encryption,
    own_accounts,
    request_keys,
    state_changes,
    transitions,
)
from gdpr.errors import ExtensionRefused, IllegalTransition
from gdpr.models import Approval, ErasureRequest
from gdpr.states import (
    Channel,
    Decision,
    ExtensionReason,
    Ground,
    IdentityMethod,
    RejectionGround,
    RequestState,
)

_ATTEMPTS = 10
"""Times that a request about the person may close while another one is filed."""


def open_request(keys: SubjectKeys) -> ErasureRequest | None:
    """Return the request about a person that is not over, if there is one."""
    return _of(encryption.tag_of(keys)).filter(state__in=transitions.OPEN).first()


def last_request(kind: str, key: object) -> ErasureRequest | None:
    """
    Return the newest request about a person who may be gone already.

    Args:
        kind: Model of the person.
        key: The primary key that the person had.
    """
    real = _of(encryption.tag_of_key(kind, key)).exclude(state=RequestState.DUPLICATE)
    return real.order_by("-received_at").first()


def _of(tag: str) -> QuerySet[ErasureRequest]:
    return ErasureRequest.objects.filter(subject_tag=tag)


def file_request(
    keys: SubjectKeys,
    *,
    by: Account,
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
        UsageError: It would have come in later than now.
    """
    if not own_accounts.is_theirs(by, keys):
        actors.require(by, actors.FILE)
    if idempotency_key:
        known = ErasureRequest.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            return known
    now = clock.now()
    received = clock.aware(received_at) if received_at else now
    deadlines.refuse_future(received, now)
    key = request_keys.new_key()
    request = ErasureRequest(
        subject_kind=keys.kind,
        subject_tag=encryption.tag_of(keys),
        sealed_keys=encryption.seal_keys(keys, key),
        ground=ground,
        channel=channel,
        identity_method=identity or "",
        idempotency_key=idempotency_key or None,
        filed_by_id=by.pk,
        received_at=received,
        due_at=deadlines.due(received),
    )
    return _put_on_record(request, key, by)


def _put_on_record(request: ErasureRequest, key: bytes, by: Account) -> ErasureRequest:
    with transaction.atomic(using=state_changes.alias()):
        for _ in range(_ATTEMPTS):
            if _inserted(request):
                request_keys.keep({request.reference: key})
                second_person.sight(actors.FILED)
                state_changes.record([state_changes.act(request, EventKind.ERASURE_RECEIVED)], by=by)
                return request
            rival = _same_demand(request) or _as_duplicate(request, by)
            if rival is not None:
                return rival
    raise IllegalTransition(
        "Requests about this person are opened and closed faster than this one can be filed.",
        hint="File it again.",
    )


def _inserted(request: ErasureRequest) -> bool:
    """Insert a request; the unique constraints decide between two that come at once."""
    try:
        with transaction.atomic(using=state_changes.alias()):
            request.save(using=state_changes.alias(), force_insert=True)
    except IntegrityError:
        return False
    return True


def _same_demand(request: ErasureRequest) -> ErasureRequest | None:
    return ErasureRequest.objects.filter(idempotency_key=request.idempotency_key or "-").first()


def _as_duplicate(request: ErasureRequest, by: Account) -> ErasureRequest | None:
    """File it as a duplicate of the open request; None when that one was closed meanwhile."""
    canonical = _of(request.subject_tag).filter(state__in=transitions.OPEN).first()
    if canonical is None:
        return None
    request.canonical = canonical
    request.state, request.sealed_keys = RequestState.DUPLICATE, None
    request.closed_at = request.received_at
    request.save(using=state_changes.alias(), force_insert=True)
    state_changes.record([state_changes.act(request, EventKind.ERASURE_DUPLICATE)], by=by)
    return request


def ask_identity(request: ErasureRequest, *, by: Account) -> ErasureRequest:
    """
    Ask for proof of who asks, because there is reasonable doubt (Art. 12(6)).

    What was noted before no longer counts, and a plan is made anew once identity is settled.

    Args:
        request: One that no account has approved yet.
        by: Who files requests, or who reviews their plans.

    Raises:
        IllegalTransition: It is approved, begun or over.
    """
    actors.require(by, actors.FILE, actors.APPROVE, about=request)
    with state_changes.locked(request) as held:
        state_changes.move(
            [held],
            RequestState.IDENTITY_CHECK,
            EventKind.ERASURE_NEEDS_INPUT,
            by=by,
            changes={"identity_method": ""},
        )
    return held


def check_identity(request: ErasureRequest, method: IdentityMethod, *, by: Account) -> ErasureRequest:
    """
    Note how it was made sure who asks. The proof itself is never kept.

    Raises:
        IllegalTransition: The request is past that.
    """
    actors.require(by, actors.FILE, about=request)
    with state_changes.locked(request) as held:
        if held.state == RequestState.IDENTITY_CHECK:
            event = EventKind.ERASURE_IDENTITY_CHECKED
            state_changes.move(
                [held], RequestState.RECEIVED, event, by=by, changes={"identity_method": method}
            )
        elif held.state == RequestState.RECEIVED:
            state_changes.save([held], identity_method=method)
            state_changes.record([state_changes.act(held, EventKind.ERASURE_IDENTITY_CHECKED)], by=by)
        else:
            transitions.check(RequestState(held.state), RequestState.IDENTITY_CHECK)
    return held


def extend(
    request: ErasureRequest, reason: ExtensionReason, *, by: Account, now: datetime | None = None
) -> ErasureRequest:
    """
    Take two more months. The person must be told why within the first.

    Raises:
        ExtensionRefused: The first month is over, the time was extended before, or nothing is open.
    """
    actors.require(by, actors.FILE, about=request)
    moment = clock.aware(now) if now else clock.now()
    with state_changes.locked(request) as held:
        refused = (
            held.extended_at is not None
            or held.state not in transitions.OPEN
            or not deadlines.may_extend(held.received_at, moment)
        )
        if refused:
            raise ExtensionRefused(
                say("The time for request {reference} can't be extended.", reference=held.reference),
                hint="Once only, while it is open, and within one month of receipt (Art. 12(3)).",
            )
        due_at = deadlines.extended(held.received_at)
        state_changes.save([held], extended_at=moment, extension_reason=reason, due_at=due_at)
        days = {"days": (due_at - moment).days}
        state_changes.record([state_changes.act(held, EventKind.ERASURE_EXTENDED, counters=days)], by=by)
    return held


def reject(
    request: ErasureRequest, ground: RejectionGround, *, by: Account, reason: str = ""
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
    actors.require(by, actors.APPROVE, about=request)
    with state_changes.locked(request) as held:
        actors.require_another(by, held)
        transitions.check(RequestState(held.state), RequestState.REJECTED)
        _require_unfenced(held, "rejected")
        now = clock.now()
        Approval.objects.create(
            request=held,
            plan_digest=held.plan_digest,
            decision=Decision.REJECTED,
            filed_by_id=held.filed_by_id,
            decided_by_id=by.pk,
            decided_at=now,
            sealed_reason=encryption.seal(reason) if reason else None,
        )
        ended = {**_ended(held, now), "rejection_ground": ground}
        state_changes.move([held], RequestState.REJECTED, EventKind.ERASURE_REJECTED, by=by, changes=ended)
    return held


def cancel(request: ErasureRequest, *, by: Account) -> ErasureRequest:
    """
    Take a request back before anything was done. The keys of the person are destroyed.

    Args:
        request: Which.
        by: Who files requests, or the person whom it is about.

    Raises:
        NotAllowed: The account is neither.
        IllegalTransition: The erasure has begun.
    """
    try:
        actors.require(by, actors.FILE, about=request)
    except NotAllowed:
        # Whoever it is about takes it back without a permission. Staff don't need the request's key for it.
        if not by.is_active or not actors.is_about(by, request):
            raise
    with state_changes.locked(request) as held:
        _require_unfenced(held, "cancelled")
        ended = _ended(held, clock.now())
        state_changes.move([held], RequestState.CANCELLED, EventKind.ERASURE_CANCELLED, by=by, changes=ended)
    return held


def _require_unfenced(held: ErasureRequest, done: str) -> None:
    if held.fenced_at is not None:
        raise IllegalTransition(
            say(
                "Request {reference} can't be {done}: the erasure has begun.",
                reference=held.reference,
                done=done,
            ),
            hint="What is erased can't be brought back; let it finish, or place a legal hold.",
        )


def _ended(held: ErasureRequest, now: datetime) -> dict[str, object]:
    encryption.destroy_ended()
    return {**state_changes.void_approvals([held]), "sealed_keys": None, "closed_at": now}
