"""Recipients are told of corrections and restrictions, too, if they got data of the person."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.test_recipients import DECLARE, SECRET, Recipient, email, recipient, told
from tests.fix_requests import PRELUDE, Erasing

__all__ = ["recipient"]
pytestmark = pytest.mark.acceptance

ALSO = """
from accord.errors import AccordError
from gdpr.erasure import restrictions
from gdpr.rights import requests as rights
from examples.streaming.models import Listener, Subscription
def free():
    # Somebody who pays for nothing: the tax office got nothing of them.
    return Listener.objects.exclude(pk__in=Subscription.objects.values("listener")).order_by("pk")[0].pk
def code(act):
    try: act()
    except AccordError as exc: return exc.code
    return "done"
def restricted(key): return restrictions.restrict(keys(key), RestrictionReason.CONTESTED, by=filer)
def lifted(one): return restrictions.lift(one, told_at=one.restricted_at, by=filer)
def states(recipient="newsletter", **which):
    found = RecipientNotice.objects.filter(recipient=recipient, **which).order_by("pk")
    return [[n.kind, n.state, n.sealed_person is None] for n in found]
"""

RESTRICTED = (
    ALSO
    + """
key = free()
one = restricted(key)
entered = states()
again = restricted(key).pk == one.pk and states() == entered
deliver()
kept = states()
notice = RecipientNotice.objects.get(kind="lifting", recipient="newsletter")
early = [code(lambda: delivery.retry(notice, by=filer)), code(lambda: delivery.confirm(notice, by=filer))]
lifted(one)
deliver()
request_keys.destroy_ended()
say([Listener.objects.get(pk=key).email, entered, again, kept, early, states(), states("tax"),
     RequestKey.objects.count()])
"""
)

CORRECTED = (
    ALSO
    + """
def filed(key, kind): return rights.file(keys(key), kind, words="I moved", by=filer, channel=Channel.COMMAND)
def entered(one): return RecipientNotice.objects.filter(cause=one.reference).count() > 0
right, refused = filed(1, RightKind.CORRECTION), filed(2, RightKind.CORRECTION)
other = filed(1, RightKind.OBJECTION)
before = entered(right)
rights.answer(right, "the address is new", by=approver)
rights.answer(other, "no more letters", by=approver)
rights.refuse(refused, RightRefusal.ACCURATE, "it is right", by=approver)
person = get_user_model()._meta.apps.get_model("streaming.Listener").objects.get(pk=1)
person.email = "new@example.org"
person.save()
say([before, [entered(one) for one in (right, other, refused)], deliver(), states()])
"""
)

ERASED = (
    ALSO
    + """
one = restricted(1)
deliver()
later = states(kind="lifting")
request = done(1)
forgotten = states(kind="lifting")
lifted(one)
sent = deliver()
say([later, request.state, forgotten, states(kind="lifting"), states(kind="erasure"), sent])
"""
)

AWAY = (
    ALSO
    + """
from gdpr.notices import concern
from accord.errors import StoreUnavailable
asked, away = concern.planning.draft, []
def silent(*a, **k):
    if not away: return asked(*a, **k)
    raise StoreUnavailable("mongodb")
concern.planning.draft = silent
away.append(True)
restricted(2)
first = deliver()
away.clear()
hurry()
say([first[1], deliver(), states(kind="restriction")])
"""
)


def test_who_got_data_is_told_of_a_restriction_and_of_its_end(erasing: Erasing, recipient: Recipient) -> None:
    """Once each; the end only once it is lifted, and nothing leads to the person afterwards."""
    address, entered, again, kept, early, after, others, keys = told(erasing, recipient.url, RESTRICTED)

    assert entered == [["restriction", "waiting", False], ["lifting", "later", False]]
    assert again
    assert kept == [["restriction", "informed", True], ["lifting", "later", False]]
    assert early == ["ACC-822"] * 2
    assert after == [["restriction", "informed", True], ["lifting", "informed", True]]
    assert others == [["restriction", "needless", True], ["lifting", "needless", True]]
    assert keys == 0
    posts = [json.loads(body) for _headers, body in recipient.posts]
    assert [(post["recipient"], post["kind"]) for post in posts] == [
        ("newsletter", "restriction"),
        ("newsletter", "lifting"),
    ]
    assert all(set(post["person"]) == {"key", "values", "salt"} for post in posts)
    assert [post["person"]["values"] for post in posts] == [[address]] * 2


def test_who_got_data_is_told_of_a_correction_by_the_key_that_they_know(
    erasing: Erasing, recipient: Recipient
) -> None:
    """Of a correction that was carried out, and of no objection or refusal; the key is that of before."""
    address = email(erasing, 1)

    before, entered, _sent, states = told(erasing, recipient.url, CORRECTED)

    assert (before, entered) == (False, [True, False, False])
    assert states == [["rectification", "informed", True]]
    [post] = [
        one
        for one in map(json.loads, (body for _h, body in recipient.posts))
        if one["recipient"] == "newsletter"
    ]
    assert (post["kind"], post["person"]["values"]) == ("rectification", [address])


@pytest.mark.by_turns(3)
def test_end_of_a_restriction_leads_to_nobody_who_is_erased(erasing: Erasing, recipient: Recipient) -> None:
    """The recipient is told of the erasure; who the other notice would have been about is destroyed."""
    later, state, forgotten, after, erased, sent = told(erasing, recipient.url, ERASED)

    assert later == [["lifting", "later", False]]
    assert state in ("completed", "completed_with_retention")
    assert forgotten == after == [["lifting", "needless", True]]
    assert erased == [["erasure", "informed", True]]
    assert sent == [1, [], []]


@pytest.mark.by_turns(3)
def test_restriction_waits_for_no_store_and_its_notice_does(erasing: Erasing, recipient: Recipient) -> None:
    """A store that is away is asked again later, whether the recipient got data of the person."""
    first, second, states = told(erasing, recipient.url, AWAY)

    assert set(first) == {"store"}
    assert second[0] >= 1
    assert states == [["restriction", "informed", True]]


@pytest.mark.by_turns(3)
def test_restriction_that_is_killed_leaves_no_notice(erasing: Erasing, recipient: Recipient) -> None:
    """The notices come and go with the restriction that they tell of."""
    code = DECLARE.format(url=recipient.url, secret=SECRET) + ALSO
    killed = "import os\nrestrictions._record = lambda *a: os._exit(9)\nrestricted(1)"
    assert erasing.project.run("-c", PRELUDE + code + killed, program=()).returncode == 9

    assert erasing.rows("SELECT count(*) FROM gdpr_recipientnotice") == [(0,)]
    assert erasing.call(code + "restricted(1)\nsay(len(states()))") == 2
