"""
Consent on record (Art. 7(1)): one event per purpose, with the words that were shown. Append-only.

What counts now is the newest event. Withdrawing takes one call, as giving does (Art. 7(3)). A
person stands here as a keyed tag: after an erasure the events stay as proof, and name no person.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connections, transaction

from accord import clock
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from gdpr.consent.chain import hash_of, is_genuine
from gdpr.erasure import encryption, state_changes
from gdpr.errors import ConsentRefused
from gdpr.models import ConsentEvent, ConsentNotice
from gdpr.states import ConsentMethod, ConsentType

logger = logging.getLogger(__name__)

GRANTS = frozenset({ConsentType.GIVEN, ConsentType.RENEWED})
_AUDITED = {
    ConsentType.GIVEN: EventKind.CONSENT_GIVEN,
    ConsentType.REFUSED: EventKind.CONSENT_REFUSED,
    ConsentType.WITHDRAWN: EventKind.CONSENT_WITHDRAWN,
    ConsentType.RENEWED: EventKind.CONSENT_RENEWED,
    ConsentType.EXPIRED: EventKind.CONSENT_EXPIRED,
}


@dataclass(frozen=True, kw_only=True)
class Someone:
    """
    A person who consents.

    Attributes:
        kind: Model of the person, such as `streaming.Listener`.
        tag: The person, as a keyed hash.
    """

    kind: str
    tag: str


@dataclass(frozen=True, kw_only=True)
class _Fact:
    """What happened to a consent: how, by which words, and until when it counts."""

    type: ConsentType
    notice: ConsentNotice
    method: ConsentMethod
    channel: str
    explicit: bool = False
    valid_until: datetime | None = None
    by: Account | None = None


def someone(kind: str, key: object) -> Someone:
    """
    Name a person by the primary key.

    Args:
        kind: Model of the person.
        key: The key.
    """
    return Someone(kind=kind, tag=encryption.tag_of_key(kind, key))


def publish_notice(purpose: str, version: str, language: str, text: str) -> ConsentNotice:
    """
    Put the words of a notice on record. The same words again are the same notice.

    Raises:
        ConsentRefused: There is no text, or this version exists with other words.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()
    if not text.strip():
        raise ConsentRefused("A notice has no text.", hint="Consent needs words that a person has seen.")
    notice, _ = ConsentNotice.objects.get_or_create(
        purpose=purpose,
        version=version,
        language=language,
        defaults={"text": text, "text_hash": digest, "published_at": clock.now()},
    )
    if notice.text_hash != digest:
        raise ConsentRefused(
            f"Version {version} of the notice for “{purpose}” ({language}) exists with other words.",
            hint="Give the new words a new version; people have agreed to the old ones.",
        )
    return notice


def give(
    who: Someone,
    notice: ConsentNotice,
    *,
    method: ConsentMethod,
    channel: str,
    explicit: bool = False,
    valid_until: datetime | None = None,
    by: Account | None = None,
    renewing: bool = False,
) -> ConsentEvent:
    """
    Record that a person said yes. A yes of a person who said yes before is a renewal.

    Args:
        who: The person.
        notice: The words that the person was shown; they name the purpose.
        method: By which act.
        channel: Where: `web`, `app`, `counter`, ...
        explicit: Whether it was explicit, as Art. 9 asks for.
        valid_until: When it ends by itself.
        by: Account that recorded it.
        renewing: Only if there is a consent to renew.

    Raises:
        ConsentRefused: It would have ended before it began, or there is none to renew.
    """
    valid_until = valid_until and clock.aware(valid_until)
    if valid_until is not None and valid_until <= clock.now():
        raise ConsentRefused("A consent would end before it begins.", hint="Correct valid_until.")
    with _turn(who, notice.purpose):
        before = current(who, notice.purpose)
        granted = before is not None and ConsentType(before.type) in GRANTS
        if renewing and not granted:
            raise ConsentRefused(
                f"There is no consent to “{notice.purpose}” to renew.", hint="Record a new one."
            )
        fact = _Fact(
            type=ConsentType.RENEWED if granted else ConsentType.GIVEN,
            notice=notice,
            method=method,
            channel=channel,
            explicit=explicit,
            valid_until=valid_until,
            by=by,
        )
        return _append(who, before, fact)


