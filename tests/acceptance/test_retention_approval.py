"""`gdpr_retention` under a policy that asks for a second person: nothing before, exactly that after."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2.errors
import pytest

from tests.acceptance.test_retention import LONG_AGO, MORTAL, play_long_ago, plays_of, retention
from tests.chance import chance, seed
from tests.fix_project import ROOT
from tests.fix_requests import Erasing

pytestmark = [pytest.mark.acceptance]

ABOVE_ONE = """from core.settings import *
ACCORD = {**ACCORD, "POLICY": {"erasure": {"retention_approval": {"test": 1, "production": "always"}}}}
"""
TEN_YEARS = timedelta(days=3653)
A_MONTH_AGO = """
from datetime import timedelta
from unittest import mock
from gdpr.retention import due, running
with mock.patch.object(due, "today", return_value=due.today() - timedelta(days=30)):
    say(running.let_go().waiting.reference)
"""
LATE = """
from datetime import datetime
from unittest import mock
from pymongo import MongoClient
from gdpr.retention import plans, running
counted = plans.asked
def and_then_two_more(*asked):
    found = counted(*asked)
    plays = MongoClient({url!r}).get_default_database()["plays"]
    old = plays.find_one({{"played_at": {{"$lt": datetime(2002, 1, 1)}}}}, {{"_id": 0}})
    plays.insert_many([{{**old, "listener_id": who}} for who in (2, 3)])
    return found
with mock.patch.object(plans, "asked", and_then_two_more):
    say([(one.changed, one.state) for one in running.let_go().done])
"""
FORGE = """UPDATE gdpr_retentionplan SET state = 'approved', decided_at = now(),
    decided_by_id = (SELECT id FROM auth_user WHERE username = 'approver') WHERE reference = '{}'"""
REFUSED = "SELECT object_kind, object_ref FROM accord_auditevent WHERE event = 'access.denied' ORDER BY seq"
FORGET = ("DELETE FROM gdpr_retentionrun", "UPDATE gdpr_retentionrun SET changed = 0")
UNDO = """
INSERT INTO gdpr_retentionrun
    (reference, run, plan, entry, store, kind, state, changed, held, trouble, started_at)
