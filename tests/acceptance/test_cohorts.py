"""Many erasures carried out together by gdpr_process: as each would have been alone, whatever happens."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.chance import chance, seed
from tests.fix_requests import Erasing

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

MORTAL = ("-m", "tests.acceptance.mortal_erasure")
NOWHERE = "mongodb://127.0.0.1:9/nowhere?replicaSet=rs0&serverSelectionTimeoutMS=500"
VARIES = ("receipt", "request", "plan_digest", "kept", "steps")


def receipt_of(erasing: Erasing, reference: str) -> dict[str, Any]:
    [(document,)] = erasing.rows(
        "SELECT document FROM gdpr_receipt JOIN gdpr_erasurerequest r ON r.id = request_id "
        f"WHERE r.reference = '{reference}'"
    )
    return dict(document)


def events_of(erasing: Erasing, reference: str) -> list[str]:
    rows = erasing.rows(f"SELECT event FROM accord_auditevent WHERE request_ref = '{reference}'")
    return sorted(event for (event,) in rows)


def expected_events(receipt: dict[str, Any]) -> list[str]:
    """Everything that happens once, and an event of each step that had something to do."""
    steps = sum(bool(step["found"] or step["changed"]) for step in receipt["steps"])
    once = ("received", "planned", "approved", "fenced", "started", "verified", "completed")
    return sorted(
        ["receipt.issued", "erasure.step_done", *(f"erasure.{name}" for name in once)]
        + ["erasure.step_done"] * steps
    )


@pytest.mark.by_turns(3)
def test_together_each_erasure_ends_as_it_would_have_alone(erasing: Erasing) -> None:
    """States, steps, numbers, events and receipts are those of an erasure that ran by itself."""
    found = {key: erasing.holdings(key) for key in (1, 2, 3, 4)}
    alone = erasing.reference("approved(1)")
    together = erasing.call("say([approved(key).reference for key in (2, 3, 4)])")
    assert erasing.erase("--request", alone).returncode == 0

    cron = erasing.command("gdpr_process", "--format", "json")

    assert sorted(json.loads(cron.stdout)["completed"]) == sorted(together)
    for key in found:
        erasing.assert_gone(key)
    model = receipt_of(erasing, alone)
    assert events_of(erasing, alone) == expected_events(model)
    for key, reference in zip((2, 3, 4), together, strict=True):
        made = receipt_of(erasing, reference)
        assert erasing.state(reference) == erasing.state(alone)
        assert made.keys() == model.keys()
        assert events_of(erasing, reference) == expected_events(made)
        columns = ("entry", "action", "pass", "residue", "batches", "attempts")
        assert [[step[name] for name in columns] for step in made["steps"]] == [
            [step[name] for name in columns] for step in model["steps"]
        ]
        changed = {(step["entry"], step["pass"]): step["changed"] for step in made["steps"]}
        assert changed["plays", 1] == found[key]["plays"]
        assert changed["consents", 1] == found[key]["consents"]
        assert changed["public-playlists", 1] == found[key]["public playlists"]
        assert [line["entry"] for line in made["kept"]] == [line["entry"] for line in model["kept"]]
    assert erasing.command("audit_verify").returncode == 0
    trusted = erasing.call(
        "say([receipts.verify_receipt(receipts.signed_document(one)) for one in Receipt.objects.all()])"
    )
    assert trusted == ["self"] * 4


def test_steps_are_changed_in_place(erasing: Erasing) -> None:
    """A step's new version lies beside the one before it, and no index learns of it."""
    changed, in_place = erasing.call(
        "from django.db import connection, transaction\n"
        "begun(1)\n"
        "of = \"'gdpr_erasurestep'::regclass\"\n"
        "with transaction.atomic(), connection.cursor() as cursor:\n"
        "    changed = ErasureStep.objects.update(state='done', batches=1)\n"
        "    cursor.execute(f'SELECT pg_stat_get_xact_tuples_hot_updated({of})')\n"
        "    say([changed, cursor.fetchone()[0]])"
    )

    assert changed == in_place > 20


def test_whoever_is_no_plain_case_is_left_to_go_alone(erasing: Erasing) -> None:
    """A hold stops one, a plan that changed goes back to one, and the others are erased all the same."""
    held, grown, plain, further = erasing.call("say([approved(key).reference for key in (1, 2, 3, 4)])")
    erasing.command("gdpr_hold", "place", "1", "--reason", "authority", "--entry", "plays", "--as", "filer")
    with erasing.documents("plays") as plays:
        play = plays.find_one({"listener_id": 2}, {"_id": 0})
        plays.insert_many([dict(play) for _ in range(500)])

    cron = json.loads(erasing.command("gdpr_process", "--format", "json").stdout)

    assert sorted(cron["completed"]) == sorted([plain, further])
    assert erasing.state(grown) == "planned"
    assert erasing.state(held) == "blocked_hold"
    assert erasing.holdings(1)["plays"] > 0
    assert erasing.holdings(2)["plays"] >= 500
    assert erasing.rows("SELECT count(*) FROM gdpr_receipt") == [(2,)]


