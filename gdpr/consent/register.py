"""
Consent on record (Art. 7(1)): one event per purpose, with the words that were shown. Append-only.

What counts now is the newest event. Withdrawing takes one call, as giving does (Art. 7(3)). A
person stands here as a keyed tag: after an erasure the events stay as proof, and name no person.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from accord import clock
from accord.acting import Account
from accord.wording import say
from gdpr.consent import notices, people
from gdpr.consent.chain import is_genuine
from gdpr.consent.events import Fact, append, turn
from gdpr.consent.notices import publish_notice
from gdpr.consent.people import Someone, someone
from gdpr.errors import ConsentRefused
from gdpr.models import ConsentEvent, ConsentNotice
from gdpr.states import ConsentChannel, ConsentMethod, ConsentType, GivenBy

__all__ = [
    "Someone",
    "current",
    "expire_due",
    "give",
    "grants",
    "history",
    "is_granted",
    "publish_notice",
    "refuse",
    "renew",
    "someone",
    "verify_history",
    "withdraw",
]
logger = logging.getLogger(__name__)

GRANTS = frozenset({ConsentType.GIVEN, ConsentType.RENEWED})


def give(
    who: Someone,
    notice: ConsentNotice,
    *,
    method: ConsentMethod,
    channel: str,
    given_by: GivenBy = GivenBy.SELF,
    explicit: bool = False,
    valid_until: datetime | None = None,
    by: Account | None = None,
) -> ConsentEvent:
    """
    Record that a person said yes. A yes of a person who said yes before is a renewal.

    Args:
        who: The person.
        notice: The words that the person was shown; they name the purpose.
        method: By which act.
        channel: Where; a value of :class:`gdpr.states.ConsentChannel`.
        given_by: Who spoke for the person.
        explicit: Whether it was explicit, as Art. 9 asks for.
        valid_until: When it ends by itself.
        by: Account that recorded it.

    Raises:
        ConsentRefused: It would have ended before it began, or there is no such channel.
        UnknownSubject, SubjectErased: There is no such person, or not any more.
    """
    fact = Fact(
        type=ConsentType.GIVEN,
        notice=notice,
        method=method,
        channel=_channel(channel),
        given_by=given_by,
        explicit=explicit,
        valid_until=_end(valid_until),
        by=by,
    )
    return _say_yes(who, fact, renewing=False)


def renew(
    who: Someone,
    notice: ConsentNotice,
    *,
    method: ConsentMethod,
    channel: str,
    given_by: GivenBy = GivenBy.SELF,
    explicit: bool = False,
    valid_until: datetime | None = None,
    by: Account | None = None,
) -> ConsentEvent:
    """
    Record a yes again. See :func:`give`.

    Raises:
        ConsentRefused: There is no consent to renew; or as for a new one.
        UnknownSubject, SubjectErased: There is no such person, or not any more.
    """
    fact = Fact(
        type=ConsentType.RENEWED,
        notice=notice,
        method=method,
        channel=_channel(channel),
        given_by=given_by,
        explicit=explicit,
        valid_until=_end(valid_until),
        by=by,
    )
    return _say_yes(who, fact, renewing=True)


def _say_yes(who: Someone, fact: Fact, *, renewing: bool) -> ConsentEvent:
    purpose = fact.notice.purpose
    with turn(who, purpose):
        people.require_living(who)
        before = current(who, purpose)
        granted = before is not None and ConsentType(before.type) in GRANTS
        if renewing and not granted:
            raise ConsentRefused(
                say("There is no consent to “{purpose}” to renew.", purpose=purpose), hint="Record a new one."
            )
        return append(who, before, replace(fact, type=ConsentType.RENEWED if granted else ConsentType.GIVEN))


def _end(valid_until: datetime | None) -> datetime | None:
    end = valid_until and clock.aware(valid_until)
    if end is not None and end <= clock.now():
        raise ConsentRefused("A consent would end before it begins.", hint="Correct valid_until.")
    return end


def refuse(
    who: Someone,
    notice: ConsentNotice,
    *,
    method: ConsentMethod,
    channel: str,
    given_by: GivenBy = GivenBy.SELF,
    by: Account | None = None,
) -> ConsentEvent:
    """
    Record that a person said no.

    Raises:
        ConsentRefused: The person's consent stands, which is withdrawn, or there is no such channel.
        UnknownSubject, SubjectErased: There is no such person, or not any more.
    """
    where = _channel(channel)
    with turn(who, notice.purpose):
        people.require_living(who)
        before = current(who, notice.purpose)
        if before is not None and ConsentType(before.type) in GRANTS:
            raise ConsentRefused(
                say("The consent to “{purpose}” stands; it can't be refused.", purpose=notice.purpose),
                hint="Withdraw it.",
            )
        fact = Fact(
            type=ConsentType.REFUSED, notice=notice, method=method, channel=where, given_by=given_by, by=by
        )
        return append(who, before, fact)


def withdraw(
    who: Someone,
    purpose: str,
    *,
    method: ConsentMethod,
    channel: str,
    given_by: GivenBy = GivenBy.SELF,
    by: Account | None = None,
) -> ConsentEvent:
    """
    Record that a person took a consent back. Taking it back twice changes nothing.

    Raises:
        ConsentRefused: There is no consent to take back, or no such channel.
    """
    where = _channel(channel)
    with turn(who, purpose):
        before = current(who, purpose)
        if before is not None and before.type == ConsentType.WITHDRAWN:
            return before
        if before is None or ConsentType(before.type) not in GRANTS:
            raise ConsentRefused(
                say("There is no consent to “{purpose}” to withdraw.", purpose=purpose),
                hint="Nothing stands.",
            )
        fact = Fact(
            type=ConsentType.WITHDRAWN,
            notice=before.notice,
            method=method,
            channel=where,
            given_by=given_by,
            explicit=before.explicit,
            by=by,
        )
        return append(who, before, fact)


def current(who: Someone, purpose: str) -> ConsentEvent | None:
    """Return the event that counts, if there is any."""
    events = ConsentEvent.objects.filter(subject_tag=who.tag, purpose=purpose)
    return events.select_related("notice").order_by("-number").first()


def is_granted(who: Someone, purpose: str, now: datetime | None = None) -> bool:
    """Return whether data may be used for a purpose on the ground of consent, at this moment."""
    found = current(who, purpose)
    return found is not None and grants(found, now)


def grants(event: ConsentEvent, now: datetime | None = None) -> bool:
    """
    Return whether an event is a yes that counts at this moment, if none follows it.

    It doesn't once its time is over, the person is erased or being erased, or a later version of the
    notice ended the consents to this one.
    """
    if ConsentType(event.type) not in GRANTS:
        return False
    if event.valid_until is not None and event.valid_until <= (now or clock.now()):
        return False
    return not people.is_erased(event.subject_tag) and not notices.is_outdated(event)


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
    with turn(who, event.purpose):
        newest = current(who, event.purpose)
        if newest is None or newest.pk != event.pk:
            return 0
        fact = Fact(
            type=ConsentType.EXPIRED,
            notice=event.notice,
            method=ConsentMethod.SYSTEM,
            channel=ConsentChannel.CLOCK,
            explicit=event.explicit,
        )
        append(who, event, fact)
    return 1


def _channel(text: str) -> ConsentChannel:
    """Read a channel. What was given isn't repeated: it may be anything."""
    if text not in ConsentChannel.values or text == ConsentChannel.CLOCK:
        known = ", ".join(value for value in ConsentChannel.values if value != ConsentChannel.CLOCK)
        raise ConsentRefused(
            "There is no such channel of a consent.", hint=say("One of: {known}.", known=known)
        )
    return ConsentChannel(text)
