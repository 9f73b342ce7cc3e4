"""Erasing a person, started as a data protection officer would, on the real servers."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path

import psycopg2
import pytest
from bson import ObjectId

from tests.chance import chance, moments, seed
from tests.fix_canaries import Canaries, in_stores, traces
from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance
MORTAL = ("-m", "tests.acceptance.mortal_erasure")
OWN_APPROVAL = """
INSERT INTO gdpr_approval (request_id, plan_digest, decision, filed_by_id, decided_by_id, decided_at)
SELECT id, plan_digest, 'approved', filed_by_id, filed_by_id, now() FROM gdpr_erasurerequest"""
INDEXER = """
from examples.streaming.seeding.writers import index_documents
def index(key):
    playlist = {"owner_id": "2", "owner_name": "Somebody", "title": "Songs", "track_ids": [1]}
    index_documents("public-playlists", [(key, playlist)])
"""
# An indexer that had read the playlist before the fence writes it when search has been erased once.
WORKER = """
request, ran = state_changes.find("{reference}"), []
the_map, people = load_data_map(), {{request.pk: sealing.keys_of(request)}}
with opened_stores() as stores:
    work = batches.Work(
        the_map=the_map, stores=stores, requests={{request.pk: request}}, stop=schedule.never
    )
    for one in steps.passes(the_map):
        if one.entry.is_automatic:
            assert batches.finish(work, one, people) == {{request.pk}}
            ran.append((one.entry.id, one.again))
        if len(ran) == 1:
            index("late")
