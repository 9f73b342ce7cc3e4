"""`gdpr_retention`: what has run out goes once, from every store, and what must stay stays."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from tests.chance import chance, seed
from tests.fix_requests import Erasing

pytestmark = [pytest.mark.acceptance]

MORTAL = ("-m", "tests.acceptance.mortal_erasure")
LONG_AGO = datetime(2001, 5, 1, tzinfo=UTC)
BILL = "(%s, %s, 'solo', 9.99, 'EUR', 'month', '2000-05-01', '2001-05-01')"
FEW = """
from dataclasses import replace
from unittest import mock
from accord import conf
from gdpr.errors import RetentionUnapproved
from gdpr.retention import running
real = conf.load()
strict = replace(real, environment="production", policy={**real.policy, "erasure": {"retention_rows": 2}})
said = []
with opened_stores() as stores, mock.patch.object(conf, "load", return_value=strict):
    for asked in ({"limit": None}, {"limit": 2}, {"limit": None, "looked_at": True}):
        try:
            running._require_few(stores, "plays", **{"looked_at": False, **asked})
            said.append("")
        except RetentionUnapproved as exc:
            said.append(exc.code)
say(said)
"""


def retention(erasing: Erasing, *arguments: str, code: int = 0) -> Any:
    done = erasing.command("gdpr_retention", *arguments, "--noinput", "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def play_long_ago(erasing: Erasing, *listeners: int) -> None:
    with erasing.documents("plays") as plays:
        pattern = plays.find_one()
        old = [{**pattern, "_id": ObjectId(), "listener_id": one, "played_at": LONG_AGO} for one in listeners]
        plays.insert_many(old)


def plays_of(erasing: Erasing) -> list[int]:
    with erasing.documents("plays") as plays:
        return sorted(one["listener_id"] for one in plays.find({"played_at": LONG_AGO}))


def bill(erasing: Erasing, *listeners: int) -> None:
    """Give listeners one subscription each, which ended long ago."""
    erasing.execute(f"DELETE FROM streaming_subscription WHERE listener_id IN {listeners}")
    columns = "id, listener_id, plan, price, currency, period, started_on, ended_on"
    values = ", ".join(BILL % (990000 + one, one) for one in listeners)
    erasing.execute(f"INSERT INTO streaming_subscription ({columns}) VALUES {values}")


def billed(erasing: Erasing) -> list[int]:
    return [
        one
        for (one,) in erasing.rows(
            "SELECT listener_id FROM streaming_subscription WHERE ended_on = '2001-05-01' ORDER BY 1"
        )
    ]


def counts(found: Any, *names: str) -> dict[tuple[str, str], list[Any]]:
    listed = [*found["due"], *found["done"]]
    return {(one["entry"], one["kind"]): [one[name] for name in names] for one in listed}


def events(erasing: Erasing) -> list[tuple[str, int, int]]:
    rows = erasing.rows(
        "SELECT outcome, counters FROM accord_auditevent WHERE event = 'retention.applied' ORDER BY seq"
    )
    return [(outcome, numbers["affected"], numbers["skipped"]) for outcome, numbers in rows]


def test_what_has_run_out_goes_and_what_must_stay_stays(erasing: Erasing) -> None:
    """
    Plays of everybody go but for one under a hold; of invoices only those of whoever is erased.

    The receipt has said until which day, the trail has one event for each term, and health tells what is due.
    """
    play_long_ago(erasing, 3, 3, 4)
    bill(erasing, 5, 6)
    erasing.call(
        "tag = encryption.tag_of_key('streaming.Listener', 4)\n"
        "holds.place_hold('streaming.Listener', tag, HoldReason.AUTHORITY, by=filer); say(1)"
    )
    reference = erasing.reference("approved(5)")
    done = erasing.erase("--request", reference, "--format", "json")
    [kept] = json.loads(done.stdout)["receipt"]["kept"]
    assert (kept["entry"], kept["count"], kept["until"]) == ("subscriptions", 1, "2011-12-31")

    plays, invoices = ("plays", "rows"), ("subscriptions", "kept")
    assert counts(retention(erasing, "--dry-run"), "due", "held") == {plays: [2, 1], invoices: [1, 0]}
    sick = erasing.command("health_check", "--only", "retention")
    assert sick.returncode == 1, sick.stdout
    assert "plays 2, subscriptions 1" in sick.stdout
    assert erasing.call(FEW) == ["", "", ""]
    assert counts(retention(erasing), "changed", "held") == {plays: [2, 1], invoices: [1, 0]}

    assert plays_of(erasing) == [4]
    assert billed(erasing) == [6]
    assert counts(retention(erasing), "changed", "held") == {plays: [0, 1], invoices: [0, 0]}
    # In the order of an erasure: MongoDB first.
    assert events(erasing) == [("done", 2, 1), ("done", 1, 0), ("done", 0, 1), ("done", 0, 0)]
    well = erasing.command("health_check", "--only", "retention")
    assert well.returncode == 0, well.stdout
    assert "Nothing is overdue" in well.stdout
    assert erasing.command("audit_verify").returncode == 0


@pytest.mark.by_turns(3)
def test_limit_a_store_that_is_away_and_too_much_for_production(erasing: Erasing) -> None:
    """A limit leaves the rest for the next run; a store that is away is no reason to leave the others."""
    play_long_ago(erasing, 1, 2, 3)
    assert erasing.call(FEW) == ["ACC-860", "", ""]
    assert counts(retention(erasing, "--entry", "plays", "--limit", "2"), "changed", "state") == {
        ("plays", "rows"): [2, "stopped"]
    }
    assert len(plays_of(erasing)) == 1
    away = erasing.command("gdpr_retention", "--format", "json", MONGODB_URL="mongodb://127.0.0.1:9/none")
    assert away.returncode == 3, away.stdout + away.stderr
    told = counts(json.loads(away.stdout), "state", "trouble")
    assert told == {("plays", "rows"): ["failed", "ACC-601"], ("subscriptions", "kept"): ["done", ""]}
    assert erasing.command("health_check", "--only", "retention").returncode == 1
    assert erasing.command("gdpr_retention", "--entry", "nosuch").returncode == 2


@pytest.mark.by_turns(3)
def test_killed_at_any_line_the_next_run_ends_it(erasing: Erasing, tmp_path: Path) -> None:
    """SIGKILL at seeded lines: nothing goes twice or stays, nobody else's goes, and each run has its end."""
    play_long_ago(erasing, 1)
    count = tmp_path / "lines"
    erasing.command("gdpr_retention", program=(*MORTAL, "0"), ACCORD_COUNT_LINES=str(count))
    lines, dice, kills = int(count.read_text()), chance("retention"), 0
    with erasing.documents("plays") as plays:
        others = plays.count_documents({})
    play_long_ago(erasing, *range(1, 10))
    for line in lines_of(dice.randrange(1, lines), lines):
        done = erasing.command("gdpr_retention", program=(*MORTAL, str(line)))
        assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
        kills += done.returncode != 0
    retention(erasing, "--lock-wait", "150")

    assert kills, seed()
    assert plays_of(erasing) == []
    with erasing.documents("plays") as plays:
        assert plays.count_documents({}) == others
    assert erasing.rows("SELECT count(*) FROM gdpr_retentionrun WHERE state = 'running'") == [(0,)]
    [(runs,)] = erasing.rows("SELECT count(*) FROM gdpr_retentionrun")
    assert len(events(erasing)) == runs
    assert erasing.command("audit_verify").returncode == 0


def lines_of(first: int, lines: int) -> Iterator[int]:
    """Give a line early on and one of chance."""
    yield from (first, max(lines - 40, 1))
