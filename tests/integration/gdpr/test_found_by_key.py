"""Staff find what is on record of a person by a key, which stands in the body of what they send alone."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.integration

FIND = """
import re
from django.contrib.auth.models import Permission
from gdpr.states import HoldReason
request = planned(3)
holds.place_hold(request.subject_kind, request.subject_tag, HoldReason.AUTHORITY, by=filer)
other = planned(4)
web = dict(method=ConsentMethod.CHECKBOX, channel="web")
notice = consent.publish_notice("newsletter", "1", "en", "We write to you once a month.")
consent.give(consent.someone("streaming.Listener", 3), notice, **web)
email, address = keys(3).alternates["email"], reverse("admin:gdpr_erasurerequest_person")
narrow_user = get_user_model().objects.create_user("narrow", is_staff=True)
narrow_user.user_permissions.set(Permission.objects.filter(codename="view_erasurerequest"))
own, nobody, narrow = client("filer"), client("nobody"), client("narrow")
def headings(answer): return re.findall(r'<h2 id="group-\\d+">([^<]+)', text(answer))
def told(answer): return [str(one) for one in answer.context["messages"]]
found = own.post(address, {"key": email})
from examples.streaming.models import Listener
Listener.objects.create(
    pk=4041, email="gone@example.org", country="FR", language="fr", joined_at="2020-01-01T00:00Z"
)
consent.give(consent.someone("streaming.Listener", 4041), notice, **web)
Listener.objects.filter(pk=4041).delete()
unknown = own.post(address, {"key": "no.such.person@example.com"})
never = own.post(address, {"key": "4242"})
of_nobody = own.post(address, {"key": "5"})
restrictions = reverse("admin:gdpr_restriction_changelist")
say([
    headings(found),
    [page("erasurerequest_change", one) in text(found) for one in (request, other)] + [email in text(found)],
    headings(narrow.post(address, {"key": "3"})),
    [headings(of_nobody), "is on record of this person" in text(of_nobody)],
    headings(own.post(address, {"key": "4041"})),
    [len(told(unknown)), "no.such.person" in "".join(told(unknown)), len(told(never))],
    [nobody.get(address).status_code, nobody.post(address, {"key": email}).status_code],
    address in text(own.get(reverse("admin:gdpr_legalhold_changelist"))),
    "Person suchen" in text(own.get(restrictions, headers={"accept-language": "de"})),
])
"""


def test_what_is_on_record_is_found_by_any_key(erasing: Erasing) -> None:
    """Of this person alone, of what an account may see; an erased one by the primary key; no key is told."""
    found, lines, narrow, nothing, erased, unknown, refused, *buttons = erasing.call(CLIENT + FIND)

    assert found == ["Erasure requests", "Legal holds", "Consent events"]
    assert lines == [True, False, False]
    assert narrow == ["Erasure requests"]
    assert nothing == [[], True]
    assert erased == ["Consent events"]
    assert unknown == [1, False, 1]
    assert refused == [403, 403]
    assert buttons == [True, True]
