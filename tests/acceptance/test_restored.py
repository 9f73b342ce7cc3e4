"""After a restore of PostgreSQL: noticed as one, nothing begins, and whoever came back is erased again."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.chance import chance, seed
from tests.fix_postgres import execute
from tests.fix_requests import Erasing
from tests.fix_sample import copy_postgres

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "after-a-restore.md"
pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


@pytest.fixture
def backup(erasing: Erasing) -> Iterator[str]:
    """Give the address of a backup of PostgreSQL, from before anybody was erased but listener 2."""
    assert erasing.erase("--request", erasing.reference("approved(2)")).returncode == 0
    url = urlsplit(erasing.project.database_url)
    address = urlunsplit(url._replace(path=f"{url.path}_backup"))
    copy_postgres(erasing.project.database_url, address)
    yield address
    server = urlunsplit(url._replace(path="/postgres"))
    execute(server, f'DROP DATABASE IF EXISTS "{url.path.strip("/")}_backup" WITH (FORCE)')


def replay(erasing: Erasing, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Replay, and give what it answered."""
    done = erasing.command("gdpr_replay", *arguments, "--noinput", "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    [found] = json.loads(done.stdout)["stores"] or [{}]
    return dict(found)


def register_health(erasing: Erasing) -> dict[str, Any]:
    done = erasing.command("health_check", "--only", "erasure.register", "--format", "json")
    [found] = json.loads(done.stdout)["findings"]
    return dict(found)


HOLDING = """
import sys, time
import django; django.setup()
from pathlib import Path
from gdpr.register import epochs
with epochs.leased("a run of migrations"):
    print("held", flush=True)
    while not Path(sys.argv[1]).exists():
        time.sleep(0.05)
"""


@contextmanager
def lease_held(erasing: Erasing, enough: Path) -> Iterator[None]:
    """Have another process hold the lease of the migrations, and give it back in the end."""
    process = erasing.project.start("-c", HOLDING, str(enough), program=())
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield
    enough.touch()
    assert process.communicate(timeout=60)[1] == ""


def test_restore_is_noticed_and_replayed(erasing: Erasing, backup: str, tmp_path: Path) -> None:
    """
    Two people are back, one of them with a request that was not carried out yet.

    It is told as a restore, nothing new begins, and a replay erases them again, with receipts of its own;
    neither in another environment's stores, nor while migrations run.
    """
    early = erasing.reference("approved(3)")
    copy_postgres(erasing.project.database_url, backup)
    assert erasing.erase("--request", early).returncode == 0
    assert erasing.erase("--request", erasing.reference("approved(4)")).returncode == 0
    copy_postgres(backup, erasing.project.database_url)
    assert erasing.holdings(3)["listener"] == erasing.holdings(4)["listener"] == 1

    waiting = erasing.reference("approved(5)")
    noticed = register_health(erasing)
    stopped = erasing.erase("--request", waiting)
    cron = erasing.command("gdpr_process")
    checked = erasing.command("check", "--database", "default")
    dry = replay(erasing, "--dry-run")
    foreign = erasing.command("gdpr_replay", "--noinput", ACCORD_ENV="development")
    with lease_held(erasing, tmp_path / "enough"):
        while_running = erasing.command("gdpr_replay", "--noinput")
    still = erasing.holdings(4)
    done = replay(erasing)
    again = replay(erasing)

    assert (noticed["level"], noticed["value"]) == ("critical", 2)
    assert "default (2 erasures to be replayed)" in noticed["message"]
    assert (stopped.returncode, "ACC-854" in stopped.stderr) == (4, True), stopped.stdout + stopped.stderr
    assert (cron.returncode, erasing.state(waiting)) == (3, "approved"), cron.stdout + cron.stderr
    assert "gdpr.W050" in checked.stdout + checked.stderr
    assert (dry["total"], list(dry["waiting"].values())) == (2, ["", ""])
    assert (foreign.returncode, "ACC-935" in foreign.stderr) == (5, True), foreign.stdout + foreign.stderr
    assert while_running.returncode == 7, while_running.stdout + while_running.stderr
    assert still["listener"] == 1
    assert (done["finished"], len(done["done"]), done["waiting"]) == (True, 2, {})
    assert again == {}
    erasing.assert_gone(3)
    erasing.assert_gone(4)
    assert erasing.state(early) == "duplicate"
    assert register_health(erasing)["level"] == "ok"
    receipts = erasing.rows("SELECT kind, count(*) FROM gdpr_receipt GROUP BY 1 ORDER BY 1")
    assert receipts == [("erasure", 1), ("replay", 2)]
    assert erasing.rows("SELECT count(*) FROM accord_tombstone WHERE erased_at IS NOT NULL") == [(3,)]
    assert erasing.erase("--request", waiting).returncode == 0
    erasing.assert_gone(5)


FILED = "SELECT replays, state FROM gdpr_erasurerequest WHERE channel = 'replay' ORDER BY 1"
TOLD = """
SELECT event, count(*) FROM accord_auditevent WHERE event IN ('erasure.received', 'erasure.fenced')
    AND request_ref IN (SELECT reference FROM gdpr_erasurerequest WHERE channel = 'replay')
GROUP BY 1 ORDER BY 1
"""
RAISED = "SELECT count(*) FROM accord_tombstone"
VOIDED = "SELECT count(*) FROM gdpr_approval WHERE voided_at IS NOT NULL"


def killed(erasing: Erasing, file: str, function: str, line: int) -> None:
    """Kill a replay at a line that is counted from a function on."""
    mortal = ("-m", "tests.acceptance.mortal_replay", file, function, str(line))
    done = erasing.command("gdpr_replay", "--noinput", "--lock-wait", "150", program=mortal)
    assert done.returncode == -signal.SIGKILL, f"{seed()} {done.stdout}{done.stderr}"


@pytest.mark.by_turns(4)
def test_replay_that_is_killed_while_a_set_is_filed_files_it_once(erasing: Erasing, backup: str) -> None:
    """
    Killed before its commit, nothing of the set is there: no request, no fence, no event, no approval voided.

    Killed right behind it, everything is, and the next run goes on with these and makes no other.
    """
    early = erasing.reference("approved(3)")
    copy_postgres(erasing.project.database_url, backup)
    assert erasing.erase("--request", early).returncode == 0
    assert erasing.erase("--request", erasing.reference("approved(4)")).returncode == 0
    copy_postgres(backup, erasing.project.database_url)
    fences = erasing.rows(RAISED)

    inside = ("_plan", 1), ("_supersede", 1), ("file", chance("replay filed").randrange(1, 60))
    for function, line in inside:
        killed(erasing, "gdpr/erasure/replays.py", function, line)
        assert erasing.rows(FILED) == erasing.rows(TOLD) == [], seed()
        assert (erasing.rows(RAISED), erasing.rows(VOIDED), erasing.state(early)) == (
            fences,
            [(0,)],
            "approved",
        )
    killed(erasing, "gdpr/erasure/saga.py", "carry_out", 1)
    filed = erasing.rows(FILED)
    done = replay(erasing, "--lock-wait", "150")

    assert [state for _, state in filed] == ["fenced", "fenced"]
    assert [one for one, _ in erasing.rows(FILED)] == [one for one, _ in filed]
    assert erasing.rows(TOLD) == [("erasure.fenced", 2), ("erasure.received", 2)]
    assert (done["finished"], len(done["done"]), done["waiting"]) == (True, 2, {})
    assert erasing.state(early) == "duplicate"
    assert erasing.rows("SELECT count(*) FROM gdpr_receipt WHERE kind = 'replay'") == [(2,)]
    assert erasing.command("audit_verify").returncode == 0
    for key in (3, 4):
        erasing.assert_gone(key)


def page() -> list[list[str]]:
    """Read the commands of the page, in its order."""
    typed = re.findall(r"^\$ python manage.py ([^#\n]+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [line.split() for line in typed]


def filled(words: Sequence[str], reference: str) -> list[str]:
    """Put in what the page leaves to its reader."""
    return [{"REFERENCE": reference, "USERNAME": "approver"}.get(word, word) for word in words]


NEW = """
INSERT INTO streaming_listener (email, display_name, country, language, joined_at)
VALUES ('{email}', 'Somebody New', 'FR', 'fr', now()) RETURNING id
"""


def test_somebody_new_with_the_key_of_an_erased_person_stays(erasing: Erasing, backup: str) -> None:
    """Keys are given again: asked about each, the replay does as it is told, by the commands of the page."""
    look, dry, plain, one_store, _, another, same, _ = page()
    [(key,)] = erasing.rows("SELECT max(id) + 1 FROM streaming_listener")
    for email in ("first@example.com", "second@example.com"):
        erasing.execute(NEW.format(email=email))
    for number in (key, key + 1):
        assert erasing.erase("--request", erasing.reference(f"approved({number})")).returncode == 0
    copy_postgres(backup, erasing.project.database_url)
    for email in ("new@example.com", "back@example.com"):
        erasing.execute(NEW.format(email=email))
    assert erasing.holdings(key)["listener"] == erasing.holdings(key + 1)["listener"] == 1

    assert erasing.command(*look).returncode == 2
    assert list(replay(erasing, *dry[1:])["waiting"].values()) == ["ACC-829"] * 2
    asked = replay(erasing, *plain[1:], code=3)
    elsewhere = replay(erasing, *one_store[1:])
    erasing.execute(NEW.format(email="newer@example.com"))
    new, back = asked["waiting"]
    told = replay(erasing, *filled(another[1:], new), code=3)
    done = replay(erasing, *filled(same[1:], back))

    assert (asked["done"], list(asked["waiting"].values())) == ([], ["ACC-829"] * 2)
    assert elsewhere == {}
    assert list(told["waiting"]) == [back]
    assert (done["finished"], done["waiting"]) == (True, {})
    assert erasing.holdings(key)["listener"] == 1
    erasing.assert_gone(key + 1)
    # What comes after the replay began has a number that nobody had.
    assert erasing.rows("SELECT id FROM streaming_listener WHERE email = 'newer@example.com'") == [(key + 2,)]
    assert register_health(erasing)["level"] == "ok"


FORGED = """
UPDATE gdpr_erasurerequest
SET state = 'fenced', fenced_at = now(), approved_by_id = NULL, replays = '{replays}'
WHERE reference = '{reference}'
"""


def test_replay_that_the_register_does_not_vouch_for_is_refused(erasing: Erasing) -> None:
    """A row that claims to repeat an erasure needs no approval, and so an entry about the same person."""
    of_another = erasing.reference("approved(6)")
    assert erasing.erase("--request", of_another).returncode == 0
    before = erasing.holdings(7)
    forged = erasing.reference("planned(7)")

    for replays in ("f" * 32, of_another):
        erasing.execute(FORGED.format(replays=replays, reference=forged))
        stopped = erasing.erase("--request", forged)

        assert (stopped.returncode, "ACC-853" in stopped.stderr) == (6, True), stopped.stdout + stopped.stderr
        assert (erasing.state(forged), erasing.holdings(7)) == ("fenced", before)
