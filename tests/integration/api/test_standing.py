"""What recipients are told, what retention would let go, and what ran without approval, over HTTP."""

from __future__ import annotations

import pytest

from tests.fix_api import Served

pytestmark = pytest.mark.integration

NONE = {"waiting": 0, "by_hand": 0, "informed": 0, "later": 0, "needless": 0}
RECIPIENTS = """
from examples.streaming import privacy
from gdpr.privacy import Recipient
from gdpr.models import RecipientNotice
from gdpr.notices import delivery
privacy.RECIPIENTS = [
    Recipient(id="newsletter", of=("listeners",), knows="email", webhook="http://127.0.0.1:9/erased")]
shown = planned(key)
approve("approver", shown)
erasure.work(ErasureRequest.objects.get(reference=shown["reference"]))
missed = delivery.deliver_due()
def counts():
    [one] = ask("filer", "recipients/").json()["recipients"]
    return [one["id"], one["way"], one["place"], one["entries"], one["notices"]]
before = counts()
[one] = ask("filer", "recipient-notices/", state="waiting", recipient="newsletter").json()["results"]
here = f"recipient-notices/{one['reference']}/"
retried = send("filer", here + "retry/")
robot = with_token(tokens.issue(account("filer"), by=account("filer"), service=True).text)
program = problem(robot.post(f"/api/v1/{here}confirm/", format="json"))
told = send("filer", here + "confirm/").json()
twice = [problem(send("filer", here + act)) for act in ("retry/", "confirm/")]
here = RecipientNotice.objects.filter(recipient="newsletter", reference__in=missed.waiting)
say([here.count(), before, [one["kind"], one["cause"] == shown["reference"], one["attempts"],
     one["trouble"]], [retried.status_code, retried.json()["attempts"]], program,
     [told["state"], bool(told["informed_by"]), told["next_attempt_at"]], twice, counts()[-1],
     email in json.dumps([one, told, before])])
"""

RESTORES = """
now = ask("filer", "restores/")
robot = with_token(tokens.issue(account("filer"), by=account("filer"), service=True).text)
body = {"reference": "0" * 32, "same_person": True}
program = problem(robot.post("/api/v1/restores/answer/", body, format="json"))
unknown = problem(send("filer", "restores/answer/", body))
begun = send("filer", "restores/begin/")
say([now.status_code, now.json(), program, unknown, begun.status_code, begun.json()["begun"]])
"""

RETENTION = """
everything = ask("filer", "retention/").json()
one = ask("filer", "retention/", entry="plays").json()
unknown = ask("filer", "retention/", entry="nobodys-entry")
runs = ask("filer", "retention-runs/").json()
say([everything, one, problem(unknown), "nobodys-entry" in unknown.content.decode(), runs["count"]])
"""

PLANS = """
import os
from dataclasses import replace
from datetime import UTC, datetime
from unittest import mock
from pymongo import MongoClient
from gdpr.erasure import policy
from gdpr.retention import running
plays = MongoClient(os.environ["MONGODB_URL"]).get_default_database()["plays"]
old = {**plays.find_one({}, {"_id": 0}), "listener_id": key, "played_at": datetime(2001, 5, 1, tzinfo=UTC)}
plays.insert_one(old)
with mock.patch.object(policy, "load", return_value=replace(policy.load(), retention_approval=0.0)):
    first = running.let_go(by=account("filer")).waiting.reference
    here = f"retention-plans/{first[:12]}/"
    shown = ask("filer", here).json()
    own = problem(send("filer", here + "approve/"))
    robot = with_token(tokens.issue(account("approver"), by=account("approver"), service=True).text)
    program = problem(robot.post(f"/api/v1/{here}approve/", format="json"))
    blank = problem(send("approver", here + "reject/", {"reason": ""}))
    no = send("approver", here + "reject/", {"reason": "the court asks for it"})
    second = running.let_go().waiting.reference
    yes = send("approver", f"retention-plans/{second}/approve/")
    twice = problem(send("approver", f"retention-plans/{second}/approve/"))
    left = ask("filer", "retention-plans/", state="approved").json()["results"]
    gone = [one.changed for one in running.let_go().done]
by = AuditEvent.objects.get(event="retention.approved", object_ref=second).actor_ref
unknown = problem(ask("filer", "retention-plans/0000ffff/"))
say([[shown["state"], shown["terms"], bool(shown["planned_by"]), shown["decided_by"]], own, program, blank,
     [no.status_code, no.json()["state"], "court" in no.content.decode()],
     [yes.status_code, yes.json()["state"], yes.json()["decided_by"] == by], twice,
     [one["reference"] == second for one in left], gone, unknown])
"""

