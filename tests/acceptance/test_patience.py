"""`migrate_all` beside an open transaction: what is seen while it waits, and what is left afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance
REASON = "the night report reads for hours"
RECORDED = """
SELECT r.outcome, s.outcome, s.detail, coalesce(nullif(s.error, ''), r.error)
FROM migrator_steprun s JOIN migrator_run r ON r.id = s.run_id
WHERE s.name = '0002_more' ORDER BY r.started_at DESC
"""


def impatient(workshop: Workshop, budget: float) -> Workshop:
    """Give the project's environment a policy of short tries."""
    policy = {"development": {"locks": {"lock_timeout": 0.3, "budget": budget}}}
    told = {"WORKSHOP_ENVIRONMENT": "development", "WORKSHOP_POLICY": json.dumps(policy)}
    return Workshop(folder=workshop.folder, variables={**workshop.variables, **told})


@pytest.fixture
def in_use(workshop: Workshop) -> Workshop:
    """Give a project with one table, and a migration that changes it."""
    workshop.django("0001_thing", "Thing")
    patient = impatient(workshop, 60)
    assert patient.run("migrate_all", "--noinput").returncode == 0
    patient.write("migrations/0002_more.py", f"""
        class Migration(migrations.Migration):
            dependencies = [("workshop", "0001_thing")]
            locks = {{"lock_timeout": 0.2, "reason": "{REASON}"}}
            operations = [migrations.AddField("thing", "more", models.IntegerField(null=True))]
        """)  # fmt: skip
    return patient


@contextmanager
def open_reader(workshop: Workshop) -> Iterator[psycopg2.extensions.connection]:
    """Keep a transaction open that has read the table."""
    url = workshop.variables["DATABASE_URL"]
    with closing(psycopg2.connect(url, application_name="night report")) as reader:
        reader.cursor().execute("SELECT count(*) FROM workshop_thing")
        yield reader


def eventually(found: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until something is there."""
    until = time.monotonic() + seconds
    while not (answer := found()) and time.monotonic() < until:
        time.sleep(0.1)
    return answer


def told_while_waiting(workshop: Workshop) -> str:
    """Wait until the run's page names who is in the way, and give the sentence."""

    def look() -> str:
        return next((row[2] for row in workshop.rows(RECORDED) if "night report" in row[2]), "")

    return str(eventually(look))


def has_more(workshop: Workshop) -> bool:
    """Say whether the column is there."""
    return bool(workshop.rows(
        "SELECT 1 FROM pg_attribute WHERE attrelid = 'workshop_thing'::regclass AND attname = 'more'"
    ))  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for its end."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


@pytest.mark.by_turns(3)
def test_a_run_that_waits_is_killed_stopped_and_gone_on_with(in_use: Workshop) -> None:
    """It tells whom it waits for; a kill and Ctrl-C leave nothing; once the reader has gone, it is done."""
    plan = in_use.run("migrate_all", "--plan").stdout
    assert f"locks: stands in a queue for 0.2 s: {REASON}" in plan
    with open_reader(in_use):
        killed = in_use.start("migrate_all", "--noinput")
        assert "waits for AccessExclusiveLock on workshop_thing" in told_while_waiting(in_use)
        killed.kill()
        ended(killed)
        assert not has_more(in_use)

        stopped = in_use.start("migrate_all", "--noinput", "--lock-wait", "60")
        eventually(lambda: len(in_use.rows(RECORDED)) > 1 and "night report" in in_use.rows(RECORDED)[0][2])
        stopped.send_signal(signal.SIGINT)
        code, said = ended(stopped)

        assert (code, "ACC-403" in said, "Traceback" in said) == (3, True, False), said
        assert "default:workshop.0002_more  waits for" in said
        assert in_use.rows(RECORDED)[0][:2] == ("interrupted", "interrupted")
        assert not has_more(in_use)

    done = in_use.run("migrate_all", "--noinput")

    assert done.returncode == 0, done.stderr
    assert has_more(in_use)
    assert "waits for" not in in_use.rows(RECORDED)[0][2]


def test_a_budget_that_is_used_up_names_who_is_in_the_way(in_use: Workshop) -> None:
    """In the answer, and on the page of the run; the run has failed, and nothing of the step stands."""
    with open_reader(in_use) as reader:
        done = impatient(in_use, 0.5).run("migrate_all", "--noinput", "--format", "json")

        [failed] = json.loads(done.stdout)["failed"]
        assert (done.returncode, failed["code"]) == (1, "ACC-408")
        assert f"pid {reader.info.backend_pid} (user " in failed["message"]
        assert "application “night report”, idle in transaction" in failed["message"]
        assert in_use.rows(RECORDED)[0][1::2] == ("failed", failed["message"])
        assert not has_more(in_use)
