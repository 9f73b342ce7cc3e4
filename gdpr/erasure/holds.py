"""
Legal holds: a reason to keep a person's data for the time being.

A hold is placed on everything or on one entry, and looked for before every batch. It waits for
the batch that is under way; after that none follows until another person has released it. A hold
on an entry also stops what comes after that entry in its store, since parents can't go before
their children.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accord import clock, second_person
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from accord.meanings import permission
from accord.wording import say
from gdpr.erasure import actors, restricted, state_changes, transitions
from gdpr.errors import IllegalTransition
from gdpr.models import ErasureRequest, LegalHold
from gdpr.states import HoldReason, RequestState, StepState
from gdpr.stores.lookups import Values

EVERYTHING = ""
"""What a hold is on that names no entry."""
REVIEW_AFTER = timedelta(days=90)


def active(tag: str) -> QuerySet[LegalHold]:
    """Return the holds on a person that are not released."""
    return LegalHold.objects.filter(subject_tag=tag, released_at__isnull=True)


def among(tags: Collection[str]) -> Mapping[str, frozenset[str]]:
    """
    Find what is held of several people.

    Args:
        tags: The people.

    Returns:
        Ids of entries by tag, with an empty one where everything is held; no person of whom nothing is held.
    """
    found = LegalHold.objects.filter(subject_tag__among=Values(tags), released_at__isnull=True)
    held: dict[str, frozenset[str]] = {}
    for tag, entry in found.values_list("subject_tag", "entry"):
        held[tag] = held.get(tag, frozenset()) | {entry}
    return held


def tags_on(entry: str) -> frozenset[str]:
    """Return the tags of everybody of whom an entry is held, or everything, or who is restricted."""
    found = LegalHold.objects.filter(entry__in=(EVERYTHING, entry), released_at__isnull=True)
    return frozenset(found.values_list("subject_tag", flat=True)) | restricted.tags()


def held_as_a_whole(requests: Sequence[ErasureRequest]) -> list[ErasureRequest]:
    """Choose the requests that nothing of may be done: everything is held, or kept by a restriction."""
    held = among([request.subject_tag for request in requests])
    kept = {request.pk for request in restricted.stopping(requests)}
    return [one for one in requests if one.pk in kept or EVERYTHING in held.get(one.subject_tag, ())]


def place_hold(
    kind: str,
    tag: str,
    reason: HoldReason,
    *,
    by: Account,
    entry: str = "",
    review_at: datetime | None = None,
) -> LegalHold:
    """
    Keep a person's data for the time being. Open requests about the person stop.

    Args:
        kind: Model of the person.
        tag: The person, as :func:`gdpr.erasure.encryption.tag_of` writes it.
        reason: Why.
        by: Who places it.
        entry: Id of one entry; everything unless given.
        review_at: When an account has to look again; in 90 days unless given.
    """
    actors.require(by, actors.PLACE_HOLD, kind=ObjectKind.HOLD.value)
    with transaction.atomic(using=state_changes.alias()):
        request = open_request(tag)
        now = clock.now()
        hold = LegalHold.objects.create(
            subject_kind=kind,
            subject_tag=tag,
            entry=entry,
            reason=reason,
            placed_by_id=by.pk,
            placed_at=now,
            review_at=clock.aware(review_at) if review_at else now + REVIEW_AFTER,
        )
        if request is not None and not entry:
            block([request], by=by)
        second_person.sight(actors.HELD)
        _record(hold, EventKind.HOLD_PLACED, request, by)
    return hold


def release_hold(hold: LegalHold, *, by: Account) -> LegalHold:
    """
    End a hold. A request that it stopped goes on, once no other hold stops it.

    Raises:
        OwnRequest: The same account placed it.
        IllegalTransition: It is released already.
    """
    actors.require(by, actors.RELEASE_HOLD, about=hold)
    with transaction.atomic(using=state_changes.alias()):
        request = open_request(hold.subject_tag)
        held = LegalHold.objects.select_for_update().get(pk=hold.pk)
        require_releasable(held, by)
        held.released_by_id, held.released_at = by.pk, clock.now()
        held.save()
        if request is not None:
            resume_if_free(request, by)
        _record(held, EventKind.HOLD_RELEASED, request, by)
    return held


def block(held: Sequence[ErasureRequest], *, by: Account | None = None) -> None:
    """Stop requests whose rows are held, and remember where each was."""
    for state in sorted({request.state for request in held} - {RequestState.BLOCKED_HOLD}):
        stopped = [request for request in held if request.state == state]
        state_changes.move(
            stopped, RequestState.BLOCKED_HOLD, EventKind.ERASURE_BLOCKED, by=by, changes={"held_in": state}
        )


def open_request(tag: str) -> ErasureRequest | None:
    """Lock the row of the open request about a person; no batch of it runs meanwhile."""
    rows = ErasureRequest.objects.select_for_update()
    return rows.filter(subject_tag=tag, state__in=transitions.OPEN).first()


def require_releasable(hold: LegalHold, by: Account) -> None:
    """
    Check that an account may end a hold.

    Raises:
        OwnRequest: The same account placed it.
        IllegalTransition: It is released already.
    """
    if hold.released_at is not None:
        raise IllegalTransition(
            say("Hold {reference} is released already.", reference=hold.reference),
            hint="Nothing needs to be done.",
        )
    if hold.placed_by_id is None or hold.placed_by_id == by.pk:
        fact = say("You placed hold {reference}; another person has to release it.", reference=hold.reference)
        raise actors.own(
            fact,
            say(
                "Ask somebody else with the permission {permission}.",
                permission=permission(actors.RELEASE_HOLD),
            ),
            by,
            hold,
        )
    if not second_person.is_known(hold.reference, by.pk, actors.HELD):
        fact = say(
            "This account was not known here when hold {reference} was placed.", reference=hold.reference
        )
        raise actors.own(
            fact,
            say(
                "Ask somebody else with the permission {permission}.",
                permission=permission(actors.RELEASE_HOLD),
            ),
            by,
            hold,
        )


def resume_if_free(request: ErasureRequest, by: Account) -> None:
    """Let a request go on whose row is held, if nothing stops it any more: no hold, and no restriction."""
    stopped = active(request.subject_tag).exists() or restricted.stopping([request])
    if request.state != RequestState.BLOCKED_HOLD or stopped:
        return
    target = transitions.after_release(RequestState(request.held_in))
    changes: dict[str, object] = {"held_in": ""}
    if request.held_in == RequestState.APPROVED:
        changes |= state_changes.void_approvals([request])
    state_changes.move([request], target, EventKind.ERASURE_RESUMED, by=by, changes=changes)
    # The time of the hold doesn't count as time in which no worker took the steps up.
    request.steps.filter(state=StepState.PENDING).update(lease_until=Now())


def _record(hold: LegalHold, event: EventKind, request: ErasureRequest | None, by: Account) -> None:
    trail.record(
        event,
        actor=actor(by),
        object_kind=ObjectKind.HOLD,
        object_ref=hold.reference,
        request_ref="" if request is None else request.reference,
        using=state_changes.alias(),
    )
