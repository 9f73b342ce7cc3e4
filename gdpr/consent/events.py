"""Appending to the register: each event is sealed by the one before it, and stands in the trail."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import connections, transaction

from accord import clock
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from gdpr.consent.chain import hash_of
from gdpr.consent.people import Someone
from gdpr.erasure import state_changes
from gdpr.models import ConsentEvent, ConsentNotice
from gdpr.states import ConsentChannel, ConsentMethod, ConsentType, GivenBy

_AUDITED = {
    ConsentType.GIVEN: EventKind.CONSENT_GIVEN,
    ConsentType.REFUSED: EventKind.CONSENT_REFUSED,
    ConsentType.WITHDRAWN: EventKind.CONSENT_WITHDRAWN,
    ConsentType.RENEWED: EventKind.CONSENT_RENEWED,
    ConsentType.EXPIRED: EventKind.CONSENT_EXPIRED,
}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What happened to a consent: how, by which words, and until when it counts."""

    type: ConsentType
    notice: ConsentNotice
    method: ConsentMethod
    channel: ConsentChannel
    given_by: GivenBy = GivenBy.SELF
    explicit: bool = False
    valid_until: datetime | None = None
    by: Account | None = None


class turn:  # noqa: N801 - reads as what it gives: a turn
    """One writer at a time for a person and purpose, so that numbers and hashes don't fork."""

    def __init__(self, who: Someone, purpose: str) -> None:
        self._transaction = transaction.atomic(using=state_changes.alias())
        self._key = int.from_bytes(hashlib.sha256(f"{who.tag}|{purpose}".encode()).digest()[:8], signed=True)

    def __enter__(self) -> None:
        self._transaction.__enter__()
        with connections[state_changes.alias()].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [self._key])

    def __exit__(self, kind, error, trace):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - handed on as they come
        self._transaction.__exit__(kind, error, trace)


def append(who: Someone, before: ConsentEvent | None, fact: Fact) -> ConsentEvent:
    """
    Write an event, and record it in the audit trail.

    Args:
        who: The person, whose turn it is (:class:`turn`).
        before: The newest event of this person and purpose; None for the first.
        fact: What happened.
    """
    event = ConsentEvent(
        subject_kind=who.kind,
        subject_tag=who.tag,
        purpose=fact.notice.purpose,
        number=1 if before is None else before.number + 1,
        type=fact.type,
        notice=fact.notice,
        explicit=fact.explicit,
        method=fact.method,
        channel=fact.channel,
        given_by=fact.given_by,
        at=clock.now(),
        valid_until=fact.valid_until,
        recorded_by_id=None if fact.by is None else fact.by.pk,
        previous_hash="" if before is None else before.hash,
    )
    event.hash = hash_of(event)
    event.save(using=state_changes.alias(), force_insert=True)
    trail.record(
        _AUDITED[fact.type],
        actor=actor(fact.by),
        object_kind=ObjectKind.CONSENT,
        object_ref=event.reference,
        plan_digest=event.hash,
        using=state_changes.alias(),
    )
    return event
