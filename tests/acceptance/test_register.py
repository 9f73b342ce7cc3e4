"""The register of erasures beside real stores: written before anything goes, and nothing goes without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance
# Written, and killed before the commit that relies on it.
DIES = """
import os, signal
from gdpr.erasure import registering
from gdpr.register import binding
whole = binding.enter
def enter(drafts):
    written = whole(drafts)
    if str(drafts[0].word) == "{word}":
        os.kill(os.getpid(), signal.SIGKILL)
    return written
registering.binding.enter = enter
erasure.work(state_changes.find("{reference}"))
"""
DUE = """
from gdpr.erasure import policy
policy.load = lambda: policy.ErasurePolicy(backups_kept_days=0, verify_again_hours=0)
"""


def entries(erasing: Erasing) -> list[dict[str, Any]]:
    """Read the register as a program that knows nothing of it."""
    if not erasing.project.register.exists():
        return []
    return [json.loads(line) for line in erasing.project.register.read_text().splitlines()]


def said(erasing: Erasing) -> list[str]:
    return [entry["word"] for entry in entries(erasing)]


def health(erasing: Erasing) -> dict[str, Any]:
    """Ask the health check of the register."""
    done = erasing.command("health_check", "--only", "erasure.register", "--format", "json")
    [found] = json.loads(done.stdout)["findings"]
    return dict(found)


def test_erasure_is_entered_before_and_after(erasing: Erasing) -> None:
    """The intent stands before a row is touched, the end with the receipt's digest; it names nobody."""
    [(email,)] = erasing.rows("SELECT email FROM streaming_listener WHERE id = 3")
    before = health(erasing)
    reference = erasing.reference("begun(3)")
    untouched, intended = erasing.holdings(3), said(erasing)
    done = erasing.erase("--request", reference)
    last = entries(erasing)[-1]
    [(digest, map_digest)] = erasing.rows(
        "SELECT r.digest, p.map_digest FROM gdpr_receipt r JOIN gdpr_erasureplan p USING (request_id)"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert untouched["plays"] > 0
    assert intended == ["begun", "intended"]
    assert said(erasing) == ["begun", "intended", "done"]
    assert (last["request"], last["facts"]) == (
        reference,
        {"receipt": digest, "map": map_digest, "ground": "17(1)(a)"},
    )
    assert email not in erasing.project.register.read_text()
    assert erasing.rows("SELECT position, head FROM gdpr_registermark") == [(3, last["hash"])]
    after = health(erasing)
    assert (before["level"], after["level"]) == ("ok", "ok")
    assert after["message"].startswith("1 erasure in the register; 2 of its entries")


def away(register: Path) -> None:
    register.rename(register.with_suffix(".elsewhere"))


def cut_off(register: Path) -> None:
    register.write_bytes(b"".join(register.read_bytes().splitlines(keepends=True)[:2]))


def of_another(register: Path) -> None:
    lines = register.read_text().splitlines(keepends=True)
    first = json.loads(lines[0])
    first["facts"]["register"] = "0" * 32
    register.write_text("".join([json.dumps(first) + "\n", *lines[1:]]))


def test_nothing_is_erased_without_the_register(erasing: Erasing) -> None:
    """Gone, cut off, of another database: no approved erasure begins, and the health check is critical."""
    register = erasing.project.register
    assert erasing.erase("--request", erasing.reference("approved(3)")).returncode == 0
    approved, whole = erasing.reference("approved(4)"), register.read_bytes()
    before = erasing.holdings(4)

    for spoil, code in ((away, "ACC-853"), (cut_off, "ACC-852"), (of_another, "ACC-853")):
        spoil(register)
        stopped = erasing.erase("--request", approved)
        cron = erasing.command("gdpr_process")
        replayed = erasing.command("gdpr_replay", "--noinput")
        found = health(erasing)

        assert (replayed.returncode, code in replayed.stderr) == (6, True), replayed.stdout + replayed.stderr
        assert stopped.returncode == 6, stopped.stdout + stopped.stderr
        assert code in stopped.stderr
        assert (cron.returncode, code in cron.stdout) == (3, True), cron.stdout + cron.stderr
        assert found["level"] == "critical", found
        assert (erasing.state(approved), erasing.holdings(4)) == ("approved", before)
        register.write_bytes(whole)

    assert health(erasing)["level"] == "ok"
    assert erasing.erase("--request", approved).returncode == 0
    erasing.assert_gone(4)


def test_lost_register_is_begun_anew(erasing: Erasing) -> None:
    """A person says that it is lost: that is on record, erasures begin, and what has its keys is entered."""
    assert erasing.erase("--request", erasing.reference("approved(3)")).returncode == 0
    approved = erasing.reference("approved(4)")
    erasing.project.register.unlink()
    stopped = erasing.erase("--request", approved)

    begun = erasing.command("gdpr_replay", "--new-register", "--as", "approver", "--noinput")
    words = said(erasing)
    done = erasing.erase("--request", approved)

    assert (stopped.returncode, begun.returncode) == (6, 0), begun.stdout + begun.stderr
    assert words == ["begun", "done"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert health(erasing)["level"] == "ok"
    assert erasing.rows("SELECT count(*) FROM accord_auditevent WHERE event = 'register.renewed'") == [(1,)]
    assert erasing.command("audit_verify").returncode == 0
    assert "No store was restored" in erasing.command("gdpr_replay", "--dry-run").stdout


def test_killed_after_an_entry_it_is_entered_again(erasing: Erasing) -> None:
    """
    An entry that nothing relied on does no harm: the next run writes it once more.

    Until it is entered, the request is not closed, because the register needs its keys.
    """
    register = erasing.project.register
    reference = erasing.reference("approved(5)")
    for word in ("intended", "done"):
        done = erasing.command("-c", _prelude(DIES.format(word=word, reference=reference)), program=())
        assert done.returncode == -9, done.stderr
    between = erasing.rows("SELECT state, registered FROM gdpr_erasurerequest")
    register.rename(register.with_suffix(".elsewhere"))
    due = erasing.call(DUE + "say(processing.process_due().register)")
    still_open = erasing.rows("SELECT closed_at IS NULL FROM gdpr_erasurerequest")
    register.with_suffix(".elsewhere").rename(register)
    cron = erasing.command("gdpr_process")

    [(state, registered)] = between
    assert (state.startswith("completed"), registered) == (True, None)
    assert (due, still_open) == ("ACC-853", [(True,)])
    assert cron.returncode == 0, cron.stdout + cron.stderr
    assert said(erasing) == ["begun", "intended", "intended", "done", "done"]
    assert erasing.rows("SELECT registered FROM gdpr_erasurerequest") == [(5,)]
    assert health(erasing)["level"] == "ok"
    erasing.assert_gone(5)


def _prelude(code: str) -> str:
    from tests.fix_requests import PRELUDE

    return PRELUDE + code


def test_keys_are_destroyed_when_no_backup_is_left(erasing: Erasing) -> None:
    """When the time is over, neither tag nor keys are in the file any more, and it still holds."""
    reference = erasing.reference("approved(6)")

    erasing.call(DUE + f"erasure.work(state_changes.find('{reference}')); say(1)")
    secrets = [entry["secrets"] for entry in entries(erasing)[1:]]
    found = erasing.call(DUE + "say(processing.process_due().destroyed)")

    text = erasing.project.register.read_text()
    assert len(secrets) == 2
    assert found == 2
    assert not any(part in text for one in secrets for part in one.values())
    assert [entry.get("secrets") for entry in entries(erasing)] == [None] * 3
    assert health(erasing)["level"] == "ok"


def test_mark_of_the_register_does_not_go_back(erasing: Erasing) -> None:
    """The database itself refuses: whoever moves the mark back would hide that entries are missing."""
    assert erasing.erase("--request", erasing.reference("approved(7)")).returncode == 0

    for statement in ("UPDATE gdpr_registermark SET position = 1", "DELETE FROM gdpr_registermark"):
        with pytest.raises(psycopg2.Error):
            erasing.execute(statement)
