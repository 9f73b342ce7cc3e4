"""Erasures in the admin, asked by Django's client of the sample project on its real stores."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.integration

CLIENT = """
from django.test import Client
from django.test.utils import setup_test_environment
from django.urls import reverse
# Answers carry the context of their templates then.
setup_test_environment()
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
import re
request = planned(2)
second = client("approver")
shown = text(second.get(page("erasurerequest_change", request)))
address = page("erasurerequest_approve", request)
asked = second.get(address, {"digest": request.plan_digest})
lines = request.plans.get().document["entries"]
sums = [sum(line[name] for line in lines) for name in ("delete", "anonymise", "keep")]
beside = text(asked).partition('type="submit" class="default"')[2]
spoken = [
    words.format(*sums)
    in text(second.get(address, {"digest": request.plan_digest}, headers={"accept-language": language}))
    for language, words in (
        ("de", "Löschen {}, anonymisieren {}, behalten {}"),
        ("fr", "Supprimer {}, anonymiser {}, conserver {}"),
    )
]
other_plan = "anonymise" in text(second.get(address, {"digest": "0" * 64})).partition("submit-row")[2]
after_get = fresh(request).state
unreasoned = second.post(address, {"digest": request.plan_digest})
stale = second.post(address, {"digest": "0" * 64, "reason": "seen"}, follow=True)
after_stale = fresh(request).state
done = second.post(address, {"digest": request.plan_digest, "reason": "seen"}, follow=True)
approval = request.approvals.get()
say([f"../approve/?digest={request.plan_digest}" in shown, asked.status_code, after_get,
     "required" in text(unreasoned), "not the one that you saw" in text(stale), after_stale,
     fresh(request).state, sealing.unseal(approval.sealed_reason), approval.decided_by_id == approver.pk,
     "erasure approved" in text(done).lower(),
     sum(sums) > 0, "Delete {}, anonymise {}, keep {}".format(*sums) in beside, spoken, other_plan])
"""

CHANGED = """
request = approved(3)
planning.plan(request)
shown = text(client("approver").get(page("erasurerequest_change", request)))
say([fresh(request).state, request.approvals.filter(voided_at=None).count(), "../approve/" in shown])
"""

SEEN = """
notice = consent.publish_notice("newsletter", "1", "en", "Words")
who = consent.someone("streaming.Listener", 4)
event = consent.give(who, notice, method=ConsentMethod.CHECKBOX, channel="web")
request = begun(4)
erasure.work(request)
receipt = receipts.latest(request)
hold = holds.place_hold(request.subject_kind, "elsewhere", HoldReason.AUTHORITY, by=filer)
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
root = get_user_model().objects.create_superuser("super")
refused = [client("super").get(address).status_code for address in changes]
own = client("filer")
say([filer_says, nobody_says, refused,
     "signature holds" in text(own.get(page("receipt_change", receipt))),
     receipts.verify_receipt(own.get(page("receipt_json", receipt)).json()),
     "of " in text(own.get(page("erasurerequest_change", request)))])
"""

HOLDS = """
request = planned(5)
own, other = client("filer"), client("approver")
own.post(page("erasurerequest_hold", request), {"reason": HoldReason.LEGAL_CLAIMS, "entry": "*"})
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
from gdpr.errors import IllegalTransition
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

ASKED = """
from accord.models import AuditEvent
request = requests.file_request(keys(7), by=filer, channel=Channel.ADMIN)
own, other = client("filer"), client("approver")
early = text(own.get(page("erasurerequest_plan", request)))
def post(who, act, **answer): who.post(page(f"erasurerequest_{act}", request), answer); return fresh(request)
unplanned = post(own, "plan").state
settled = post(own, "identity", method=IdentityMethod.ONE_TIME_CODE).identity_method
states = [post(own, "plan").state]
own.get(page("erasurerequest_ask", request))
looked = fresh(request).state
asked = post(other, "ask")
states += [asked.state, post(own, "identity", method=IdentityMethod.DOCUMENT).state, post(own, "plan").state]
before = fresh(request).due_at
extended = post(own, "extend", reason=ExtensionReason.COMPLEXITY)
again = text(own.get(page("erasurerequest_extend", request)))
states += [post(own, "cancel").state]
events = list(AuditEvent.objects.filter(request_ref=request.reference, event="erasure.needs_input")
    .values_list("actor_kind", flat=True))
say(["settled first" in early, unplanned, settled, looked, asked.identity_method, states,
     (extended.due_at - before).days > 55, "allows it once" in again, events])
"""

