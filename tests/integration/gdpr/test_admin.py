"""Erasures in the admin, asked by Django's client of the sample project on its real stores."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.integration

CLIENT = """
from django.conf import settings
from django.test import Client
from django.urls import reverse
settings.ALLOWED_HOSTS = ["testserver"]
def client(name):
    found = Client()
    found.force_login(get_user_model().objects.get(username=name))
    return found
def page(name, object, *more): return reverse(f"admin:gdpr_{name}", args=[object.pk, *more])
def text(answer): return answer.content.decode()
def fresh(object): return type(object).objects.get(pk=object.pk)
"""

OWN = """
request = planned(1)
own = client("filer")
shown = text(own.get(page("erasurerequest_change", request)))
sent = own.post(
    page("erasurerequest_approve", request), {"digest": request.plan_digest, "reason": "mine"}, follow=True
)
said = "another person has to decide"
# A message says it, besides the greyed button.
again = text(own.get(page("erasurerequest_change", request)))
say(["../approve/" in shown, said in shown, text(sent).count(said) > again.count(said),
     fresh(request).state, request.approvals.count()])
"""

SECOND = """
request = planned(2)
second = client("approver")
shown = text(second.get(page("erasurerequest_change", request)))
address = page("erasurerequest_approve", request)
asked = second.get(address, {"digest": request.plan_digest})
after_get = fresh(request).state
unreasoned = second.post(address, {"digest": request.plan_digest})
stale = second.post(address, {"digest": "0" * 64, "reason": "seen"}, follow=True)
after_stale = fresh(request).state
done = second.post(address, {"digest": request.plan_digest, "reason": "seen"}, follow=True)
approval = request.approvals.get()
say([f"../approve/?digest={request.plan_digest}" in shown, asked.status_code, after_get,
     "required" in text(unreasoned), "not the one that you saw" in text(stale), after_stale,
     fresh(request).state, sealing.unseal(approval.sealed_reason), approval.decided_by_id == approver.pk,
     "erasure approved" in text(done).lower()])
"""

CHANGED = """
request = approved(3)
planning.plan(request)
shown = text(client("approver").get(page("erasurerequest_change", request)))
say([fresh(request).state, request.approvals.filter(voided_at=None).count(), "../approve/" in shown])
"""

SEEN = """
request = begun(4)
erasure.work(request)
receipt = receipts.latest(request)
hold = holds.place_hold(request.subject_kind, "elsewhere", HoldReason.AUTHORITY, by=filer)
notice = consent.publish_notice("newsletter", "1", "en", "Words")
who = consent.someone("streaming.Listener", 4)
event = consent.give(who, notice, method=ConsentMethod.CHECKBOX, channel="web")
lists = ["erasurerequest", "receipt", "legalhold", "consentevent"]
addresses = [reverse(f"admin:gdpr_{name}_changelist") for name in lists] + [
    reverse("admin:gdpr_erasurerequest_changelist") + "?due=over",
    reverse("admin:gdpr_erasurerequest_changelist") + "?q=" + request.reference[:6],
    page("erasurerequest_change", request), page("receipt_change", receipt), page("receipt_print", receipt),
    page("receipt_json", receipt), page("legalhold_change", hold), page("legalhold_release", hold),
    page("consentevent_change", event), page("erasurerequest_hold", request)]
def asked(name):
    found = client(name)
    return [found.get(address).status_code for address in addresses]
filer_says, nobody_says = asked("filer"), asked("nobody")
changes = [reverse(f"admin:gdpr_{name}_add") for name in lists] + [
    page("erasurerequest_delete", request), page("legalhold_delete", hold),
    page("consentevent_delete", event)]
root = get_user_model().objects.create_superuser("root")
refused = [client("root").get(address).status_code for address in changes]
own = client("filer")
say([filer_says, nobody_says, refused,
     "signature holds" in text(own.get(page("receipt_change", receipt))),
     receipts.verify_receipt(own.get(page("receipt_json", receipt)).json()),
     "of " in text(own.get(page("erasurerequest_change", request)))])
