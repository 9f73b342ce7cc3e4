"""Consent on record, and receipts that can be checked, on the real servers."""

from __future__ import annotations

import json

import psycopg2
import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

STORY = """
from datetime import timedelta
from django.utils import timezone
from gdpr.errors import ConsentRefused
who = consent.someone("streaming.Listener", 5)
notice = consent.publish_notice("newsletter", "2026-01", "en", "May we write to you once a month?")
same = consent.publish_notice("newsletter", "2026-01", "en", "May we write to you once a month?")
web = dict(method=ConsentMethod.CHECKBOX, channel="web")
refused = consent.refuse(who, notice, **web)
given = consent.give(who, notice, **web)
granted = consent.is_granted(who, "newsletter")
newer = consent.publish_notice(
    "newsletter", "2026-02", "en", "May we write to you every week?", consents_stay=True
)
renewed = consent.give(who, newer, valid_until=timezone.now() + timedelta(days=1), **web)
withdrawn = consent.withdraw(who, "newsletter", **web)
twice = consent.withdraw(who, "newsletter", **web)
short = consent.give(who, newer, valid_until=timezone.now() + timedelta(days=1), **web)
later = timezone.now() + timedelta(days=2)
faults = []
for wrong in (
    lambda: consent.publish_notice("newsletter", "2026-01", "en", "Other words"),
    lambda: consent.publish_notice("newsletter", "2026-03", "en", "  "),
    lambda: consent.publish_notice("newsletter", "2026-03", "en", "Every day?"),
    lambda: consent.publish_notice("newsletter", "2026-02", "fr", "Chaque semaine ?", consents_stay=False),
    lambda: consent.give(who, newer, method=ConsentMethod.CHECKBOX, channel="mail from anna@example.org"),
    lambda: consent.withdraw(who, "newsletter", method=ConsentMethod.CHECKBOX, channel="clock"),
    lambda: consent.refuse(who, newer, **web),
    lambda: consent.withdraw(who, "statistics", **web),
    lambda: consent.give(who, newer, valid_until=timezone.now(), **web),
):
    try: wrong()
    except ConsentRefused as exc: faults.append(exc.code)
say({
    "same": same.pk == notice.pk, "granted": granted, "twice": twice.pk == withdrawn.pk,
    "late": consent.is_granted(who, "newsletter", later), "expired": consent.expire_due(later),
    "after": consent.is_granted(who, "newsletter"), "types": [e.type for e in consent.history(who)],
    "current": ConsentEvent.objects.current().get().type, "chain": consent.verify_history(who),
    "faults": faults,
})
"""

FORGERY = """
import copy
from gdpr.errors import ReceiptInvalid
request = erasure.work(approved(2))
genuine = receipts.signed_document(receipts.latest(request))
other = receipts.signed_document(receipts.latest(erasure.work(approved(3))))
changed = copy.deepcopy(genuine); changed["steps"][0]["residue"] = 7
swapped = {**genuine, "signed": other["signed"]}
rehashed = {**other, "signed": {**other["signed"], "signature": genuine["signed"]["signature"]}}
def says(document):
    try: return receipts.verify_receipt(document)
    except ReceiptInvalid as exc: return exc.code
import hashlib
from accord.secrets import signing
former = {name: value for name, value in genuine.items() if not name.startswith(("backups", "signed"))}
former["schema"] = "accord.receipt/1"
payload = json.dumps(former, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
signature = signing.sign(payload, purpose=former["schema"])
proof = {"digest": hashlib.sha256(payload).hexdigest(), "signature": signature}
as_new = {**former, "schema": "accord.receipt/2", "signed": proof}
wrong = (changed, swapped, rehashed, {}, {"schema": "accord.receipt/2"}, as_new)
say([[says(genuine), says({**former, "signed": proof})], [says(one) for one in wrong],
     genuine["backups"], sorted(genuine["backups_undeclared"]) == sorted(genuine["servers"])])
"""


def test_consent_is_a_chain_of_events_per_purpose(erasing: Erasing) -> None:
    """Refused, given, renewed, withdrawn, given again and expired; what counts is the newest."""
    told = erasing.call(STORY)

    assert told == {
        "same": True,
        "granted": True,
        "twice": True,
        "late": False,
        "expired": 1,
        "after": False,
        "types": ["refused", "given", "renewed", "withdrawn", "given", "expired"],
        "current": "expired",
        "chain": True,
        "faults": ["ACC-840"] * 9,
    }
    for statement in (
        "UPDATE gdpr_consentevent SET type = 'given'",
        "DELETE FROM gdpr_consentevent",
        "UPDATE gdpr_consentnotice SET text = 'other'",
    ):
        with pytest.raises(psycopg2.Error):
            erasing.execute(statement)