CARRIED = """
request = begun(8)
request.steps.filter(entry="playlists").update(state=StepState.MANUAL)
rested = erasure.work(request)
own = client("filer")
offered = text(own.get(page("erasurerequest_change", request)))
own.post(page("erasurerequest_confirm", request), {"entry": "playlists"})
confirmed = fresh(request).state
erasure.work(fresh(request))
request = fresh(request)
completed = request.state
refused = client("nobody").post(page("erasurerequest_verify", request)).status_code
said = text(own.post(page("erasurerequest_verify", request), follow=True))
closed_before = request.closed_at
verification.verify_again(request)
late = text(own.get(page("erasurerequest_verify", request)))
say([rested.state, "../confirm/" in offered, "../retry/" in offered, confirmed, completed, refused,
     "nothing is left that should be gone" in said, closed_before, "the person are destroyed" in late])
"""

RETRIED = """
request = begun(9)
request.steps.filter(entry="playlists").update(state=StepState.FAILED, failures=12)
rested = erasure.work(request).state
own = client("filer")
own.get(page("erasurerequest_retry", request))
looked = fresh(request).state
own.post(page("erasurerequest_retry", request))
say([rested, looked, fresh(request).state, request.steps.filter(state=StepState.FAILED).count()])
"""

TILES = """
from datetime import timedelta
from django.utils import timezone
def file(key, days): return requests.file_request(
    keys(key), by=filer, channel=Channel.ADMIN, received_at=timezone.now() - timedelta(days=days),
    identity=IdentityMethod.STAFF)
late, soon, new = file(1, 40), file(2, 27), file(3, 0)
planning.plan(new)
address = reverse("admin:gdpr_erasurerequest_changelist")
def counts(name):
    tiles = client(name).get(address).context["tiles"]
    return {tile["link"]: tile["count"] for tile in tiles}
def listed(name, query):
    found = client(name).get(address + query).context["cl"].queryset
    return sorted(one.pk for one in found)
links = counts("approver")
say([counts("filer"), links, {link: len(listed("approver", link)) for link in links},
     listed("approver", "?waiting=mine") == [new.pk], listed("approver", "?due=over") == [late.pk]])
"""

WAITING = """
import os
from dataclasses import replace
from datetime import UTC, datetime
from unittest import mock
from pymongo import MongoClient
from accord.models import AuditEvent
from gdpr.erasure import policy
from gdpr.retention import running
strict = mock.patch.object(policy, "load", return_value=replace(policy.load(), retention_approval=0.0))
strict.start()
# Since the environment of tests is set up, MongoDB's store has the database of tests.
own_database = MongoClient(os.environ["MONGODB_URL"]).get_default_database().name
plays = MongoClient(os.environ["MONGODB_URL"])[f"test_{own_database}"]["plays"]
plays.insert_one({"listener_id": 1, "track_id": 1, "played_at": datetime(2001, 5, 1, tzinfo=UTC)})
first = running.let_go(by=filer).waiting
overview = reverse("admin:gdpr_retentionrun_changelist")
own, other, nobody = client("filer"), client("approver"), client("nobody")
address = page("retentionplan_change", first)
"""