def test_fault_in_a_cohort_leaves_everybody_to_go_alone(erasing: Erasing) -> None:
    """A request that nobody expected can't keep a thousand others waiting, round after round."""
    references = erasing.call("say([approved(key).reference for key in (9, 10)])")

    completed = erasing.call(
        "whole = saga.carry_out\n"
        "def broken(chosen, *rest, **more):\n"
        "    if len(chosen) > 1: raise KeyError('nobody expected this')\n"
        "    return whole(chosen, *rest, **more)\n"
        "saga.carry_out = broken\n"
        "say(processing.process_due().completed)"
    )

    assert sorted(completed) == sorted(references)
    for key in (9, 10):
        erasing.assert_gone(key)


def test_hold_placed_between_two_batches_takes_one_person_out(erasing: Erasing) -> None:
    """Once a hold is placed, no batch of a cohort touches that person; the others go on."""
    stopped, other = erasing.call("say([begun(key).reference for key in (5, 6)])")
    before = erasing.holdings(5)
    erasing.command("gdpr_hold", "place", "5", "--reason", "17(3)(e)", "--as", "filer")

    erasing.call(
        "keys_of = list(ErasureRequest.objects.values_list('pk', flat=True))\n"
        "with opened_stores() as stores: batches.execute(keys_of, stores)"
    )

    assert erasing.holdings(5) == before
    erasing.assert_gone(6)
    assert erasing.state(stopped) == "blocked_hold"
    assert erasing.state(other) == "executing"


@pytest.mark.by_turns(3)
def test_store_that_is_down_keeps_a_cohort_from_nothing_else(erasing: Erasing) -> None:
    """With MongoDB away, PostgreSQL and search are erased for all of them; the rest follows later."""
    references = erasing.call("say([begun(key).reference for key in (7, 8)])")

    partial = erasing.command("gdpr_process", "--format", "json", MONGODB_URL=NOWHERE)
    between = [erasing.holdings(key) for key in (7, 8)]
    erasing.execute("UPDATE gdpr_erasurerequest SET next_attempt_at = now()")
    erasing.execute("UPDATE gdpr_erasurestep SET next_attempt_at = now() WHERE state = 'retry_wait'")
    done = erasing.command("gdpr_process", "--format", "json")

    assert partial.returncode == 3, partial.stdout + partial.stderr
    assert json.loads(partial.stdout)["waiting"].keys() == set(references)
    assert all(found["consents"] == 0 and found["plays"] > 0 for found in between), between
    assert sorted(json.loads(done.stdout)["completed"]) == sorted(references)
    for key in (7, 8):
        erasing.assert_gone(key)


def test_two_processes_erase_and_close_each_person_once(erasing: Erasing) -> None:
    """Beside each other they share the work; every step counts once, every person has one receipt."""
    references = erasing.call("say([approved(key).reference for key in range(1, 7)])")

    rivals = [erasing.project.start("gdpr_process") for _ in range(3)]
    answers = [rival.communicate(timeout=240) for rival in rivals]
    last = erasing.command("gdpr_process")
    erasing.execute("UPDATE gdpr_erasurerequest SET verify_again_at = now()")
    closing = [erasing.project.start("gdpr_process") for _ in range(2)]
    answers += [rival.communicate(timeout=240) for rival in closing]

    assert last.returncode == 0, (last.stdout + last.stderr, answers)
    assert all(erasing.state(reference).startswith("completed") for reference in references), answers
    counted = erasing.rows("SELECT kind, count(*) FROM gdpr_receipt GROUP BY 1 ORDER BY 1")
    assert counted == [("erasure", 6), ("verification", 6)], answers
    [(keys,)] = erasing.rows("SELECT count(sealed_keys) FROM gdpr_erasurerequest")
    assert keys == 0
    for key in range(1, 7):
        erasing.assert_gone(key)
    assert erasing.command("audit_verify").returncode == 0


@pytest.mark.matrix
@pytest.mark.timeout(1500)
def test_killed_at_any_line_a_rerun_completes_the_cohort(erasing: Erasing, tmp_path: Path) -> None:
    """SIGKILL at seeded lines, then reruns: everybody is complete, nothing is left, one receipt each."""
    dice = chance("batch")
    count = tmp_path / "lines"
    erasing.call("say([approved(key).reference for key in (1, 2)])")
    calm = erasing.command("gdpr_process", program=(*MORTAL, "0"), ACCORD_COUNT_LINES=str(count))
    assert calm.returncode == 0, calm.stdout + calm.stderr
    lines = int(count.read_text())
    references = erasing.call("say([approved(key).reference for key in range(3, 9)])")

    kills = 0
    for attempt in range(40):
        erasing.execute("UPDATE gdpr_erasurerequest SET next_attempt_at = NULL")
        line = str(dice.randrange(1, lines * (attempt + 12) // 16))
        done = erasing.command("gdpr_process", program=(*MORTAL, line))
        assert done.returncode in (0, -signal.SIGKILL), f"seed {seed()}: {done.stdout}{done.stderr}"
        kills += done.returncode != 0
        if done.returncode == 0:
            break

    assert kills >= 1, f"seed {seed()}"
    for key, reference in zip(range(3, 9), references, strict=True):
        assert erasing.state(reference).startswith("completed"), f"seed {seed()}"
        erasing.assert_gone(key)
    left = erasing.rows(
        "SELECT count(*) FROM gdpr_erasurestep WHERE state <> 'done' OR coalesce(residue, 0) > 0"
    )
    assert left == [(0,)]
    doubled = erasing.rows("SELECT request_id FROM gdpr_receipt GROUP BY 1 HAVING count(*) <> 1")
    assert doubled == [], f"seed {seed()}"
    assert erasing.command("audit_verify").returncode == 0