BROKEN = """
from accord import conf, second_person
from accord.acting import actor
from django.db import transaction
from django.utils import timezone
from migrator.governance.break_glass import ASKED, Breaks
from migrator.models import BreakGlass
breaks, filer = Breaks(conf.load()), account("filer")
acts = actor(filer)
row = BreakGlass(
    project=conf.load().project, environment=conf.load().environment, direction="apply", kind="apply",
    words=[], digest="0" * 64, steps=[["mongodb:streaming.0001", "expand", "0" * 64]],
    run_id="20200101-000000-abcdef",
    reason="the shop is down", account_ref=acts.ref, account_key=str(filer.pk), broken_at=timezone.now())
with transaction.atomic():
    row.save()
    second_person.sight(ASKED)
    breaks._record(ASKED.event, row, acts)
here = f"break-glass/{row.reference[:12]}/review/"
listed = [len(ask("filer", "break-glass/", open=open).json()["results"]) for open in ("true", "false")]
own = problem(send("filer", here, {"reason": "mine"}))
robot = with_token(tokens.issue(account("approver"), by=account("approver"), service=True).text)
program = problem(robot.post("/api/v1/" + here, {"reason": "seen"}, format="json"))
blank = problem(send("approver", here, {"reason": ""}))
done = send("approver", here, {"reason": "read every line"})
again = problem(send("approver", here, {"reason": "read every line"}))
[shown] = ask("filer", "break-glass/").json()["results"]
say([listed, own, program, blank, done.json()["review"], again,
     [shown["steps"], shown["by"] == acts.ref, bool(shown["reviewed_at"])],
     len(ask("filer", "break-glass/", open="true").json()["results"])])
"""


def test_notices_to_recipients_are_seen_and_seen_to_over_http(served: Served, listener: int) -> None:
    """Who is declared, what waits and why; tried again, or noted as told by a person; nobody is named."""
    missed, before, one, retried, program, told, twice, after, named = served.call(
        RECIPIENTS, key=listener, email=served.email(listener)
    )

    assert missed == 1
    assert before[:4] == ["newsletter", "webhook", "127.0.0.1:9", ["listeners"]]
    assert before[4] == {**NONE, "waiting": 1}
    assert one == ["erasure", True, 1, "unreachable"]
    assert retried == [202, 0]
    assert program == [403, "ACC-824"]
    assert told == ["informed", True, None]
    assert twice == [[409, "ACC-822"]] * 2
    assert after == {**NONE, "informed": 1}
    assert not named


@pytest.mark.by_turns(3)
def test_restores_are_seen_over_http(served: Served) -> None:
    """Where nothing was restored everything is even, nobody is asked about, and beginning changes nothing."""
    status, now, program, unknown, begun, going = served.call(RESTORES)

    assert status == 200
    assert now["register"]["trouble"] is None
    assert {line["store"]: line["state"] for line in now["stores"]}.keys() >= {"default", "mongodb", "search"}
    assert {line["state"] for line in now["stores"]} <= {"even", "behind"}
    assert (now["brought_back"], now["away"], now["waits_to_begin"]) == ([], False, False)
    assert program == [403, "ACC-824"]
    assert unknown == [400, "ACC-100"]
    assert (begun, going) == (202, False)


def test_what_is_due_is_counted_over_http(served: Served) -> None:
    """As the admin counts it; an entry that there isn't is not repeated."""
    everything, one, unknown, repeated, runs = served.call(RETENTION)

    assert {"plays", "subscriptions"} <= {line["entry"] for line in everything["due"]}
    assert all(line["trouble"] in ("", "untold") for line in everything["due"])
    assert [line["entry"] for line in one["due"]] == ["plays"]
    assert (unknown, repeated) == ([404, "ACC-103"], False)
    assert runs == 0


@pytest.mark.by_turns(3)
def test_plan_of_retention_is_decided_over_http(served: Served, listener: int) -> None:
    """By another person and no program, once; a no has its reason, which no answer repeats."""
    shown, own, program, blank, no, yes, twice, left, gone, unknown = served.call(PLANS, key=listener)

    term = {"entry": "plays", "store": "mongodb", "kind": "rows", "rows": 1}
    assert [shown[0], *shown[2:]] == ["waiting", True, None]
    assert [{**one, "rule": ""} for one in shown[1]] == [{**term, "rule": ""}]
    assert own == [403, "ACC-823"]
    assert program == [403, "ACC-824"]
    assert blank == [400, "invalid"]
    assert no == [200, "rejected", False]
    assert yes == [202, "approved", True]
    assert twice == [409, "ACC-822"]
    assert (left, gone) == ([True], [1])
    assert unknown[0] == 404


@pytest.mark.by_turns(3)
def test_run_without_approval_is_reviewed_over_http(served: Served) -> None:
    """By another person, once, with what they found; a program reviews nothing."""
    listed, own, program, blank, said, again, shown, left = served.call(BROKEN)

    assert listed == [1, 1]
    assert own == [403, "ACC-923"]
    assert program == [403, "ACC-824"]
    assert blank == [400, "invalid"]
    assert said == "read every line"
    assert again == [404, "ACC-924"]
    assert shown == [["mongodb:streaming.0001"], True, True]
    assert left == 0