DECIDED = (
    WAITING
    + """
listed = text(own.get(overview))
said = "another person has to decide"
mine = text(own.get(address))
sent = text(own.post(page("retentionplan_approve", first), follow=True))
denied = AuditEvent.objects.filter(event="access.denied", object_ref=first.reference).count()
other.get(page("retentionplan_approve", first))
looked = fresh(first).state
blank = other.post(page("retentionplan_reject", first), {"reason": ""})
unreasoned = fresh(first).state
other.post(page("retentionplan_reject", first), {"reason": "the court asks for it"})
rejected = fresh(first)
second = running.let_go().waiting
shown = {
    language: text(other.get(page("retentionplan_change", second), headers={"accept-language": language}))
    for language in ("en", "fr", "de")
}
done = text(other.post(page("retentionplan_approve", second), follow=True))
over = text(other.post(page("retentionplan_approve", second), follow=True))
[gone] = running.let_go().done
say([address in listed, [said in mine, sent.count(said) > mine.count(said), denied], looked,
     [blank.status_code, unreasoned], [rejected.state, sealing.unseal(rejected.sealed_reason)],
     ["10 years after played_at" in shown["en"], "10 ans après played_at" in shown["fr"],
      "10 Jahre nach played_at" in shown["de"]],
     ["The next run of gdpr_retention carries it out" in done,
      "waits for nobody: approved, for the next run" in over],
     [gone.changed, fresh(second).state],
     [nobody.get(address).status_code, nobody.post(page("retentionplan_approve", first)).status_code,
      own.get(reverse("admin:gdpr_retentionplan_add")).status_code]])
"""
)

DATA_MAP = """
address, as_json = reverse("admin:gdpr_datamap_changelist"), reverse("admin:gdpr_datamap_json")
own, nobody = client("filer"), client("nobody")
shown = own.get(address)
document = own.get(as_json).json()
say([shown.status_code, text(shown), document["classified"], document["total"],
     {store["store"]: store["answered"] for store in document["stores"]},
     [nobody.get(address).status_code, nobody.get(as_json).status_code],
     [own.get(address + "add/").status_code, text(own.get(reverse("admin:index"))).count(address)]])
"""

RETENTION = """
from gdpr.retention import running
address = reverse("admin:gdpr_retentionrun_changelist")
before = text(client("filer").get(address))
running.let_go()
after = client("filer").get(address)
german = text(client("filer").get(address, HTTP_ACCEPT_LANGUAGE="de"))
say([client("nobody").get(address).status_code, after.status_code, "There was no run yet" in before,
     "10 years after played_at" in before, "nothing is left" in text(after),
     "There was no run yet" in text(after),
     "10 Jahre nach played_at" in german, "nichts übrig" in german,
     client("filer").get(address + "add/").status_code])
"""

CONSENTS = """
first = consent.publish_notice("newsletter", "1", "en", "We write to you once a month.")
second = consent.publish_notice(
    "newsletter", "2", "en", "We write to you every week.", consents_stay=True
)
web = dict(method=ConsentMethod.CHECKBOX, channel="web")
who = consent.someone("streaming.Listener", 4)
consent.give(who, first, **web)
consent.give(who, second, **web)
from examples.streaming.models import Listener
Listener.objects.create(
    pk=4040, email="gone@example.org", country="FR", language="fr", joined_at="2020-01-01T00:00Z"
)
consent.give(consent.someone("streaming.Listener", 4040), first, **web)
Listener.objects.filter(pk=4040).delete()
email = keys(4).alternates["email"]
own, nobody = client("filer"), client("nobody")
address = reverse("admin:gdpr_consentevent_person")
found = own.post(address, {"key": email})
timeline = text(own.get(found.url))
erased = own.post(address, {"key": "4040"})
unknown = own.post(address, {"key": "no.such.person@example.com"}, follow=True)
never = own.post(address, {"key": "5"})
notice = text(own.get(page("consentnotice_change", second)))
of_first = text(own.get(page("consentnotice_change", first)))
messages = [str(one) for one in unknown.context["messages"]]
say([found.status_code, email in found.url, timeline.count("outcome-renewed"), "may be used now" in timeline,
     erased.status_code, erased.url != found.url, unknown.status_code,
     any("no.such.person" in one for one in messages), len(messages), "nothing is on record" in text(never),
     "every week." in notice and "<del>" in notice, "first version" in of_first,
     [nobody.get(address).status_code, nobody.get(found.url).status_code]])
"""