def test_consent_stays_as_proof_after_the_erasure(erasing: Erasing) -> None:
    """The events of an erased person are there, found by the key alone, and hold no name."""
    erasing.call(STORY)
    erasing.call("erasure.work(approved(5))")

    proof = erasing.call(
        'who = consent.someone("streaming.Listener", 5)\n'
        "say([len(consent.history(who)), consent.verify_history(who)])"
    )

    assert proof == [6, True]
    erasing.assert_gone(5)


def test_consent_ends_with_the_person_and_nobody_else_gives_it(erasing: Erasing) -> None:
    """From the fence on a yes no longer counts; the erased, who never was and a bare tag give none."""
    told = erasing.call("""
from accord.errors import AccordError
from examples.streaming.models import Listener
notice = consent.publish_notice("mailing", "1", "en", "May we?")
web = dict(method=ConsentMethod.CHECKBOX, channel="web")
def says(act, *arguments):
    try: return act(*arguments, **web).type
    except AccordError as exc: return exc.code
whole, begun_one, kept = (consent.someone("streaming.Listener", key) for key in (6, 7, 8))
for who in (whole, begun_one, kept): consent.give(who, notice, **web)
before = [consent.is_granted(who, "mailing") for who in (whole, begun_one, kept)]
erasure.work(approved(6)); begun(7)
after = [consent.is_granted(who, "mailing") for who in (whole, begun_one, kept)]
nobody = [consent.someone("streaming.Listener", 99999999), consent.someone("streaming.Listener", "x"),
          consent.someone("no.Such", 1), consent.Someone(kind=kept.kind, tag=kept.tag)]
given = [says(consent.give, who, notice) for who in (whole, begun_one, *nobody)]
refused = [says(consent.refuse, who, notice) for who in (whole, nobody[0])]
say([before, after, given, refused, says(consent.withdraw, begun_one, "mailing"),
     says(consent.give, kept, notice), consent.verify_history(whole)])
""")

    before, after, given, refused, taken_back, kept, intact = told
    assert (before, after) == ([True] * 3, [False, False, True])
    assert given == ["ACC-905", "ACC-905", "ACC-801", "ACC-801", "ACC-801", "ACC-100"]
    assert refused == ["ACC-905", "ACC-801"]
    assert (taken_back, kept, intact) == ("withdrawn", "renewed", True)


def test_new_words_say_whether_the_old_yes_still_counts(erasing: Erasing) -> None:
    """In every language of the version; a yes to the newest words counts, and one to old words doesn't."""
    told = erasing.call("""
web = dict(method=ConsentMethod.CHECKBOX, channel="web")
one, two = (consent.someone("streaming.Listener", key) for key in (1, 2))
def counts(): return [consent.is_granted(who, "offers") for who in (one, two)]
first = consent.publish_notice("offers", "1", "en", "May we write?")
other = consent.publish_notice("offers", "1", "fr", "Pouvons-nous écrire ?")
consent.give(one, first, **web); consent.give(two, other, **web)
seen = [counts()]
consent.publish_notice("offers", "2", "en", "May we write, please?", consents_stay=True)
seen.append(counts())
third = consent.publish_notice("offers", "3", "en", "May we and our partners write?", consents_stay=False)
seen.append(counts())
consent.give(two, third, **web)
late = consent.publish_notice("offers", "1", "de", "Dürfen wir schreiben?")
consent.give(one, late, **web)
seen.append(counts())
seen.append(ConsentNotice.objects.get(version="3").consents_stay)
say(seen)
""")

    assert told == [[True, True], [True, True], [False, False], [False, True], False]


