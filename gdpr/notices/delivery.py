"""
Working the outbox off: claimed, sent, recorded, each in a transaction of its own.

A notice is claimed by moving its next attempt ahead, for longer than sending takes. Whoever is killed after
sending leaves it to be sent once more: a recipient is told at least once, each time under the same key.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from accord import clock
from accord.acting import Account, actor, worker
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from accord.errors import StoreError
from accord.retry import Backoff
from accord.wording import say
from gdpr.datamap.map import load_data_map
from gdpr.datamap.recipients import Recipient
from gdpr.erasure import actors, state_changes
from gdpr.erasure.schedule import Stop, never
from gdpr.errors import IllegalTransition, KeysDestroyed, KeysLost
from gdpr.models import RecipientNotice
from gdpr.notices import concern, messages, ways
from gdpr.notices.messages import Message
from gdpr.notices.ways import Outcome
from gdpr.states import NoticeState, NoticeTrouble

logger = logging.getLogger(__name__)

ATTEMPTS = 16
"""Attempts, over about two days, after which a person has to act."""
OPEN = frozenset({NoticeState.WAITING, NoticeState.BY_HAND})
"""Where something is to be done about a notice."""
_PAUSES = Backoff(first=60, most=6 * 3600, spread=0)


@dataclass
class Delivered:
    """
    What one round came to.

    Attributes:
        informed: References of notices that were taken.
        waiting: References that will be tried again, and why.
        by_hand: References that need a person, and why.
    """

    informed: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    by_hand: dict[str, str] = field(default_factory=dict)


def deliver_due(*, stop: Stop = never) -> Delivered:
    """
    Send every notice that is due. May run beside itself.

    A recipient that can't be reached is left alone for the rest of the round.

    Args:
        stop: Asked between two notices.
    """
    found, silent = Delivered(), set[str]()
    while not stop():
        notice = _claimed(silent)
        if notice is None:
            break
        outcome = _sent(notice, found)
        if outcome.is_of_all:
            silent.add(notice.recipient)
    return found


def _claimed(silent: Collection[str]) -> RecipientNotice | None:
    """Take up the notice that is due longest, by the server's clock."""
    with transaction.atomic(using=state_changes.alias()):
        due = RecipientNotice.objects.filter(state=NoticeState.WAITING, next_attempt_at__lte=Now())
        free = due.exclude(recipient__in=silent).select_for_update(skip_locked=True)
        notice = free.order_by("next_attempt_at", "pk").first()
        if notice is not None:
            notice.attempts += 1
            pause = timedelta(seconds=_PAUSES.pause(notice.attempts - 1, chance=0))
            RecipientNotice.objects.filter(pk=notice.pk).update(
                attempts=notice.attempts, next_attempt_at=Now() + pause
            )
    return notice


def _sent(notice: RecipientNotice, found: Delivered) -> Outcome:
    declared = {one.id: one for one in load_data_map().recipients}
    recipient = declared.get(notice.recipient)
    if recipient is None:
        return _failed(notice, Outcome(trouble=NoticeTrouble.UNDECLARED), found)
    message = _written(recipient, notice)
    if isinstance(message, Outcome):
        return _failed(notice, message, found) if message.trouble else _needless(notice)
    outcome = ways.send(recipient, message)
    if outcome.trouble is not None:
        return _failed(notice, outcome, found)
    if _inform(notice, digest=message.digest, answer=outcome.answer):
        found.informed.append(notice.reference)
    return outcome


def _written(recipient: Recipient, notice: RecipientNotice) -> Message | Outcome:
    """Write what is sent, or tell why nothing is; without a trouble there is nothing to tell."""
    try:
        keys = messages.keys_of(notice)
        if keys is not None and not concern.got_data(recipient, keys):
            return Outcome()
        message = messages.write(notice)
    except KeysDestroyed as exc:
        return Outcome(trouble=NoticeTrouble.KEY_LOST, is_final=isinstance(exc, KeysLost))
    except StoreError:
        return Outcome(trouble=NoticeTrouble.STORE)
    if not message.document["person"]["values"]:
        return Outcome(trouble=NoticeTrouble.NO_KEY, is_final=True)
    return message