SELECT repeat('0', 32), run, '{}', entry, store, kind, 'running', -1, 0, '', now()
FROM gdpr_retentionrun LIMIT 1
"""
PLANS = "SELECT state FROM gdpr_retentionplan ORDER BY id"
TOLD = "SELECT event FROM accord_auditevent WHERE event LIKE 'retention.%' AND plan_digest <> '' ORDER BY seq"


@pytest.fixture
def strict(erasing: Erasing, tmp_path: Path) -> Erasing:
    """Give the project under a policy that lets one row go unseen, and no more."""
    (tmp_path / "strict.py").write_text(ABOVE_ONE)
    settings = {"DJANGO_SETTINGS_MODULE": "strict", "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    return Erasing(replace(erasing.project, extra=settings))


def waiting(strict: Erasing, *arguments: str) -> Any:
    """Run it, make sure that it waits, and give the plan that it waits for."""
    answer = retention(strict, *arguments, code=5)
    assert answer["done"] == []
    [plan] = answer["plans"]
    assert plan["state"] == "waiting"
    return {**plan, "void": answer["void"]}


def decide(strict: Erasing, verb: str, plan: Any, who: str, *more: str, code: int = 0) -> str:
    done = strict.command("gdpr_retention", verb, plan["reference"], "--as", who, *more, "--noinput")
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def rows_of(plan: Any) -> dict[str, int]:
    return {one["entry"]: one["rows"] for one in plan["terms"]}


def column(strict: Erasing, query: str) -> Sequence[Any]:
    return [one for (one,) in strict.rows(query)]


def play(strict: Erasing, at: datetime) -> None:
    play_long_ago(strict, 8)
    with strict.documents("plays") as plays:
        plays.update_one({"listener_id": 8, "played_at": LONG_AGO}, {"$set": {"played_at": at}})


def test_another_person_lets_go_what_had_run_out_by_the_day_of_the_plan(strict: Erasing) -> None:
    """
    One row goes unseen. Two wait; whoever had them planned can't approve, and nothing is planned twice.

    What ran out between plan and approval is no part of it, and is planned next. Health says that it waits.
    """
    play_long_ago(strict, 1)
    assert [one["changed"] for one in retention(strict)["done"]] == [1, 0]
    play_long_ago(strict, 2, 3)
    later = datetime.now(UTC) - TEN_YEARS - timedelta(days=10)
    play(strict, later)

    first = strict.call(A_MONTH_AGO)
    plan = waiting(strict, "--as", "filer")
    assert (plan["reference"], rows_of(plan), plan["void"]) == (first, {"plays": 2}, "")
    sick = strict.command("health_check", "--only", "retention")
    assert (sick.returncode, "1 plan is waiting" in sick.stdout) == (1, True), sick.stdout
    decide(strict, "--approve", plan, "nobody", code=4)
    said = decide(strict, "--approve", plan, "approver")
    assert "next run of gdpr_retention carries it out" in said
    decide(strict, "--approve", plan, "approver", code=2)
    [one] = retention(strict)["done"]

    assert (one["entry"], one["changed"], one["state"], plays_of(strict)) == ("plays", 2, "done", [])
    assert column(strict, PLANS) == ["done"]
    assert column(strict, TOLD) == ["retention.planned", "retention.approved", "retention.done"]
    assert [one["changed"] for one in retention(strict)["done"]] == [1, 0]
    assert strict.command("audit_verify").returncode == 0


@pytest.mark.by_turns(3)
def test_more_than_was_approved_is_planned_anew_and_fewer_go(strict: Erasing) -> None:
    """
    What grew is void, also while it waits; who asked decides nothing; a no keeps everything.

    Fewer go, and how much of a plan went already can't be made forgotten.
    """
    play_long_ago(strict, 1, 2)
    first = waiting(strict, "--as", "filer")
    refused = decide(strict, "--approve", first, "filer", code=4)
    assert "ACC-823" in refused
    assert strict.rows(REFUSED) == [("retention_plan", first["reference"])]
    decide(strict, "--approve", first, "approver")
    play_long_ago(strict, 3)
    second = waiting(strict)
    assert (rows_of(second), second["void"]) == ({"plays": 3}, "more has run out by its day than it says")
    decide(strict, "--reject", second, "approver", code=2)
    decide(strict, "--reject", second, "approver", "--reason", "the court asks for them")
    third = waiting(strict)
    assert third["reference"] != second["reference"]
    decide(strict, "--approve", third, "approver")
    with strict.documents("plays") as plays:
        plays.delete_one({"listener_id": 2, "played_at": LONG_AGO})
    retention(strict, "--limit", "1")
    assert (len(plays_of(strict)), column(strict, PLANS)) == (1, ["void", "rejected", "approved"])
    for forgotten in (*FORGET, UNDO.format(third["reference"])):
        with pytest.raises(psycopg2.errors.RestrictViolation):
            strict.execute(forgotten)
    retention(strict)

    assert (plays_of(strict), column(strict, PLANS)) == ([], ["void", "rejected", "done"])
    assert column(strict, "SELECT sum(changed) FROM gdpr_retentionrun") == [2]
    assert column(strict, "SELECT count(*) FROM gdpr_retentionplan WHERE sealed_reason IS NOT NULL") == [1]
    assert strict.command("audit_verify").returncode == 0


@pytest.mark.by_turns(3)
def test_what_runs_out_after_the_count_does_not_go_unseen(strict: Erasing) -> None:
    """One row may go without a person; two more, which came between count and deletion, wait for one."""
    play_long_ago(strict, 1)

    first, *_ = strict.call(LATE.format(url=strict.project.mongodb_url))

    assert (first, len(plays_of(strict))) == ([1, "stopped"], 2)
    assert rows_of(waiting(strict)) == {"plays": 2}


def test_approval_that_sql_wrote_lets_nothing_go(strict: Erasing) -> None:
    """The trail knows nothing of it, so it is void, and found; content and decision of a plan stay."""
    play_long_ago(strict, 1, 2)
    plan = waiting(strict)
    strict.execute(FORGE.format(plan["reference"]))
    with pytest.raises(Exception, match="decided about once"):
        strict.execute("UPDATE gdpr_retentionplan SET digest = repeat('0', 64)")
    with pytest.raises(Exception, match="refused"):
        strict.execute("DELETE FROM gdpr_retentionplan")

    again = waiting(strict)

    assert again["void"] == "the audit trail does not know that it was given"
    assert plays_of(strict) == [1, 2]
    found = strict.command("audit_verify")
    assert (found.returncode, f"plan of retention {plan['reference']}" in found.stdout + found.stderr) == (
        6,
        True,
    ), found.stdout


@pytest.mark.by_turns(3)
def test_killed_after_the_approval_exactly_that_goes_once(strict: Erasing, tmp_path: Path) -> None:
    """SIGKILL at seeded lines: the next run goes on with the same plan, which ends once, with no more."""
    with strict.documents("plays") as plays:
        others = plays.count_documents({})
    play_long_ago(strict, *range(1, 8))
    decide(strict, "--approve", waiting(strict), "approver")
    dice, kills = chance("retention approval"), 0
    for line in (dice.randrange(1, 150), dice.randrange(150, 400), dice.randrange(400, 600)):
        done = strict.command("gdpr_retention", "--limit", "2", program=(*MORTAL, str(line)))
        assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
        kills += done.returncode != 0
    retention(strict, "--lock-wait", "150")

    assert kills, seed()
    assert plays_of(strict) == []
    with strict.documents("plays") as plays:
        assert plays.count_documents({}) == others
    assert column(strict, PLANS) == ["done"]
    assert column(strict, TOLD).count("retention.done") == 1
    assert column(strict, "SELECT count(*) FROM gdpr_retentionrun WHERE state = 'running'") == [0]
    assert strict.command("audit_verify").returncode == 0


@pytest.mark.by_turns(3)
def test_plan_that_is_over_or_not_asked_for_any_more_is_void(strict: Erasing, erasing: Erasing) -> None:
    """By the server's clock a yes ends; where the policy asks for nobody, what waits waits no more."""
    play_long_ago(strict, 1, 2)
    plan = waiting(strict)
    decide(strict, "--approve", plan, "approver")
    strict.execute("UPDATE gdpr_retentionplan SET expires_at = now() - interval '1 second'")
    second = waiting(strict)
    assert second["void"] == "its time was over"
    answer = json.loads(erasing.command("gdpr_retention", "--format", "json").stdout)

    assert answer["void"] == "the policy asks for no approval of what is left"
    assert (plays_of(strict), column(strict, PLANS)) == ([], ["void", "void"])
