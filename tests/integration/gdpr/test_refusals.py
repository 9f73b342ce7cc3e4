"""Who is refused by the admin or the API stands in the audit trail, once, with what it was about."""

from __future__ import annotations

import pytest

from tests.fix_api import Served
from tests.fix_requests import PASSWORD, Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.integration

EVENTS = """
from accord.models import ActorReference, AuditEvent
def refused():
    found = AuditEvent.objects.filter(event="access.denied").order_by("seq")
    keys = dict(ActorReference.objects.values_list("ref", "key"))
    name = lambda ref: get_user_model().objects.get(pk=keys[ref]).get_username()
    return [[name(one.actor_ref), one.object_kind, one.object_ref, one.outcome] for one in found]
"""
IN_THE_ADMIN = (
    CLIENT
    + EVENTS
    + """
from django.db import connections
request = planned(1)
hold = holds.place_hold(request.subject_kind, "elsewhere", HoldReason.AUTHORITY, by=filer)
connections.settings["default"]["ATOMIC_REQUESTS"] = atomic
own, nobody = client("filer"), client("nobody")
answer = {"digest": request.plan_digest, "reason": "mine"}
own.get(page("erasurerequest_change", request))
looked = len(refused())
own.post(page("erasurerequest_approve", request), answer)
own.post(page("legalhold_release", hold))
closed = nobody.post(page("erasurerequest_approve", request), answer).status_code
say([looked, refused(), request.reference, hold.reference, closed, fresh(request).state])
"""
)
OVER_HTTP = (
    EVENTS
    + """
from django.db import connections
before = len(refused())
shown = planned(key)
connections.settings["default"]["ATOMIC_REQUESTS"] = atomic
own = approve("filer", shown)
none = send("nobody", f"erasure-requests/{shown['reference']}/resume/")
anonymous = send("", f"erasure-requests/{shown['reference']}/approve/", {})
wrong = approve("approver", shown, digest="0" * 64)
say([problem(own), problem(none), anonymous.status_code, wrong.status_code, refused()[before:],
     shown["reference"]])
"""
)


@pytest.mark.parametrize("atomic", [False, True], ids=["plain", "atomic-requests"])
def test_admin_puts_who_is_refused_on_record(erasing: Erasing, atomic: bool) -> None:
    """A page with greyed buttons refuses nobody; a decision about one's own, and a closed page, do."""
    looked, events, request, hold, closed, state = erasing.call(f"atomic = {atomic}\n{IN_THE_ADMIN}")

    assert (looked, closed, state) == (0, 403, "planned")
    assert events == [
        ["filer", "erasure_request", request, "refused"],
        ["filer", "hold", hold, "refused"],
        ["nobody", "page", "", "refused"],
    ]


@pytest.mark.parametrize("atomic", [False, True], ids=["plain", "atomic-requests"])
def test_api_puts_who_is_refused_on_record(served: Served, listener: int, atomic: bool) -> None:
    """Also where the project makes each request a transaction; who isn't signed in is nobody to name."""
    own, none, anonymous, wrong, events, reference = served.call(OVER_HTTP, key=listener, atomic=atomic)

    assert (own, none, anonymous, wrong) == ([403, "ACC-823"], [403, "ACC-824"], 401, 409)
    assert events == [
        ["filer", "erasure_request", reference, "refused"],
        ["nobody", "page", reference, "refused"],
    ]


SIGN_IN = f"""{CLIENT}
from accord.models import ActorReference, AuditEvent
login = reverse("admin:login")
def tried(name, password): return Client().post(login, {{"username": name, "password": password}}).status_code
codes = [tried("approver", "wrong"), tried("approver", "wrong again"), tried("mallory@example.com", "x"),
         tried("approver", "{PASSWORD}")]
found = AuditEvent.objects.filter(event="access.denied").order_by("seq")
whose = dict(ActorReference.objects.values_list("ref", "key"))
say([codes, [[one.actor_ref, one.object_kind, whose.get(one.object_ref)] for one in found], str(approver.pk)])
"""


def test_failed_sign_in_is_put_on_record_without_the_name_that_was_typed(erasing: Erasing) -> None:
    """With the account that somebody tried to be, once a minute; a name that nobody has may be a person's."""
    codes, events, approver = erasing.call(SIGN_IN)

    assert codes == [200, 200, 200, 302]
    assert events == [["", "page", approver], ["", "page", None]]