say(ran)
"""
NOWHERE = "mongodb://127.0.0.1:9/nowhere?replicaSet=rs0&serverSelectionTimeoutMS=500"


def test_from_the_demand_to_the_receipt(erasing: Erasing, tmp_path: Path) -> None:
    """Filed, planned, approved by another person, erased, read back; planted canaries are nowhere."""
    canaries = Canaries(word="Zqx7-Kanarienvogel")
    canary = canaries.word
    erasing.execute(
        f"UPDATE streaming_listener SET display_name = '{canary}', email = '{canary}@example.com' "
        "WHERE id = 3"
    )
    with erasing.documents("playlists") as playlists:
        playlists.update_one({"owner_id": 3}, {"$set": {"name": canary}})
    receipt = tmp_path / "receipt.json"
    page = tmp_path / "receipt.html"

    dry = erasing.erase(f"{canary}@example.com", "--dry-run")
    filed = erasing.erase(f"{canary}@example.com", "--as", "filer", "--format", "json")
    reference = json.loads(filed.stdout)["request"]
    early = erasing.erase("3")
    yes = erasing.erase("--request", reference[:8], "--approve", "--as", "approver")
    done = erasing.erase("3", "--receipt", str(receipt))
    again = erasing.erase("3", "--receipt", str(page))
    looked = erasing.erase("3", "--verify-only")

    assert dry.returncode == 0
    assert "nothing was recorded" in dry.stdout
    codes = [step.returncode for step in (filed, early, yes, done, again, looked)]
    assert codes == [5, 5, 0, 0, 0, 0], [step.stderr for step in (filed, early, yes, done, again, looked)]
    assert erasing.state(reference) == "completed_with_retention"
    erasing.assert_gone(3)
    assert traces(canaries, in_stores(erasing.project)) == {}
    everything = (
        receipt.read_text()
        + page.read_text()
        + "".join(step.stdout + step.stderr for step in (filed, early, yes, done, again, looked))
    )
    assert canary not in everything
    kept = json.loads(receipt.read_text())["kept"]
    assert [line["article"] for line in kept] == ["17(3)(b)"]
    assert erasing.command("audit_verify").returncode == 0
    [(requests,)] = erasing.rows("SELECT count(*) FROM gdpr_erasurerequest")
    assert requests == 1


@pytest.mark.matrix
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_killed_at_any_line_a_rerun_completes_the_erasure(erasing: Erasing, tmp_path: Path) -> None:
    """SIGKILL at seeded lines of the saga, then reruns: always complete, never with anything left."""
    dice = chance("erasure")
    count = tmp_path / "lines"
    calm = erasing.reference("approved(1)")
    assert (
        erasing.erase("--request", calm, program=(*MORTAL, "0"), ACCORD_COUNT_LINES=str(count)).returncode
        == 0
    )
    lines = int(count.read_text())
    victims = range(2, 2 + moments(6, 1))
    references = erasing.call(f"say([approved(key).reference for key in {list(victims)}])")

    kills = 0
    for key, reference in zip(victims, references, strict=True):
        kills += kill_until_done(erasing, reference, dice, lines)
        erasing.assert_gone(key)
        assert erasing.state(reference).startswith("completed"), f"seed {seed()}"

    assert kills >= len(victims)
    left = erasing.rows(
        "SELECT count(*) FROM gdpr_erasurestep WHERE state <> 'done' OR coalesce(residue, 0) > 0"
    )
    assert left == [(0,)]
    assert erasing.command("audit_verify").returncode == 0
    receipts = erasing.rows("SELECT request_id, count(*) FROM gdpr_receipt GROUP BY 1 HAVING count(*) <> 1")
    assert receipts == [], f"seed {seed()}"


def kill_until_done(erasing: Erasing, reference: str, dice: random.Random, lines: int) -> int:
    """Start again and again until it is complete, the first run killed within a third of a calm one."""
    kills = 0
    while True:
        line = str(dice.randrange(1, lines * (kills + 3) // 9))
        done = erasing.erase("--request", reference, "--resume", program=(*MORTAL, line))
        if done.returncode == 0:
            return kills
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        kills += 1


@pytest.mark.by_turns(3)
def test_store_that_is_down_stops_no_other(erasing: Erasing) -> None:
    """With MongoDB away in the middle, PostgreSQL is erased: 3, then 8 for nothing new, then 0."""
    reference = erasing.reference("begun(4)")

    partial = erasing.erase("--request", reference, MONGODB_URL=NOWHERE)
    between = erasing.holdings(4)
    nothing = erasing.erase("--request", reference, "--resume", MONGODB_URL=NOWHERE)
    cron = erasing.command("gdpr_process")
    done = erasing.erase("--request", reference, "--resume")

    assert partial.returncode == 3, partial.stdout + partial.stderr
    assert "Nothing that had to go is left" not in partial.stdout
    assert (between["consents"], between["listener"]) == (0, 0)
    assert between["plays"] > 0
    assert nothing.returncode == 8, nothing.stdout + nothing.stderr
    assert cron.returncode == 0
    assert done.returncode == 0, done.stdout + done.stderr
    erasing.assert_gone(4)


def test_workers_on_one_request_never_share_a_step(erasing: Erasing) -> None:
    """Four processes at once: each step is claimed once, and everything found was changed once."""
    reference = erasing.reference("begun(5)")

    rivals = [erasing.project.start("gdpr_erase", "--request", reference, "--noinput") for _ in range(4)]
    answers = [rival.communicate(timeout=240) for rival in rivals]
    last = erasing.erase("--request", reference)

    assert {rival.returncode for rival in rivals} <= {0, 3}, answers
    assert last.returncode == 0
    shared = erasing.rows("SELECT entry, attempt FROM gdpr_erasurestep WHERE attempt <> 1")
    assert shared == []
    assert erasing.rows("SELECT count(*) FROM gdpr_receipt") == [(1,)]
    erasing.assert_gone(5)


def test_hold_in_the_middle_stops_until_another_person_releases_it(erasing: Erasing) -> None:
    """A hold on everything keeps what is there; one on an entry keeps it and what comes after it."""
    whole, part = erasing.call("say([begun(6).reference, begun(7).reference])")
    before = erasing.holdings(6)
    placed = erasing.command(
        "gdpr_hold", "place", "6", "--reason", "17(3)(e)", "--as", "filer", "--format", "json"
    )
    hold = json.loads(placed.stdout)["holds"][0]["hold"]
    erasing.command(
        "gdpr_hold", "place", "7", "--reason", "authority", "--entry", "consents", "--as", "filer"
    )

    stopped = erasing.erase("--request", whole)
    partly = erasing.erase("--request", part)
    own = erasing.command("gdpr_hold", "release", hold, "--as", "filer")
    cron = erasing.command("gdpr_process")

    assert (stopped.returncode, partly.returncode, own.returncode) == (4, 4, 4)
    assert "ACC-823" in own.stderr
    assert erasing.holdings(6) == before
    kept = erasing.holdings(7)
    assert kept["plays"] == 0
    assert kept["listener"] == 1
    assert cron.returncode == 0

    for (reference,) in erasing.rows("SELECT reference FROM gdpr_legalhold"):
        assert erasing.command("gdpr_hold", "release", reference, "--as", "approver").returncode == 0
    assert [erasing.erase("--request", reference).returncode for reference in (whole, part)] == [0, 0]
    erasing.assert_gone(6)
    erasing.assert_gone(7)


def test_document_written_after_the_fence_is_found_and_erased(erasing: Erasing) -> None:
    """Verification finds what a late writer left, before completion and a day after it."""
    reference = erasing.reference("begun(8)")
    erasing.call(
        f"request = state_changes.find('{reference}')\n"
        "with opened_stores() as stores: batches.execute([request.pk], stores)\n"
        "saga.settle([request.pk])\n"
        "assert state_changes.find(request.reference).state == 'verifying'"
    )
    write_late_playlist(erasing, 8)

    done = erasing.erase("--request", reference)
    once = erasing.rows("SELECT reopened FROM gdpr_erasurerequest")
    write_late_playlist(erasing, 8)
    looked = erasing.erase("8", "--verify-only")
    erasing.execute("UPDATE gdpr_erasurerequest SET verify_again_at = now()")
    cron = erasing.command("gdpr_process", "--format", "json")

    assert done.returncode == 0, done.stdout + done.stderr
    assert once == [(1,)]
    assert looked.returncode == 3
    assert json.loads(cron.stdout)["reopened"] == [reference]
    assert json.loads(cron.stdout)["completed"] == [reference]
    erasing.assert_gone(8)
    erasing.execute("UPDATE gdpr_erasurerequest SET verify_again_at = now()")
    assert json.loads(erasing.command("gdpr_process", "--format", "json").stdout)["verified"] == [reference]
    [(keys, closed)] = erasing.rows("SELECT sealed_keys, closed_at IS NOT NULL FROM gdpr_erasurerequest")
    assert (keys, closed) == (None, True)


def test_search_is_erased_first_and_again_last(erasing: Erasing, tmp_path: Path) -> None:
    """Plan, steps and receipt say so; what a late indexer brings back meanwhile goes without reopening."""
    receipt = tmp_path / "receipt.json"
    reference = erasing.call(INDEXER + "index('early')\nsay(begun(2).reference)")
    [(plan,)] = erasing.rows("SELECT document FROM gdpr_erasureplan")
    before = erasing.public_playlists(2)

    ran = erasing.call(INDEXER + WORKER.format(reference=reference))
    after = erasing.public_playlists(2)
    done = erasing.erase("--request", reference, "--receipt", str(receipt))

    planned = [line for line in plan["entries"] if line["action"] != "nothing"]
    again = [line["entry"] for line in planned if line["again"]]
    assert planned[0]["entry"] == again[0] == "public-playlists"
    assert (before > 0, after) == (True, 0)
    first, second = ([entry for entry, is_again in ran if is_again is wanted] for wanted in (False, True))
    assert [entry for entry, _ in ran] == first + second
    assert (first[0], second) == ("public-playlists", again)
    assert done.returncode == 0, done.stdout + done.stderr
    assert erasing.rows("SELECT reopened FROM gdpr_erasurerequest") == [(0,)]
    steps = sorted(json.loads(receipt.read_text())["steps"], key=lambda step: step["finished_at"])
    assert [[step["entry"], step["pass"] == 2] for step in steps] == ran
    assert [step["changed"] for step in steps if step["entry"] == "public-playlists"] == [before, 1]
    erasing.assert_gone(2)


def write_late_playlist(erasing: Erasing, key: int) -> None:
    """Write a playlist like another one, past every fence."""
    with erasing.documents("playlists") as playlists:
        like = playlists.find_one({"owner_id": {"$exists": True}}) or {}
        playlists.insert_one({**like, "_id": ObjectId(), "owner_id": key, "name": "late"})


def test_nobody_approves_their_own_request(erasing: Erasing) -> None:
    """Refused by the command, for a superuser as well, and by the database when it is told directly."""
    reference = erasing.reference("planned(9)")
    erasing.execute("UPDATE auth_user SET is_superuser = true WHERE username = 'filer'")

    own = erasing.erase("--request", reference, "--approve", "--as", "filer")
    powerless = erasing.erase("--request", reference, "--approve", "--as", "nobody")
    wrong = erasing.erase("--request", reference, "--approve", "--as", "approver", ACCORD_PASSWORD="guess")

    assert (own.returncode, powerless.returncode, wrong.returncode) == (4, 4, 4)
    assert "ACC-823" in own.stderr
    assert "ACC-824" in powerless.stderr
    assert "ACC-824" in wrong.stderr
    for statement in (
        "UPDATE gdpr_erasurerequest SET approved_by_id = filed_by_id, state = 'approved'",
        "UPDATE gdpr_erasurerequest SET state = 'approved'",
        "UPDATE gdpr_erasurerequest SET filed_by_id = NULL",
        OWN_APPROVAL,
        "DELETE FROM gdpr_erasurerequest",
    ):
        with pytest.raises(psycopg2.Error):
            erasing.execute(statement)
    assert erasing.state(reference) == "planned"


def test_approval_holds_for_one_plan_and_a_while(erasing: Erasing) -> None:
    """A plan that grew asks for approval again; so does an approval that ran out; by cron as well."""
    grown = erasing.reference("approved(10)")
    erasing.execute(
        "INSERT INTO streaming_consent (listener_id, purpose, given, at) "
        "SELECT 10, 'newsletter', true, now() FROM generate_series(1, 500)"
    )
    late = "from django.conf import settings; settings.ACCORD['POLICY'] = {'erasure': {'approval_days': 0}}\n"
    expired = erasing.call(late + "say([approved(11).reference, approved(12).reference])")

    changed = erasing.erase("--request", grown)
    over = erasing.erase("--request", expired[0])
    cron = erasing.command("gdpr_process", "--format", "json")

    assert changed.returncode == 5
    assert "ACC-826" in changed.stderr
    assert over.returncode == 5
    assert json.loads(cron.stdout)["expired_approvals"] == [expired[1]]
    assert [erasing.state(reference) for reference in (grown, *expired)] == ["planned"] * 3
    assert erasing.holdings(10)["consents"] >= 500
    assert erasing.rows("SELECT count(*) FROM gdpr_approval WHERE voided_at IS NULL") == [(0,)]
    assert erasing.erase("--request", grown, "--approve", "--as", "approver").returncode == 0
    assert erasing.erase("--request", grown).returncode == 0
    erasing.assert_gone(10)


def test_wrong_calls_are_told_what_is_wrong(erasing: Erasing) -> None:
    """Nobody known, a key of the wrong type, no reference, both or neither: exit 2 with the next move."""
    calls = {
        ("nobody@nowhere.example",): "ACC-",
        ("abc", "--by", "id"): "ACC-",
        ("1", "--by", "shoe_size"): "ACC-100",
        ("--request", "zzzz"): "ACC-821",
        ("--request", "00000000"): "ACC-821",
        (): "ACC-100",
        ("1", "--approve"): "ACC-100",
        ("1", "--as", "ghost"): "ACC-100",
    }

    for arguments, code in calls.items():
        refused = erasing.erase(*arguments)
        assert refused.returncode == 2, (arguments, refused.stdout, refused.stderr)
        assert code in refused.stderr
    assert erasing.rows("SELECT count(*) FROM gdpr_erasurerequest") == [(0,)]