FILED = """
import datetime
from gdpr.models import ErasureRequest
own, nobody = client("filer"), client("nobody")
address = reverse("admin:gdpr_erasurerequest_file")
listed = reverse("admin:gdpr_erasurerequest_changelist")
day = datetime.date.today() - datetime.timedelta(days=10)
sent = {"key": keys(6).alternates["email"], "received_on": day.isoformat()}
sent |= {"ground": "17(1)(b)", "identity": "document"}
before = ErasureRequest.objects.count()
own.get(address, sent)
refused = [nobody.get(address).status_code, nobody.post(address, sent).status_code]
wrong = {
    name: text(own.post(address, {**sent, **change}, follow=True))
    for name, change in {
        "unknown": {"key": "no.such.person@example.com"},
        "later": {"received_on": (datetime.date.today() + datetime.timedelta(days=2)).isoformat()},
        "groundless": {"ground": ""},
    }.items()
}
nothing = ErasureRequest.objects.count() - before
done = own.post(address, sent)
filed = ErasureRequest.objects.latest("pk")
again = own.post(address, sent, follow=True)
say([address in text(own.get(listed)), refused, nothing,
     ["No streaming.Listener has this key" in wrong["unknown"], "in the future" in wrong["later"],
      "required" in wrong["groundless"]],
     done.url == page("erasurerequest_change", filed), sent["key"] in done.url,
     [filed.state, filed.channel, filed.ground, filed.identity_method, filed.filed_by_id == filer.pk],
     (filed.received_at.date() - day).days in (0, 1),
     (filed.due_at - filed.received_at).days in range(27, 32),
     [ErasureRequest.objects.latest("pk").state, "open request: " + filed.reference[:8] in text(again)]])
"""


def test_demand_is_put_on_record_with_its_day_of_receipt(erasing: Erasing) -> None:
    """Whoever may file does, by POST alone; no address holds the key; a second demand counts as the first."""
    offered, refused, nothing, said, shown, named, filed, received, month, again = erasing.call(
        CLIENT + FILED
    )

    assert offered
    assert refused == [403, 403]
    assert nothing == 0
    assert said == [True, True, True]
    assert (shown, named) == (True, False)
    assert filed == ["received", "admin", "17(1)(b)", "document", True]
    assert received
    assert month
    assert again == ["duplicate", True]


def test_nobody_approves_their_own_request(erasing: Erasing) -> None:
    """The button is no link and says why; a forged POST is refused by the service."""
    offered, explained, refused, state, approvals = erasing.call(CLIENT + OWN)

    assert not offered
    assert explained
    assert refused
    assert (state, approvals) == ("planned", 0)


def test_second_person_approves_the_plan_that_they_saw(erasing: Erasing) -> None:
    """A GET decides nothing and tells what the plan does; a reason is needed, another digest is refused."""
    told = erasing.call(CLIENT + SECOND)
    offered, asked, after_get, unreasoned, stale, after_stale, state, reason, by_other, audited = told[:10]
    some, counted, spoken, other_plan = told[10:]

    assert offered
    assert (asked, after_get) == (200, "planned")
    assert unreasoned
    assert stale
    assert after_stale == "planned"
    assert (state, reason, by_other) == ("approved", "seen", True)
    assert audited
    assert (some, counted, spoken, other_plan) == (True, True, [True, True], False)


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


def test_identity_is_asked_for_settled_and_the_request_planned_in_the_admin(erasing: Erasing) -> None:
    """Nothing is planned before; whoever reviews the plan may doubt, and then it is planned anew."""
    early, unplanned, settled, looked, forgotten, states, longer, once, events = erasing.call(CLIENT + ASKED)

    assert early
    assert (unplanned, settled) == ("received", "one_time_code")
    assert (looked, forgotten) == ("planned", "")
    assert states == ["planned", "identity_check", "received", "planned", "cancelled"]
    assert longer
    assert once
    assert events == ["person"]


