"""Inactive people are warned once, in their language; of who stays away, the erasure is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_requests import Erasing

pytestmark = [pytest.mark.acceptance]

FOLLOW = """
from datetime import timedelta
from smtplib import SMTPException
from unittest import mock
from django.core import mail
from django.test import override_settings
from django.utils import timezone
from examples.streaming.models import Listener
from gdpr.models import InactiveNotice
from gdpr.retention import inactivity
User, away = get_user_model(), timezone.now() - timedelta(days=1200)
def account(key, **fields):
    person = Listener.objects.get(pk=key)
    return User.objects.create(username=person.email, date_joined=away, **fields)
def states(): return sorted(InactiveNotice.objects.values_list("state", flat=True))
def follow(**options):
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        done = inactivity.follow(**options)
    return [done.warned, done.filed, done.returned, done.waiting, done.unsent]
def days_later(): InactiveNotice.objects.filter(state="warned").update(ask_on="2001-01-01")
mail.outbox = []
"""
STORY = """
Listener.objects.filter(pk=1).update(language="de")
Listener.objects.filter(pk=2).update(language="fr")
stays, back = account(1), account(2, last_login=away)
account(3, last_login=timezone.now()), account(4)
requests.file_request(keys(4), by=filer, channel=Channel.ADMIN)
said = [follow()]
letters = [[one.to == [one_address], one.subject, one.body] for one, one_address in zip(
    sorted(mail.outbox, key=lambda one: one.subject), [stays.username, back.username])]
said += [follow(), states(), len(mail.outbox)]
User.objects.filter(pk=back.pk).update(last_login=timezone.now())
days_later()
said += [follow(), states(), follow(by=filer), follow(by=filer), states()]
filed = ErasureRequest.objects.get(channel="retention")
said += [[filed.ground, filed.state, encryption.keys_of(filed).primary, filed.filed_by_id == filer.pk]]
say([letters, said])
"""
DEATH = """
account(1)
sent = []
class Dead(BaseException): pass
with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
    day = inactivity.today()
    with mock.patch("gdpr.retention.inactivity.today", side_effect=[day, day, Dead]):
        try: inactivity.follow()
        except Dead: pass
said = [states(), len(mail.outbox)]
said += [follow(), states(), len(mail.outbox), len({one.extra_headers["Message-ID"] for one in mail.outbox})]
account(5)
with mock.patch("django.core.mail.EmailMessage.send", side_effect=SMTPException):
    said += [follow(), states()]
said += [follow(), states()]
days_later()
with mock.patch("gdpr.retention.inactivity._end", side_effect=Dead):
    try: follow(by=filer)
    except Dead: pass
said += [ErasureRequest.objects.count(), follow(by=filer), ErasureRequest.objects.count(), states()]
say(said)
"""


def test_warned_once_and_then_asked_for_unless_they_come_back(erasing: Erasing) -> None:
    """
    Two are warned in their languages, once; one signs in; of the other the erasure is asked for, once.

    Whoever was seen, and whoever has a request already, hears nothing; without an account nothing is filed.
    """
    letters, said = erasing.call(FOLLOW + STORY)

    (to_german, title, body), (to_french, titre, corps) = letters
    assert to_german
    assert to_french
    assert title.startswith("Ihr Konto bei ")
    assert "melden Sie sich bis zum" in body
    assert titre.startswith("Votre compte chez ")
    assert "connectez-vous" in corps
    first, again, warned, letters_sent, back, one_left, filed, over, ended, request = said
    assert (first, again, warned, letters_sent) == ([2, 0, 0, 0, 0], [0] * 5, ["warned", "warned"], 2)
    assert (back, one_left) == ([0, 0, 1, 1, 0], ["returned", "warned"])
    assert (filed, over, ended) == ([0, 1, 0, 0, 0], [0] * 5, ["filed", "returned"])
    assert request == ["17(1)(a)", "received", 1, True]


def test_death_and_a_mail_server_that_is_away_lose_nobody(erasing: Erasing) -> None:
    """A warning that nobody knows to be out goes again as the same message; a request is filed once."""
    said: list[Any] = erasing.call(FOLLOW + DEATH)

    assert said[:2] == [["sending"], 1]
    assert said[2:6] == [[1, 0, 0, 0, 0], ["warned"], 2, 1]
    assert said[6:10] == [[0, 0, 0, 0, 1], ["sending", "warned"], [1, 0, 0, 0, 0], ["warned", "warned"]]
    assert said[10:] == [1, [0, 2, 0, 0, 0], 2, ["filed", "filed"]]