def refuse(
    who: Someone, notice: ConsentNotice, *, method: ConsentMethod, channel: str, by: Account | None = None
) -> ConsentEvent:
    """
    Record that a person said no.

    Raises:
        ConsentRefused: The person's consent stands; that is withdrawn, not refused.
    """
    with _turn(who, notice.purpose):
        before = current(who, notice.purpose)
        if before is not None and ConsentType(before.type) in GRANTS:
            raise ConsentRefused(
                f"The consent to “{notice.purpose}” stands; it can't be refused.", hint="Withdraw it."
            )
        fact = _Fact(type=ConsentType.REFUSED, notice=notice, method=method, channel=channel, by=by)
        return _append(who, before, fact)


def withdraw(
    who: Someone, purpose: str, *, method: ConsentMethod, channel: str, by: Account | None = None
) -> ConsentEvent:
    """
    Record that a person took a consent back. Taking it back twice changes nothing.

    Raises:
        ConsentRefused: There is no consent to take back.
    """
    with _turn(who, purpose):
        before = current(who, purpose)
        if before is not None and before.type == ConsentType.WITHDRAWN:
            return before
        if before is None or ConsentType(before.type) not in GRANTS:
            raise ConsentRefused(f"There is no consent to “{purpose}” to withdraw.", hint="Nothing stands.")
        fact = _Fact(
            type=ConsentType.WITHDRAWN,
            notice=before.notice,
            method=method,
            channel=channel,
            explicit=before.explicit,
            by=by,
        )
        return _append(who, before, fact)


def current(who: Someone, purpose: str) -> ConsentEvent | None:
    """Return the event that counts, if there is any."""
    events = ConsentEvent.objects.filter(subject_tag=who.tag, purpose=purpose)
    return events.select_related("notice").order_by("-number").first()


def is_granted(who: Someone, purpose: str, now: datetime | None = None) -> bool:
    """Return whether data may be used for a purpose on the ground of consent, at this moment."""
    found = current(who, purpose)
    return found is not None and grants(found, now)


def grants(event: ConsentEvent, now: datetime | None = None) -> bool:
    """Return whether an event is a yes that counts at this moment, if none follows it."""
    if ConsentType(event.type) not in GRANTS:
        return False
    return event.valid_until is None or event.valid_until > (now or clock.now())


def history(who: Someone) -> Sequence[ConsentEvent]:
    """Return everything that happened to a person's consents, the oldest first."""
    return list(
        ConsentEvent.objects.filter(subject_tag=who.tag).select_related("notice").order_by("at", "pk")
    )


def verify_history(who: Someone) -> bool:
    """Return whether the events of a person follow each other by hash, with no gap."""
    before: dict[str, ConsentEvent] = {}
    events = ConsentEvent.objects.filter(subject_tag=who.tag).select_related("notice")
    for event in events.order_by("purpose", "number"):
        last = before.get(event.purpose)
        number, link = (1, "") if last is None else (last.number + 1, last.hash)
        if (event.number, event.previous_hash) != (number, link) or not is_genuine(event):
            return False
        before[event.purpose] = event
    return True


def expire_due(now: datetime | None = None, failed: dict[str, str] | None = None) -> int:
    """
    Record the end of consents whose time is over. One that fails stops no other.

    Args:
        now: The moment, if not this one.
        failed: Takes the references of events that failed, and the name of each error.

    Returns:
        How many.
    """
    moment = now or clock.now()
    newest = ConsentEvent.objects.current().values("pk")
    over = ConsentEvent.objects.filter(pk__in=newest, type__in=GRANTS, valid_until__lte=moment)
    expired = 0
    for event in over.select_related("notice"):
        try:
            expired += _expire(event)
        except Exception as exc:
            # The next one has its own time; this one is reported and tried again in the next round.
            logger.exception("Consent %s could not be expired", event.reference)
            if failed is not None:
                failed[event.reference] = type(exc).__name__
    return expired


def _expire(event: ConsentEvent) -> int:
    who = Someone(kind=event.subject_kind, tag=event.subject_tag)
    with _turn(who, event.purpose):
        newest = current(who, event.purpose)
        if newest is None or newest.pk != event.pk:
            return 0
        fact = _Fact(
            type=ConsentType.EXPIRED,
            notice=event.notice,
            method=ConsentMethod.SYSTEM,
            channel="clock",
            explicit=event.explicit,
        )
        _append(who, event, fact)
    return 1


class _turn:  # noqa: N801 - reads as what it gives: a turn
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


def _append(who: Someone, before: ConsentEvent | None, fact: _Fact) -> ConsentEvent:
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
        using=state_changes.alias(),
    )
    return event