def _needless(notice: RecipientNotice) -> Outcome:
    """Forget who a notice is about, of whom the recipient got nothing."""
    mine = RecipientNotice.objects.filter(pk=notice.pk, attempts=notice.attempts, state=NoticeState.WAITING)
    mine.update(state=NoticeState.NEEDLESS, sealed_person=None, next_attempt_at=None, trouble="")
    return Outcome()


def _failed(notice: RecipientNotice, outcome: Outcome, found: Delivered) -> Outcome:
    ends = outcome.is_final or notice.attempts >= ATTEMPTS
    changes: dict[str, object] = {"trouble": outcome.trouble, "answer": outcome.answer}
    if ends:
        changes |= {"state": NoticeState.BY_HAND, "next_attempt_at": None}
    # Another process took it up meanwhile, where the attempts aren't those of this one.
    mine = RecipientNotice.objects.filter(pk=notice.pk, attempts=notice.attempts, state=NoticeState.WAITING)
    mine.update(**changes)
    why = str(outcome.trouble)
    logger.warning("Notice %s was not taken: %s", notice.reference, why)
    (found.by_hand if ends else found.waiting)[notice.reference] = why
    return outcome


def _inform(
    notice: RecipientNotice, *, digest: str = "", answer: int | None = None, by: Account | None = None
) -> bool:
    """Record that a recipient was told; who it was about is forgotten. False where that was known."""
    with transaction.atomic(using=state_changes.alias()):
        held = RecipientNotice.objects.select_for_update().get(pk=notice.pk)
        if held.state == NoticeState.INFORMED:
            return False
        held.state, held.informed_at, held.sealed_person = NoticeState.INFORMED, clock.now(), None
        held.next_attempt_at, held.trouble, held.answer = None, "", answer
        held.informed_by_id, held.digest = (by.pk if by else None), digest
        held.save()
        trail.record(
            EventKind.RECIPIENT_NOTIFIED,
            actor=actor(by or worker()),
            object_kind=ObjectKind.RECIPIENT,
            object_ref=held.reference,
            request_ref=held.cause,
            counters={"attempt": held.attempts},
            plan_digest=digest,
            using=state_changes.alias(),
        )
    return True


# --- what people do about it ---------------------------------------------------------------------


def retry(notice: RecipientNotice, *, by: Account) -> RecipientNotice:
    """
    Have a notice sent by the next round, however often it failed.

    Raises:
        NotAllowed: The account may not carry erasures out.
        IllegalTransition: The recipient is told, or isn't to be told now, or nobody knows any more whom the
            notice is about.
    """
    actors.require(by, actors.EXECUTE, kind=ObjectKind.RECIPIENT.value)
    with transaction.atomic(using=state_changes.alias()):
        held = _open(notice)
        if held.sealed_person is None:
            raise IllegalTransition(
                say("Nobody knows any more whom notice {reference} is about.", reference=held.reference),
                hint="Tell the recipient by hand, and note that it is done.",
            )
        held.state, held.attempts, held.next_attempt_at = NoticeState.WAITING, 0, clock.now()
        held.save()
    return held


def confirm(notice: RecipientNotice, *, by: Account) -> RecipientNotice:
    """
    Note that a person told the recipient.

    Raises:
        NotAllowed: The account may not carry erasures out.
        IllegalTransition: The recipient is told already, or isn't to be told now.
    """
    actors.require(by, actors.EXECUTE, kind=ObjectKind.RECIPIENT.value)
    with transaction.atomic(using=state_changes.alias()):
        held = _open(notice)
        _inform(held, by=by)
        held.refresh_from_db()
    return held


def _open(notice: RecipientNotice) -> RecipientNotice:
    held = RecipientNotice.objects.select_for_update().get(pk=notice.pk)
    if held.state == NoticeState.INFORMED:
        raise IllegalTransition(
            say("The recipient of notice {reference} is told already.", reference=held.reference),
            hint="Nothing needs to be done.",
        )
    if held.state not in OPEN:
        raise IllegalTransition(
            say("Notice {reference} isn't to be sent now.", reference=held.reference),
            hint="It waits until a restriction is lifted, or there is nothing to tell.",
        )
    return held
