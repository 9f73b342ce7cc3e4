"""Consent on record, and receipts that can be checked, on the real servers."""

from __future__ import annotations

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
newer = consent.publish_notice("newsletter", "2026-02", "en", "May we write to you every week?")
renewed = consent.give(who, newer, valid_until=timezone.now() + timedelta(days=1), **web)
withdrawn = consent.withdraw(who, "newsletter", **web)
twice = consent.withdraw(who, "newsletter", **web)
short = consent.give(who, newer, valid_until=timezone.now() + timedelta(days=1), **web)
later = timezone.now() + timedelta(days=2)
faults = []
for wrong in (
    lambda: consent.publish_notice("newsletter", "2026-01", "en", "Other words"),
    lambda: consent.publish_notice("newsletter", "2026-03", "en", "  "),
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
say([says(one) for one in (genuine, changed, swapped, rehashed, {}, {"schema": "accord.receipt/1"})])
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
        "faults": ["ACC-840"] * 5,
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
    """The genuine one verifies; a changed one, a swapped or foreign signature, and nothing at all don't."""
    assert erasing.call(FORGERY) == ["self", *["ACC-831"] * 5]


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
