"""Restrictions of processing in the admin, and letters from the page of what they are about."""

from __future__ import annotations

import pytest

from tests.fix_requests import PASSWORD, Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.integration

SETUP = """
from datetime import timedelta
from django.conf import settings
from django.core import mail
from django.utils import timezone
from accord.models import AuditEvent
person = get_user_model()._meta.apps.get_model("streaming.Listener").objects.get(pk=1)
made, listed = reverse("admin:gdpr_restriction_restrict"), reverse("admin:gdpr_restriction_changelist")
body = {"key": person.email, "reason": "18(1)(a)"}
staff, stranger = client("filer"), client("nobody")
def events(*kinds):
    found = AuditEvent.objects.filter(event__in=kinds).order_by("seq")
    return list(found.values_list("event", "outcome"))
def today(): return timezone.localdate().isoformat()
"""

LIFE = """
waiting = planned(1)
refused = [one.status_code for one in (stranger.get(made), stranger.post(made, body), stranger.get(listed))]
refused.append(Restriction.objects.count())
unsaid = [words in text(staff.post(made, {**body, **more})) for more, words in (
    ({"reason": ""}, "This field is required"), ({"key": "nobody@example.com"}, "has this key"))]
done = staff.post(made, body, follow=True)
one = Restriction.objects.get()
stopped = fresh(waiting).state
shown = text(done)
lifting = page("restriction_lift", one)
foreign = stranger.post(lifting, {"told_on": today()}).status_code
ahead = (timezone.localdate() + timedelta(days=2)).isoformat()
untold = [text(staff.post(lifting, {"told_on": told}, follow=True)) for told in ("", ahead)]
still = fresh(one).lifted_at
looked = [staff.get(lifting).status_code, fresh(one).lifted_at]
staff.post(lifting, {"told_on": today()})
again = text(staff.post(lifting, {"told_on": today()}, follow=True))
say([refused, unsaid, stopped, "accuracy contested" in shown, person.email in shown + text(staff.get(listed)),
     person.email in done.request["PATH_INFO"], foreign,
     ["is required" in untold[0], "has to be told before" in untold[1]], still, looked,
     fresh(one).lifted_at is not None, fresh(waiting).state, "is lifted already" in again,
     "../lift/" in text(staff.get(page("restriction_change", one))),
     events("subject.restricted", "subject.released"), len(events("access.denied"))])
"""

PROVED = """
here = settings.ACCORD["ENVIRONMENT"]
settings.ACCORD = {**settings.ACCORD, "POLICY": {"proof": {"environments": [here]}}}
wrong = text(staff.post(made, {**body, "own_password": "guessed"}))
none = Restriction.objects.count()
staff.post(made, {**body, "own_password": PASSWORD})
one = Restriction.objects.get()
lifting = page("restriction_lift", one)
staff.post(lifting, {"told_on": today()})
unproved = fresh(one).lifted_at
staff.post(lifting, {"told_on": today(), "own_password": PASSWORD})
say(["That is not your password." in wrong, none, unproved, fresh(one).lifted_at is not None])
"""

LETTERS = """
settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
mail.outbox = []
open_one, refused = planned(2), planned(3)
requests.reject(refused, RejectionGround.LEGAL_CLAIMS, by=approver)
staff.post(made, body)
restriction = Restriction.objects.get()
def offered(name, one): return "../letter/" in text(staff.get(page(name + "_change", one)))
buttons = [offered("erasurerequest", open_one), offered("erasurerequest", refused),
           offered("restriction", restriction)]
planned_words = ["What was planned" in text(staff.get(page("erasurerequest_change", one)))
                 for one in (open_one, refused)]
address = page("erasurerequest_letter", refused)
looked = [staff.get(address).status_code, events("letter.made")]
unanswered = staff.post(address, {"kind": "refusal"}).content.count(b"errorlist")
wrong = staff.post(address, {"kind": "extension", "language": "de"}).content.count(b"errorlist")
german = text(staff.post(address, {"kind": "refusal", "language": "de"}))
foreign = stranger.post(address, {"kind": "refusal", "language": "de"}).status_code
sent = staff.post(page("restriction_letter", restriction),
                  {"kind": "lifting", "language": "fr", "to": "ada@example.org"})
[posted] = mail.outbox
settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
lost = text(staff.post(address, {"kind": "refusal", "language": "en", "to": "ada@example.org"}))
say([planned_words, buttons, looked, unanswered, wrong, "Aufsichtsbehörde" in german, foreign, posted.to,
     "limitation" in posted.body, "ada@example.org" in text(sent),
     ["was not taken by the mail server" in lost, "data protection authority" in lost],
     [kind for kind, _ in events("letter.made", "letter.sent")]])
"""

DENIED = """
from django.contrib.auth.models import Permission
requests.reject(planned(4), RejectionGround.LEGAL_CLAIMS, by=approver)
seer = get_user_model().objects.get(username="nobody")
seer.user_permissions.set(Permission.objects.filter(codename="view_erasurerequest"))
one = ErasureRequest.objects.get()
hindered = "lacks the permission" in text(client("nobody").get(page("erasurerequest_change", one)))
answer = client("nobody").post(page("erasurerequest_letter", one), {"kind": "refusal", "language": "en"})
say([hindered, answer.status_code, events("letter.made"), len(events("access.denied"))])
"""


def test_restriction_is_put_on_record_and_lifted_once_the_person_was_told(erasing: Erasing) -> None:
    """As at the command line: it stops what waits, names nobody, and ends after the day that is given."""
    told = erasing.call(CLIENT + SETUP + LIFE)
    refused, unsaid, stopped, reason, named, in_address, foreign, untold, still, looked = told[:10]
    lifted, resumed, again, offered, events, denied = told[10:]

    assert refused == [403, 403, 403, 0]
    assert unsaid == [True, True]
    assert (stopped, reason, named, in_address) == ("blocked_hold", True, False, False)
    assert (foreign, untold, still, looked) == (403, [True, True], None, [200, None])
    assert (lifted, resumed, again, offered) == (True, "planned", True, False)
    assert events == [["subject.restricted", "done"], ["subject.released", "done"]]
    assert denied == 1, "the same refusal is noted once a minute"


@pytest.mark.by_turns(3)
def test_restriction_asks_for_the_password_where_the_policy_does(erasing: Erasing) -> None:
    """To put it on record, and to lift it, as the command does there."""
    code = CLIENT + SETUP + PROVED.replace("PASSWORD", repr(PASSWORD))

    assert erasing.call(code) == [True, 0, None, True]


def test_letter_is_written_and_sent_from_the_page_of_what_it_is_about(erasing: Erasing) -> None:
    """Only where there is something to tell; what is sent is shown all the same, and no address is kept."""
    told = erasing.call(CLIENT + SETUP + LETTERS)
    planned, buttons, looked, unanswered, wrong, german = told[:6]
    foreign, to, french, echoed, lost, events = told[6:]

    assert planned == [False, True], "nothing will happen any more where it was refused"
    assert buttons == [False, True, True]
    assert looked == [200, []]
    assert (unanswered, wrong, german, foreign) == (1, 1, True, 403)
    assert (to, french, echoed) == (["ada@example.org"], True, False)
    assert lost == [True, True]
    assert events == ["letter.made", "letter.made", "letter.sent", "letter.made"]


@pytest.mark.by_turns(3)
def test_letter_needs_more_than_seeing_the_request(erasing: Erasing) -> None:
    """The button says which permission; whoever sends the form all the same leaves an event."""
    assert erasing.call(CLIENT + SETUP + DENIED) == [True, 302, [], 1]
