"""
Legal holds: a reason to keep a person's data for the time being.

A hold is placed on everything or on one entry, and looked for before every batch. It waits for
the batch that is under way; after that none follows until another person has released it. A hold
on an entry also stops what comes after that entry in its store, since parents can't go before
their children.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accord import audit
from accord.audit_events import Event, ObjectKind
from gdpr.errors import IllegalTransition, OwnRequest
from gdpr.models import ErasureRequest, LegalHold
from gdpr.services import actors, moving, transitions
from gdpr.services.actors import Person
from gdpr.states import HoldReason, RequestState

REVIEW_AFTER = timedelta(days=90)


def active(tag: str) -> QuerySet[LegalHold]:
    """Give the holds on a person that are not released."""
    return LegalHold.objects.filter(subject_tag=tag, released_at__isnull=True)


def covers_everything(tag: str) -> bool:
    """Tell whether a person is held as a whole."""
    return active(tag).filter(entry="").exists()


def held_entries(tag: str) -> frozenset[str]:
    """Give the ids of the entries that are held by name."""
    return frozenset(active(tag).exclude(entry="").values_list("entry", flat=True))


def held_among(tags: Collection[str]) -> set[str]:
    """Give those of several people of whom anything at all is held."""
    found = LegalHold.objects.filter(subject_tag__in=tags, released_at__isnull=True)
    return set(found.values_list("subject_tag", flat=True))


def place_hold(
    kind: str,
    tag: str,
    reason: HoldReason,
    *,
    by: Person,
    entry: str = "",
    review_at: datetime | None = None,
) -> LegalHold:
    """
    Keep a person's data for the time being. Open requests about the person stop.

    Args:
        kind: Model of the person.
        tag: The person, as :func:`gdpr.services.sealing.tag_of` writes it.
        reason: Why.
        by: Who places it.
        entry: Id of one entry; everything unless given.
        review_at: When somebody has to look again; in 90 days unless given.
    """
    actors.require(by, actors.PLACE_HOLD)
    with transaction.atomic(using=moving.alias()):
        request = _open(tag)
        now = timezone.now()
        hold = LegalHold.objects.create(
            subject_kind=kind,
            subject_tag=tag,
            entry=entry,
            reason=reason,
            placed_by_id=by.pk,
            placed_at=now,
            review_at=review_at or now + REVIEW_AFTER,
        )
        if request is not None and not entry:
            block(request, by=by)
        _record(hold, Event.HOLD_PLACED, request, by)
    return hold


def release_hold(hold: LegalHold, *, by: Person) -> LegalHold:
    """
    End a hold. A request that it stopped goes on, once no other hold stops it.

    Raises:
        OwnRequest: The same person placed it.
        IllegalTransition: It is released already.
    """
    actors.require(by, actors.RELEASE_HOLD)
    with transaction.atomic(using=moving.alias()):
        request = _open(hold.subject_tag)
        held = LegalHold.objects.select_for_update().get(pk=hold.pk)
        require_releasable(held, by)
        held.released_by_id, held.released_at = by.pk, timezone.now()
        held.save()
        if request is not None and request.state == RequestState.BLOCKED_HOLD:
            _resume_if_free(request, by)
        _record(held, Event.HOLD_RELEASED, request, by)
    return held


def stop_if_held(request: ErasureRequest) -> bool:
    """
    Stop a request whose row is held, if its person is held as a whole.

    Returns:
        True when it is stopped.
    """
    if not covers_everything(request.subject_tag):
        return False
    block(request)
    return True


def block(request: ErasureRequest, *, by: Person | None = None) -> None:
    """Stop a request whose row is held, and remember where it was."""
    if request.state == RequestState.BLOCKED_HOLD:
        return
    request.held_in = request.state
    moving.move(request, RequestState.BLOCKED_HOLD, Event.ERASURE_BLOCKED, by=by)


def _open(tag: str) -> ErasureRequest | None:
    """Hold the row of the open request about a person; no batch of it runs meanwhile."""
    rows = ErasureRequest.objects.select_for_update()
    return rows.filter(subject_tag=tag, state__in=transitions.OPEN).first()


def require_releasable(hold: LegalHold, by: Person) -> None:
    """
    Make sure that a person may end a hold.

    Raises:
        OwnRequest: The same person placed it.
        IllegalTransition: It is released already.
    """
    if hold.released_at is not None:
        raise IllegalTransition(
            f"Hold {hold.reference} is released already.", hint="Nothing needs to be done."
        )
    if hold.placed_by_id is None or hold.placed_by_id == by.pk:
        raise OwnRequest(
            f"You placed hold {hold.reference}; another person has to release it.",
            hint=f"Ask somebody else with the permission {actors.RELEASE_HOLD}.",
        )


def _resume_if_free(request: ErasureRequest, by: Person) -> None:
    if active(request.subject_tag).exists():
        return
    target = transitions.after_release(RequestState(request.held_in))
    if request.held_in == RequestState.APPROVED:
        _forget_approval(request)
    request.held_in = ""
    moving.move(request, target, Event.ERASURE_RESUMED, by=by)


def _forget_approval(request: ErasureRequest) -> None:
    request.approvals.filter(voided_at__isnull=True).update(voided_at=timezone.now())
    request.approved_by_id, request.approval_expires_at = None, None


def _record(hold: LegalHold, event: Event, request: ErasureRequest | None, by: Person) -> None:
    audit.record(
        event,
        actor=actors.actor(by),
        object_kind=ObjectKind.HOLD,
        object_ref=hold.reference,
        request_ref="" if request is None else request.reference,
        using=moving.alias(),
    )