def test_receipt_of_a_consent_says_who_agreed_to_what_and_names_nobody(erasing: Erasing) -> None:
    """Printed by the command, signed, with the words that were shown and who spoke for a child."""
    email = erasing.call("""
web = dict(method=ConsentMethod.PAPER, channel="counter")
notice = consent.publish_notice("club", "1", "en", "May your child join?")
consent.give(consent.someone("streaming.Listener", 3), notice, given_by=GivenBy.GUARDIAN,
    explicit=True, **web)
say(keys(3).alternates["email"])
""")

    shown = erasing.command("gdpr_consent", email)
    printed = erasing.command("gdpr_consent", "3", "--by", "id", "--receipt", "club")
    never = erasing.command("gdpr_consent", "3", "--by", "id", "--receipt", "parties")
    nobody = erasing.command("gdpr_consent", "999999")

    assert (shown.returncode, "club" in shown.stdout, "yes" in shown.stdout) == (0, True, True), shown.stderr
    receipt = json.loads(printed.stdout)
    assert receipt["schema"] == "accord.consent.receipt/1"
    assert receipt["processing"]["privacy_notice"]["text"] == "May your child join?"
    assert receipt["processing"]["collection_channel"] == "counter"
    [event] = receipt["events"]
    assert (event["entity"], event["event_state"], event["event_type"]) == ("guardian", "given", "explicit")
    assert (receipt["granted"], receipt["intact"]) == (True, True)
    assert email not in printed.stdout
    assert (never.returncode, nobody.returncode) == (2, 2)
    proof = receipt.pop("signed")
    signer = erasing.call(f"""
from accord.secrets import signing
document = json.loads({json.dumps(receipt)!r})
payload = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
say(signing.verify(payload, {proof["signature"]!r}, purpose="accord.consent.receipt/1"))
""")
    assert signer == "self"
    changed = erasing.call("""
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("ALTER TABLE gdpr_consentevent DISABLE TRIGGER USER")
    cursor.execute("UPDATE gdpr_consentevent SET given_by = 'self'")
    cursor.execute("ALTER TABLE gdpr_consentevent ENABLE TRIGGER USER")
say(consent.verify_history(consent.someone("streaming.Listener", 3)))
""")
    assert changed is False


def test_two_who_consent_at_once_make_one_chain(erasing: Erasing) -> None:
    """Ten threads at once leave one chain without a gap or a fork."""
    told = erasing.call("""
from concurrent.futures import ThreadPoolExecutor
from django.db import connections
who = consent.someone("streaming.Listener", 1)
notice = consent.publish_notice("statistics", "1", "en", "May we count?")
def yes(_):
    try: consent.give(who, notice, method=ConsentMethod.API, channel="app")
    finally: connections.close_all()
with ThreadPoolExecutor(10) as pool: list(pool.map(yes, range(20)))
say([consent.verify_history(who), [event.number for event in consent.history(who)]])
""")

    assert told == [True, list(range(1, 21))]


def test_forged_receipt_is_refused(erasing: Erasing) -> None:
    """The genuine one verifies, one of an earlier version too; a changed one or a foreign signature don't."""
    assert erasing.call(FORGERY) == [["self"] * 2, ["ACC-831"] * 6, [], True]


def test_receipt_says_until_when_backups_hold_what_was_erased(erasing: Erasing) -> None:
    """From what the project declares, in the document and on the page; the last day counts."""
    told = erasing.call("""
from datetime import datetime, timedelta
from django.conf import settings
backups = {"default": {"dump": 30, "wal archive": 7}, "search": {}}
settings.ACCORD = {**settings.ACCORD, "BACKUPS": backups}
receipt = receipts.latest(erasure.work(approved(4)))
document = receipt.document
at = datetime.fromisoformat(document["verified_at"])
day = lambda days: (at + timedelta(days=days)).date().isoformat()
page = receipts.render_html(receipt)
say([
    [[line["kind"], line["until"] == day(line["kept_days"])] for line in document["backups"]],
    document["backups_until"] == day(30), sorted({*document["servers"]} - {*document["backups_undeclared"]}),
    day(30) in page, "Nothing is declared about backups of" in page,
])
""")

    kinds, last, declared, on_page, undeclared = told
    assert kinds == [["dump", True], ["wal archive", True]]
    assert (last, on_page, undeclared) == (True, True, True)
    assert "default" in declared
    assert "mongodb" not in declared


def test_closed_requests_and_receipts_can_not_be_changed(erasing: Erasing) -> None:
    """Once closed, the database refuses to change the request, its steps, plans, decisions and receipts."""
    erasing.call("verification.verify_again(erasure.work(approved(4)))")

    for statement in (
        "UPDATE gdpr_erasurerequest SET state = 'executing'",
        "UPDATE gdpr_erasurestep SET residue = 0",
        "UPDATE gdpr_erasureplan SET digest = ''",
        "UPDATE gdpr_receipt SET document = '{}'",
        "DELETE FROM gdpr_receipt",
        "UPDATE gdpr_approval SET decided_by_id = filed_by_id",
    ):
        with pytest.raises(psycopg2.Error):
            erasing.execute(statement)
