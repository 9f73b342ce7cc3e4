"""People's own pages: theirs alone, the password with what counts, and days of grace."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.integration

OWN = """
from datetime import timedelta
from django.apps import apps
from django.conf import settings
from gdpr.selfservice.people import person_of
settings.ACCORD = {**settings.ACCORD, "SELF_SERVICE_DAYS": 7}
person, friend = (apps.get_model("streaming.Listener").objects.get(pk=key) for key in (7, 8))
account = get_user_model().objects.create_user(person.email, password="of their own")
own = client(person.email)
def at(name, *more): return reverse(f"gdpr_self:{name}", args=more)
right, wrong = {"password": "of their own"}, {"password": "guessed"}
"""

SEEN = (
    OWN
    + """
anonymous = Client().get(at("status"))
nobody = client("filer").get(at("status"))
turned_on = settings.ACCORD
settings.ACCORD = {name: value for name, value in turned_on.items() if name != "SELF_SERVICE_DAYS"}
off = [one.get(at("status")).status_code for one in (own, Client())]
settings.ACCORD = turned_on
status, asked = own.get(at("status")), own.get(at("data"))
guessed, shown = own.post(at("data"), wrong), own.post(at("data"), right)
words = [
    phrase in text(own.get(at("status"), headers={"accept-language": language}))
    for language, phrase in (("de", "Ihre Daten bei uns"), ("fr", "Vos données chez nous"))
]
policy = status["Content-Security-Policy"]
say([anonymous.status_code, nobody.status_code, off, status.status_code, "script-src 'self'" in policy,
     person.email in text(asked) + text(guessed), "not your password" in text(guessed),
     person.email in text(shown), friend.email in text(shown), "<script" in text(status) + text(shown),
     words])
"""
)
TRAIL = "SELECT event FROM accord_auditevent WHERE event IN ('export.made', 'access.denied') ORDER BY seq"


def test_person_sees_what_is_kept_of_them_and_nobody_else(erasing: Erasing) -> None:
    """Signed in, with the password again; off unless it is turned on; strangers and staff see nothing."""
    assert erasing.call(CLIENT + SEEN) == [
        302, 404, [404, 404], 200, True, False, True, True, False, False, [True, True],
    ]  # fmt: skip
    assert erasing.rows(TRAIL) == [("access.denied",), ("export.made",)]


ASKED = (
    OWN
    + """
meant = {"sure": "on", "ground": "17(1)(b)"}
for unfit in ({"ground": "17(1)(b)", **right}, {**meant, **wrong}, {"sure": "on", **right}):
    own.post(at("erase"), unfit)
none = ErasureRequest.objects.count()
own.post(at("erase"), {**meant, **right})
request = ErasureRequest.objects.get()
filed = [request.channel, request.identity_method, request.filed_by_id == account.pk]
def refused(act):
    try:
        act()
    except Exception as exc:
        return exc.code
early = refused(lambda: planning.plan(request, by=filer))
waiting = text(own.get(at("status")))
stranger = client("filer").post(at("undo", request.reference)).status_code
other = get_user_model().objects.create_user(friend.email, password="x")
foreign = client(friend.email).post(at("undo", request.reference)).status_code
looked = own.get(at("undo", request.reference)).status_code
before = fresh(request).state
own.post(at("undo", request.reference))
undone = fresh(request).state
own.post(at("erase"), {**meant, **right})
again = ErasureRequest.objects.exclude(pk=request.pk).get()
settings.ACCORD = {**settings.ACCORD, "SELF_SERVICE_DAYS": 1e-9}
planning.plan(again, by=filer)
approvals.approve(fresh(again), by=approver, digest=fresh(again).plan_digest)
state = fresh(again).state
processing.process_due()
# The account went with the person: it signs nobody in any more.
late = own.post(at("undo", again.reference)).status_code
say([none, filed, early, "nothing happens before" in waiting, "Take it back" in waiting, stranger, foreign,
     looked, before, undone, state, late, fresh(again).state.startswith("completed"),
     fresh(request).sealed_keys is None])
"""
)


def test_erasure_waits_for_the_days_of_grace_and_is_taken_back(erasing: Erasing) -> None:
    """Nothing is planned before; only the person takes it back; afterwards it goes its way with four eyes."""
    assert erasing.call(CLIENT + ASKED) == [
        0, ["self", "account", True], "ACC-822", True, True, 404, 404, 405,
        "received", "cancelled", "approved", 302, True, True,
    ]  # fmt: skip
    # The test process says that tests run, so the other stores were test stores of its own.
    assert erasing.rows("SELECT email LIKE '%@erased.invalid' FROM streaming_listener WHERE id = 7") == [
        (True,)
    ]


RIGHTS = (
    OWN
    + """
for name in ("correct", "object"):
    own.post(at(name), {"words": "  No charts  ", **wrong})
    own.post(at(name), {"words": "  No charts  ", **right})
from gdpr.rights import requests as rights
filed = [[one.kind, one.channel, rights.asked(one).words] for one in RightsRequest.objects.order_by("pk")]
one, other = RightsRequest.objects.order_by("pk")
own.post(at("undo", one.reference))
rights.refuse(other, RightRefusal.COMPELLING, "why", by=filer)
late = own.post(at("undo", other.reference)).status_code
shown = text(own.get(at("status")))
say([filed, fresh(one).state, late, "refused" in shown, "withdrawn" in shown, "why" in shown])
"""
)


def test_correction_and_objection_are_filed_and_withdrawn(erasing: Erasing) -> None:
    """In the person's own words; what is answered can't be taken back, and no note of staff is shown."""
    assert erasing.call(CLIENT + RIGHTS) == [
        [["correction", "self", "No charts"], ["objection", "self", "No charts"]],
        "withdrawn", 404, True, True, False,
    ]  # fmt: skip


LINKS = (
    OWN
    + """
renamed = get_user_model().objects.create_user("somebody@else.example")
twice = apps.get_model("streaming.Listener").objects.filter(pk=8).update(email=person.email.upper())
several = person_of(account)
apps.get_model("streaming.Listener").objects.filter(pk=8).update(email="friend@else.example")
alone = person_of(account)
say([person_of(renamed), several, alone.primary])
"""
)


def test_account_of_nobody_and_of_several_leads_to_no_page(erasing: Erasing) -> None:
    """An address that two people have is nobody's own."""
    assert erasing.call(CLIENT + LINKS) == [None, None, 7]