def test_work_by_hand_is_confirmed_and_the_stores_asked_again_in_the_admin(erasing: Erasing) -> None:
    """What a person did is noted; a completed erasure is verified at once, a closed one no more."""
    rested, confirm, retry, confirmed, completed, refused, clean, closed, late = erasing.call(
        CLIENT + CARRIED
    )

    assert rested == "needs_operator"
    assert confirm
    assert retry
    assert confirmed == "executing"
    assert completed in ("completed", "completed_with_retention")
    assert refused == 403
    assert clean
    assert closed is None
    assert late


def test_what_was_given_up_is_retried_by_a_post_alone(erasing: Erasing) -> None:
    """A GET changes nothing; a POST makes failed steps due."""
    rested, looked, retried, failed = erasing.call(CLIENT + RETRIED)

    assert (rested, looked) == ("needs_operator", "needs_operator")
    assert (retried, failed) == ("executing", 0)


def test_tiles_count_what_their_links_list(erasing: Erasing) -> None:
    """Open, due soon, overdue, for my approval: each number is the length of the list behind it."""
    own, other, listed, mine, late = erasing.call(CLIENT + TILES)

    assert own == {
        "?waiting=open": 3,
        "?due=week": 1,
        "?due=over": 1,
        "?waiting=mine": 0,
        "?waiting=stuck": 0,
    }
    assert other == {**own, "?waiting=mine": 1}
    assert listed == other
    assert mine
    assert late


def test_data_map_is_shown_with_its_coverage_to_those_who_may(erasing: Erasing) -> None:
    """All stores answered and everything has an entry; the index links to it; others are refused."""
    status, shown, classified, total, answered, refused, linked = erasing.call(CLIENT + DATA_MAP)

    assert status == 200
    assert f"{total} of {total} classified" in shown
    assert classified == total > 40
    assert all(answered.values())
    assert set(answered) == {"default", "documents", "mongodb", "search", "external:media"}
    assert refused == [403, 403]
    assert linked[0] == 403
    assert linked[1] > 0


def test_retention_shows_what_is_due_and_the_last_runs(erasing: Erasing) -> None:
    """Terms and runs are there in the reader's language, for those who may; nothing can be added."""
    assert erasing.call(CLIENT + RETENTION) == [403, 200, True, True, True, False, True, True, 403]


def test_plan_of_retention_is_decided_by_another_person(erasing: Erasing) -> None:
    """Seen where retention is; a GET decides nothing, a no has its reason, what was approved goes once."""
    listed, own, looked, blank, rejected, languages, said, gone, refused = erasing.call(CLIENT + DECIDED)

    assert listed
    assert own == [True, True, 1]
    assert looked == "waiting"
    assert blank == [200, "waiting"]
    assert rejected == ["rejected", "the court asks for it"]
    assert languages == [True, True, True]
    assert said == [True, True]
    assert gone == [1, "done"]
    assert refused == [403, 403, 403]


def test_store_that_is_away_is_said_to_be_and_the_page_works(erasing: Erasing) -> None:
    """Without the search server the other stores are still compared, and the declarations shown."""
    status, shown, classified, total, answered, _refused, _linked = erasing.call(
        CLIENT + DATA_MAP, ELASTICSEARCH_URL="http://127.0.0.1:9"
    )

    assert status == 200
    assert "1 store could not be asked" in shown
    assert "public-playlists" in shown
    assert not answered["search"]
    assert answered["mongodb"]
    assert classified == total


def test_consents_of_a_person_are_found_without_the_key_in_an_address(erasing: Erasing) -> None:
    """By any key, after an erasure by the primary one; unknown keys aren't repeated; words compared."""
    found, named, renewed, granted, erased, another, unknown, echoed, said, never, changed, first, refused = (
        erasing.call(CLIENT + CONSENTS)
    )

    assert (found, named) == (302, False)
    assert renewed == 1
    assert granted
    assert (erased, another) == (302, True)
    assert unknown == 200
    assert not echoed
    assert said == 1
    assert never
    assert changed
    assert first
    assert refused == [403, 403]
