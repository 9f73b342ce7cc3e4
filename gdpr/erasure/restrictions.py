"""Restricting the processing of a person's data, and lifting that (Art. 18)."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from accord import clock
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from accord.errors import UsageError
from accord.wording import say
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import actors, encryption, holds, outbox, restricted, state_changes
from gdpr.errors import IllegalTransition, UnknownRequest
from gdpr.models import Restriction
from gdpr.states import NoticeKind, RestrictionReason


def restrict(keys: SubjectKeys, reason: RestrictionReason, *, by: Account) -> Restriction:
    """
    Put on record that a person's data are kept and not used. An erasure that isn't theirs stops.

    Recipients that got data of the person are told (Art. 19), and once more when it is lifted.

    Args:
        keys: The person's.
        reason: Which letter of Art. 18(1).
        by: Who puts it on record.

    Returns:
        The restriction; the one that there is, where it counts for the same reason already.

    Raises:
        NotAllowed: The account may not.
    """
    actors.require(by, actors.RESTRICT, kind=ObjectKind.SUBJECT.value)
    tag = encryption.tag_of(keys)
    with transaction.atomic(using=state_changes.alias()):
        request = holds.open_request(tag)
        made, is_new = Restriction.objects.get_or_create(
            subject_tag=tag,
            reason=reason,
            lifted_at=None,
            defaults={"subject_kind": keys.kind, "restricted_by_id": by.pk, "restricted_at": clock.now()},
        )
        if is_new:
            holds.block(restricted.stopping([request]) if request else [], by=by)
            outbox.announce(made.reference, keys, NoticeKind.RESTRICTION, NoticeKind.LIFTING)
            _record(made, EventKind.SUBJECT_RESTRICTED, by)
    return made


def lift(restriction: Restriction, *, told_at: datetime, by: Account) -> Restriction:
    """
    Let a person's data be used again. An erasure that it stopped goes on.

    Args:
        restriction: Which.
        told_at: When the person was told that it will be lifted (Art. 18(3)).
        by: Who lifts it.

    Raises:
        NotAllowed: The account may not.
        IllegalTransition: It is lifted already.
        UsageError: The person isn't told yet, or was told before there was a restriction.
    """
    actors.require(by, actors.LIFT, kind=ObjectKind.SUBJECT.value)
    with transaction.atomic(using=state_changes.alias()):
        request = holds.open_request(restriction.subject_tag)
        held = Restriction.objects.select_for_update().get(pk=restriction.pk)
        _require_told(held, clock.aware(told_at))
        held.told_at, held.lifted_at, held.lifted_by_id = clock.aware(told_at), clock.now(), by.pk
        held.save()
        if request is not None:
            holds.resume_if_free(request, by)
        outbox.release(held.reference)
        _record(held, EventKind.SUBJECT_RELEASED, by)
    return held


def find(reference: str) -> Restriction:
    """
    Find a restriction by its reference, or by the beginning of it.

    Raises:
        UnknownRequest: There is none, or more than one.
    """
    begins = reference.strip().lower()
    found = list(Restriction.objects.filter(reference__startswith=begins)[:2]) if begins else []
    if len(found) != 1:
        raise UnknownRequest(
            "No restriction has a reference that begins so, or more than one.",
            hint="Give the whole reference of the restriction.",
        )
    return found[0]


def told_on(day: date, restriction: Restriction) -> datetime:
    """
    Read on which day the person was told as a moment: its end, by the project's clock.

    On the day on which it began, and on today, the moments in between count: nobody is told ahead.

    Args:
        day: On which the person was told.
        restriction: Of what.
    """
    now, begun = timezone.localtime(clock.now()), timezone.localtime(restriction.restricted_at)
    if day == now.date():
        return now
    if day == begun.date():
        return begun
    return now.replace(year=day.year, month=day.month, day=day.day, hour=23, minute=59, second=59)


def _require_told(held: Restriction, told_at: datetime) -> None:
    if held.lifted_at is not None:
        raise IllegalTransition(
            say("Restriction {reference} is lifted already.", reference=held.reference),
            hint="Nothing needs to be done.",
        )
    if not held.restricted_at <= told_at <= clock.now():
        raise UsageError(
            say(
                "The person has to be told before restriction {reference} is lifted.",
                reference=held.reference,
            ),
            hint="Tell them first, then say when that was: after the restriction began, and not ahead.",
        )


def _record(restriction: Restriction, event: EventKind, by: Account) -> None:
    trail.record(
        event,
        actor=actor(by),
        object_kind=ObjectKind.SUBJECT,
        object_ref=restriction.reference,
        using=state_changes.alias(),
    )
