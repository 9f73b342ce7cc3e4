"""What happens to a demand for erasure before anything is erased, on the real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

FILING = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connections
def file(key, **more):
    return requests.file_request(keys(key), by=filer, channel=Channel.API, **more)
def rival(_):
    try: return file(1, identity=IdentityMethod.STAFF).state
    finally: connections.close_all()
with ThreadPoolExecutor(8) as pool: states = sorted(pool.map(rival, range(8)))
first, same = (file(2, idempotency_key="k-1") for _ in range(2))
later = file(2)
say([states, first.pk == same.pk, later.state, later.canonical_id == first.pk, later.sealed_keys])
"""

REFUSALS = """
from datetime import timedelta
from django.utils import timezone
from accord.errors import AccordError
def code(act):
    try: act()
    except AccordError as exc: return exc.code
    return "done"
request = requests.file_request(keys(3), by=filer, channel=Channel.API)
unknown = code(lambda: planning.plan(request))
requests.ask_identity(request, by=filer)
request.refresh_from_db()
asked = request.state
requests.check_identity(request, IdentityMethod.ONE_TIME_CODE, by=filer)
request.refresh_from_db()
stale = planning.plan(request)
extended = code(lambda: requests.extend(request, ExtensionReason.COMPLEXITY, by=filer))
twice = code(lambda: requests.extend(request, ExtensionReason.COMPLEXITY, by=filer))
other = code(lambda: approvals.approve(request, by=approver, digest="0" * 64))
own = code(lambda: requests.reject(request, RejectionGround.LEGAL_CLAIMS, by=filer))
refused = code(lambda: requests.reject(request, RejectionGround.LEGAL_CLAIMS, by=approver, reason="a claim"))
request.refresh_from_db()
after = code(lambda: approvals.approve(request, by=approver, digest=stale.digest))
late = requests.file_request(
    keys(4), by=filer, channel=Channel.API, received_at=timezone.now() - timedelta(days=40)
)
over = code(lambda: requests.extend(late, ExtensionReason.NUMBER, by=filer))
cancelled = code(lambda: requests.cancel(late, by=filer))
begun_one = begun(5)
forward = code(lambda: requests.cancel(begun_one, by=filer))
say([unknown, asked, extended, twice, other, own, refused, request.state, request.sealed_keys, after, over,
     cancelled, forward])
"""

MANUAL = """
request = begun(6)
request.steps.filter(entry="playlists").update(state=StepState.MANUAL)
rested = erasure.work(request)
first = (rested.state, [s.state for s in rested.steps.filter(entry="playlists")])
erasure.confirm_manual(rested, "playlists", by=filer)
done = erasure.work(rested)
say([first, done.state, done.reopened])
"""

STUBBORN = """
from django.conf import settings
settings.ACCORD["POLICY"] = {"erasure": {"attempts": 2, "retry_seconds": 0}}
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$BEGIN RAISE EXCEPTION 'no'; END$$")
    cursor.execute("CREATE TRIGGER no BEFORE DELETE ON streaming_consent EXECUTE FUNCTION no()")
request = begun(7)
rested = erasure.work(request)
step = rested.steps.get(entry="consents")
stuck = (rested.state, step.state, step.failures, step.error_code)
others = set(rested.steps.filter(store="mongodb", again=False).values_list("state", flat=True))
with connection.cursor() as cursor:
    cursor.execute("DROP TRIGGER no ON streaming_consent")
erasure.retry(rested, by=filer)
done = erasure.work(rested)
say([stuck, sorted(others), done.state])
"""


def test_one_person_has_one_open_request(erasing: Erasing) -> None:
    """Of eight who file at once one counts; an idempotency key gives the same again."""
    states, same, later, canonical, sealed = erasing.call(FILING)

    assert states == ["duplicate"] * 7 + ["received"]
    assert same
    assert (later, canonical, sealed) == ("duplicate", True, None)


def test_refusals_say_which_rule_they_follow(erasing: Erasing) -> None:
    """Identity first, one extension in time, the plan that was seen, another person, then nothing."""
    assert erasing.call(REFUSALS) == [
        "ACC-822",
        "identity_check",
        "done",
        "ACC-832",
        "ACC-826",
        "ACC-823",
        "done",
        "rejected",
        None,
        "ACC-822",
        "ACC-832",
        "done",
        "ACC-822",
    ]


def test_manual_step_waits_for_a_person_and_is_verified(erasing: Erasing) -> None:
    """Confirmed by hand and still there: verification finds it, and the step does it."""
    first, state, reopened = erasing.call(MANUAL)

    assert first == ["needs_operator", ["manual"]]
    assert (state, reopened) == ("completed_with_retention", 1)
    erasing.assert_gone(6)


def test_step_that_keeps_failing_calls_a_person(erasing: Erasing) -> None:
    """A store that refuses ends in needs_operator; the others are done; a retry completes it."""
    stuck, others, state = erasing.call(STUBBORN)

    assert stuck == ["needs_operator", "failed", 2, "ACC-804"]
    assert others == ["done"]
    assert state == "completed_with_retention"
    erasing.assert_gone(7)


LETTER = """
from django.test import Client
client = Client(HTTP_HOST="localhost")
client.force_login(filer)
body = {{"subject": {{"kind": "streaming.Listener", "identifiers": {{"id": "6"}}}}, "received_on": "{came}"}}
say(client.post("/api/v1/erasure-requests/", body, content_type="application/json").status_code)
"""

CLOSING = """
inserted, rivals = requests._inserted, []
def closing(request):
    done = inserted(request)
    if not done and rivals:
        end, rival = rivals.pop()
        end(rival)
    return done
requests._inserted = closing
def cancel(rival): requests.cancel(rival, by=filer)
def refuse(rival): requests.reject(rival, RejectionGround.EXCESSIVE, by=approver)
def file(key, **more): return requests.file_request(keys(key), by=filer, channel=Channel.API, **more)
first = file(1)
rivals.append((cancel, first))
second = file(1)
rivals.append((refuse, second))
third = file(1, idempotency_key="k-2")
fourth = file(1)
say([second.state, third.state, third.canonical_id, fourth.state, fourth.canonical_id == third.pk])
"""


def test_request_that_closes_while_another_is_filed_makes_it_no_duplicate(erasing: Erasing) -> None:
    """Cancelled or refused in between, it stands in nobody's way; while it is open, it does."""
    assert erasing.call(CLOSING) == ["received", "received", None, "duplicate", True]


def test_letter_that_came_earlier_is_due_a_month_after_it_came(erasing: Erasing) -> None:
    """The day of receipt counts at the command and over HTTP; no day, or one to come, is refused."""
    came = datetime.now(UTC).date() - timedelta(days=10)
    filed = erasing.erase("5", "--by", "id", "--as", "filer", "--received", came.isoformat())
    sent = erasing.call(LETTER.format(came=came.isoformat()))
    bad = erasing.erase("7", "--by", "id", "--as", "filer", "--received", "2026-02-30")
    early = erasing.erase("7", "--by", "id", "--as", "filer", "--received", "2999-01-01")

    assert (filed.returncode, sent) == (5, 201), filed.stderr
    query = "SELECT received_at::date = %s, (due_at - received_at) BETWEEN %s AND %s FROM gdpr_erasurerequest"
    values = f"'{came}'", "interval '27 days'", "interval '31 days'"
    assert erasing.rows(query % values) == [(True, True)] * 2
    assert (bad.returncode, "no day" in bad.stderr) == (2, True)
    assert (early.returncode, "in the future" in early.stderr) == (2, True)
