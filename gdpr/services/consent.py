"""
Consent on record (Art. 7(1)): one event per purpose, with the words that were shown. Append-only.

What counts now is the newest event. Withdrawing takes one call, as giving does (Art. 7(3)). A
person stands here as a keyed tag: after an erasure the events stay as proof, and name nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connections, transaction
from django.utils import timezone

from accord import audit, checksum
from accord.audit_events import Event, ObjectKind
from gdpr.errors import ConsentRefused
from gdpr.models import ConsentEvent, ConsentNotice
from gdpr.services import actors, moving, sealing
from gdpr.services.actors import Person
from gdpr.states import ConsentMethod, ConsentType

GRANTS = frozenset({ConsentType.GIVEN, ConsentType.RENEWED})
_AUDITED = {
    ConsentType.GIVEN: Event.CONSENT_GIVEN,
    ConsentType.REFUSED: Event.CONSENT_REFUSED,
    ConsentType.WITHDRAWN: Event.CONSENT_WITHDRAWN,
    ConsentType.RENEWED: Event.CONSENT_RENEWED,
    ConsentType.EXPIRED: Event.CONSENT_EXPIRED,
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


def someone(kind: str, key: object) -> Someone:
    """
    Name a person by the primary key.

    Args:
        kind: Model of the person.
        key: The key.
    """
    return Someone(kind=kind, tag=sealing.tag_of_key(kind, key))


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
        defaults={"text": text, "text_hash": digest, "published_at": timezone.now()},
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
    by: Person | None = None,
    renewing: bool = False,
) -> ConsentEvent:
    """
    Record that a person said yes. A yes of somebody who said yes before is a renewal.

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
    if valid_until is not None and valid_until <= timezone.now():
        raise ConsentRefused("A consent would end before it begins.", hint="Correct valid_until.")
    with _turn(who, notice.purpose):
        before = current(who, notice.purpose)
        granted = before is not None and ConsentType(before.type) in GRANTS
        if renewing and not granted:
            raise ConsentRefused(
                f"There is no consent to “{notice.purpose}” to renew.", hint="Record a new one."
            )
        kind = ConsentType.RENEWED if granted else ConsentType.GIVEN
        return _append(who, notice, kind, before, method, channel, explicit, valid_until, by)


def refuse(
    who: Someone, notice: ConsentNotice, *, method: ConsentMethod, channel: str, by: Person | None = None
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
        return _append(who, notice, ConsentType.REFUSED, before, method, channel, False, None, by)


def withdraw(
    who: Someone, purpose: str, *, method: ConsentMethod, channel: str, by: Person | None = None
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
        return _append(
            who, before.notice, ConsentType.WITHDRAWN, before, method, channel, before.explicit, None, by
        )


def current(who: Someone, purpose: str) -> ConsentEvent | None:
    """Give the event that counts, if there is any."""
    events = ConsentEvent.objects.filter(subject_tag=who.tag, purpose=purpose)
    return events.select_related("notice").order_by("-number").first()


def is_granted(who: Someone, purpose: str, now: datetime | None = None) -> bool:
    """Tell whether data may be used for a purpose on the ground of consent, at this moment."""
    found = current(who, purpose)
    return found is not None and grants(found, now)


def grants(event: ConsentEvent, now: datetime | None = None) -> bool:
    """Tell whether an event is a yes that counts at this moment, if none follows it."""
    if ConsentType(event.type) not in GRANTS:
        return False
    return event.valid_until is None or event.valid_until > (now or timezone.now())


def history(who: Someone) -> Sequence[ConsentEvent]:
    """Give everything that happened to a person's consents, the oldest first."""
    return list(
        ConsentEvent.objects.filter(subject_tag=who.tag).select_related("notice").order_by("at", "pk")
    )


def verify_history(who: Someone) -> bool:
    """Tell whether the events of a person follow each other by hash, with no gap."""
    before: dict[str, ConsentEvent] = {}
    for event in ConsentEvent.objects.filter(subject_tag=who.tag).order_by("purpose", "number"):
        last = before.get(event.purpose)
        number, link = (1, "") if last is None else (last.number + 1, last.hash)
        if (event.number, event.previous_hash, event.hash) != (number, link, _hash(event)):
            return False
        before[event.purpose] = event
    return True


def expire_due(now: datetime | None = None) -> int:
    """
    Record the end of consents whose time is over.

    Returns:
        How many.
    """
    moment = now or timezone.now()
    newest = ConsentEvent.objects.current().values("pk")
    over = ConsentEvent.objects.filter(pk__in=newest, type__in=GRANTS, valid_until__lte=moment)
    return sum(_expire(event) for event in over.select_related("notice"))


def _expire(event: ConsentEvent) -> int:
    who = Someone(kind=event.subject_kind, tag=event.subject_tag)
    with _turn(who, event.purpose):
        newest = current(who, event.purpose)
        if newest is None or newest.pk != event.pk:
            return 0
        _append(
            who,
            event.notice,
            ConsentType.EXPIRED,
            event,
            ConsentMethod.SYSTEM,
            "clock",
            event.explicit,
            None,
            None,
        )
    return 1


class _turn:  # noqa: N801 - reads as what it gives: a turn
    """One writer at a time for a person and purpose, so that numbers and hashes don't fork."""

    def __init__(self, who: Someone, purpose: str) -> None:
        self._transaction = transaction.atomic(using=moving.alias())
        self._key = int.from_bytes(hashlib.sha256(f"{who.tag}|{purpose}".encode()).digest()[:8], signed=True)

    def __enter__(self) -> None:
        self._transaction.__enter__()
        with connections[moving.alias()].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [self._key])

    def __exit__(self, kind, error, trace):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - handed on as they come
        self._transaction.__exit__(kind, error, trace)


def _append(  # noqa: PLR0913, PLR0917 - an event has that many facts
    who: Someone,
    notice: ConsentNotice,
    kind: ConsentType,
    before: ConsentEvent | None,
    method: ConsentMethod,
    channel: str,
    explicit: bool,  # noqa: FBT001 - one of the facts
    valid_until: datetime | None,
    by: Person | None,
) -> ConsentEvent:
    event = ConsentEvent(
        subject_kind=who.kind,
        subject_tag=who.tag,
        purpose=notice.purpose,
        number=1 if before is None else before.number + 1,
        type=kind,
        notice=notice,
        explicit=explicit,
        method=method,
        channel=channel,
        at=timezone.now(),
        valid_until=valid_until,
        recorded_by_id=None if by is None else by.pk,
        previous_hash="" if before is None else before.hash,
    )
    event.hash = _hash(event)
    event.save(using=moving.alias(), force_insert=True)
    audit.record(
        _AUDITED[kind],
        actor=actors.actor(by),
        object_kind=ObjectKind.CONSENT,
        object_ref=event.reference,
        using=moving.alias(),
    )
    return event


def _hash(event: ConsentEvent) -> str:
    """Hash an event's facts and the event before it."""
    return checksum.digest(
        {
            "reference": event.reference,
            "kind": event.subject_kind,
            "tag": event.subject_tag,
            "purpose": event.purpose,
            "number": event.number,
            "type": str(event.type),
            "notice": [event.notice.version, event.notice.language, event.notice.text_hash],
            "explicit": event.explicit,
            "method": str(event.method),
            "channel": event.channel,
            "at": event.at.isoformat(),
            "valid_until": event.valid_until and event.valid_until.isoformat(),
            "previous": event.previous_hash,
        }
    )