"""

HOLDS = """
request = planned(5)
own, other = client("filer"), client("approver")
own.post(page("erasurerequest_hold", request), {"reason": HoldReason.LEGAL_CLAIMS, "entry": ""})
held = fresh(request).state
hold = LegalHold.objects.get()
same = own.post(page("legalhold_release", hold), follow=True)
still = fresh(hold).released_at
other.get(page("legalhold_release", hold))
looked = fresh(hold).released_at
other.post(page("legalhold_release", hold))
resumed = fresh(request).state
own.post(page("erasurerequest_reject", request), {"ground": RejectionGround.LEGAL_CLAIMS, "reason": "no"})
unrejected = fresh(request).state
other.post(page("erasurerequest_reject", request), {"ground": RejectionGround.LEGAL_CLAIMS, "reason": "no"})
say([held, "another person has to release" in text(same), still, looked, resumed, unrejected,
     fresh(request).state])
"""

FENCED = """
from accord.errors import IllegalTransition
request = begun(6)
holds.place_hold(request.subject_kind, request.subject_tag, HoldReason.AUTHORITY, by=filer)
request = fresh(request)
shown = text(client("approver").get(page("erasurerequest_change", request)))
answer = client("approver").post(
    page("erasurerequest_reject", request), {"ground": RejectionGround.LEGAL_CLAIMS, "reason": "no"},
    follow=True,
)
say(["../reject/" in shown, "the erasure has begun" in text(answer), fresh(request).state])
"""


def test_nobody_approves_their_own_request(erasing: Erasing) -> None:
    """The button is no link and says why; a forged POST is refused by the service."""
    offered, explained, refused, state, approvals = erasing.call(CLIENT + OWN)

    assert not offered
    assert explained
    assert refused
    assert (state, approvals) == ("planned", 0)


def test_second_person_approves_the_plan_that_they_saw(erasing: Erasing) -> None:
    """A GET decides nothing, a reason is needed, and another digest than the plan's is refused."""
    offered, asked, after_get, unreasoned, stale, after_stale, state, reason, by_other, audited = (
        erasing.call(CLIENT + SECOND)
    )

    assert offered
    assert (asked, after_get) == (200, "planned")
    assert unreasoned
    assert stale
    assert after_stale == "planned"
    assert (state, reason, by_other) == ("approved", "seen", True)
    assert audited


def test_new_plan_asks_for_approval_again(erasing: Erasing) -> None:
    """What was approved is void once it is planned anew, and the button is there again."""
    state, standing, offered = erasing.call(CLIENT + CHANGED)

    assert (state, standing) == ("planned", 0)
    assert offered


def test_pages_are_for_staff_with_permission_and_read_only(erasing: Erasing) -> None:
    """Every page answers those who may see it, nobody else; not even a superuser adds or deletes."""
    allowed, forbidden, changes, holds, signer, stepped = erasing.call(CLIENT + SEEN)

    assert set(allowed) == {200}
    assert set(forbidden) == {403}
    assert set(changes) == {403}
    assert holds
    assert signer == "self"
    assert stepped


def test_hold_is_released_and_request_rejected_by_another_person(erasing: Erasing) -> None:
    """Whoever placed or filed is refused; a GET releases nothing."""
    held, explained, still, looked, resumed, unrejected, rejected = erasing.call(CLIENT + HOLDS)

    assert held == "blocked_hold"
    assert explained
    assert still is None
    assert looked is None
    assert (resumed, unrejected, rejected) == ("planned", "planned", "rejected")


def test_held_erasure_that_has_begun_is_not_rejected(erasing: Erasing) -> None:
    """What is erased can't be brought back; a hold in between doesn't open a way out."""
    offered, explained, state = erasing.call(CLIENT + FENCED)

    assert not offered
    assert explained
    assert state == "blocked_hold"
