"""
Accounts that nobody uses any more: their people are warned by mail, and then their erasure is asked for.

A warning is on record before its mail goes out, and counts once it is out. After a death in between it is
sent again with the same Message-ID; the day that counts is noted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.utils import DNS_NAME
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.utils import translation

from accord import clock, conf
from accord.acting import Account, working_for
from accord.audit.events import EventKind, ObjectKind
from accord.audit.trail import Act
from gdpr.datamap.inactive import Inactive
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import Key
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import actors, encryption, requests, state_changes
from gdpr.erasure.schedule import Stop, never
from gdpr.models import InactiveNotice
from gdpr.retention import running
from gdpr.retention.due import today
from gdpr.states import Channel, Ground, IdentityMethod, InactiveState
from gdpr.stores.base import every_row, model_of
from gdpr.stores.lapsing import beginning


@dataclass(frozen=True, kw_only=True)
class Followed:
    """
    What became of inactive people in a run.

    Attributes:
        warned: How many were warned.
        filed: For how many an erasure was asked for.
        returned: How many were seen again after their warning, or are gone by another way.
        waiting: Whose time is over while no account was named that may file a request.
        unsent: Whose warning could not be sent, or who have no address.
    """

    warned: int = 0
    filed: int = 0
    returned: int = 0
    waiting: int = 0
    unsent: int = 0


def follow(*, by: Account | None = None, wait: float = 0, stop: Stop = never) -> Followed | None:
    """
    Warn whoever has not been seen for long, and ask for the erasure of whoever was warned and stayed away.

    Args:
        by: Who files the requests; None warns, and leaves them for a run that has somebody.
        wait: Seconds to wait for another run.
        stop: Asked between two people.

    Returns:
        None where the data map says nothing of inactive people.

    Raises:
        LeaseHeld: Another run is under way.
        NotAllowed: The account may not file requests for others.
    """
    kinds = [(one, one.inactive) for one in load_data_map().subjects if one.inactive is not None]
    if not kinds:
        return None
    if by is not None:
        actors.require(by, actors.FILE)
    with running.leased(wait) as held, working_for(by):
        found, away = Counter[str](), set[str]()
        for subject, rule, keys in _every_unused(kinds):
            held.check()
            if stop():
                # Of whoever wasn't looked at nobody knows whether they came back.
                return Followed(**found)
            tag = encryption.tag_of(keys)
            away.add(tag)
            found[_follow_one(subject, rule, keys, tag, by)] += 1
        found["returned"] = _end_returned(away)
    del found[""]
    return Followed(**found)


def _every_unused(
    kinds: Iterable[tuple[Subject, Inactive]],
) -> Iterator[tuple[Subject, Inactive, SubjectKeys]]:
    for subject, rule in kinds:
        for keys in unused(subject, rule, today()):
            yield subject, rule, keys


def unused(subject: Subject, rule: Inactive, day: date) -> Iterator[SubjectKeys]:
    """
    Find the people none of whose accounts was used for as long as a rule says.

    Args:
        subject: The kind of person.
        rule: The rule.
        day: Today.
    """
    entry = load_data_map().entry(rule.entry)
    locator = entry.locator
    if not isinstance(locator, Key):
        return
    rows = every_row(model_of(entry), entry.store).filter(**locator.where).order_by()
    seen: dict[str, Any] = {"accord_seen": Max(Coalesce(rule.last_seen, rule.since))}
    grouped = rows.values_list(locator.field).annotate(**seen)
    for key, _ in grouped.filter(accord_seen__lt=_moment(rule.after.earlier(day))).order_by(locator.field):
        people = subject.people(str(key), locator.by or subject.key) if key not in (None, "") else []
        if len(people) == 1:
            yield people[0]


def _moment(day: date) -> datetime:
    moment = beginning(day)
    return moment if settings.USE_TZ else moment.replace(tzinfo=None)


def _follow_one(subject: Subject, rule: Inactive, keys: SubjectKeys, tag: str, by: Account | None) -> str:
    """Take a person one step further, and return which one in a word of :class:`Followed`."""
    notice = InactiveNotice.objects.filter(subject_tag=tag, state__in=InactiveNotice.OPEN).first()
    address = str(keys.alternates.get(rule.address, ""))
    if notice is None:
        if requests.open_request(keys) is not None:
            return ""
        if not address:
            return "unsent"
        notice = InactiveNotice.objects.create(
            subject_kind=keys.kind, subject_tag=tag, entered_at=clock.now()
        )
    if notice.state == InactiveState.SENDING:
        return "warned" if _warned(notice, subject, rule, keys, address) else "unsent"
    if notice.ask_on is None or today() <= notice.ask_on:
        return ""
    return "waiting" if by is None else _filed(notice, keys, by)


def _warned(
    notice: InactiveNotice, subject: Subject, rule: Inactive, keys: SubjectKeys, address: str
) -> bool:
    ask_on = rule.warn.later(today())
    try:
        _send(notice, address, ask_on, _language(subject, rule, keys))
    except (SMTPException, OSError):
        return False
    with transaction.atomic(using=state_changes.alias()):
        held = InactiveNotice.objects.select_for_update().get(pk=notice.pk)
        held.state, held.warned_on, held.ask_on = InactiveState.WARNED, today(), ask_on
        held.save()
        act = Act(
            event=EventKind.RETENTION_APPLIED, object_kind=ObjectKind.SUBJECT, object_ref=held.reference
        )
        state_changes.record([act])
    return True


def _send(notice: InactiveNotice, address: str, ask_on: date, language: str) -> None:
    with translation.override(language):
        text = render_to_string("gdpr/inactive.txt", {"project": conf.load().project, "day": ask_on})
    title, _, body = text.strip().partition("\n")
    message_id = f"<{notice.reference}@{DNS_NAME}>"
    EmailMessage(title, body.strip() + "\n", to=[address], headers={"Message-ID": message_id}).send()


def _language(subject: Subject, rule: Inactive, keys: SubjectKeys) -> str:
    if not rule.language:
        return settings.LANGUAGE_CODE
    rows = every_row(subject.model_class(), subject.database()).filter(**{subject.key: keys.primary})
    return str(rows.values_list(rule.language, flat=True).first() or settings.LANGUAGE_CODE)


def _filed(notice: InactiveNotice, keys: SubjectKeys, by: Account) -> str:
    requests.file_request(
        keys,
        by=by,
        channel=Channel.RETENTION,
        ground=Ground.NO_LONGER_NECESSARY,
        identity=IdentityMethod.STAFF,
        # A run that dies here finds its own request again.
        idempotency_key=f"inactive-{notice.reference}",
    )
    _end(notice, InactiveState.FILED)
    return "filed"


def _end_returned(away: set[str]) -> int:
    """End the notices of whoever isn't inactive any more: seen again, or gone."""
    back = [
        one
        for one in InactiveNotice.objects.filter(state__in=InactiveNotice.OPEN)
        if one.subject_tag not in away
    ]
    for one in back:
        _end(one, InactiveState.RETURNED)
    return len(back)


def _end(notice: InactiveNotice, state: InactiveState) -> None:
    InactiveNotice.objects.filter(pk=notice.pk, state__in=InactiveNotice.OPEN).update(
        state=state, ended_at=clock.now()
    )
