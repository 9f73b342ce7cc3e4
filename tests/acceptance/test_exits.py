"""Every exit of `migrate_all`: real receivers, real servers, and the answer that a pipeline reads."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.fix_workshop import Workshop

pytestmark = [pytest.mark.acceptance, pytest.mark.by_turns(3)]

RECEIVER = """
import os

from django.db.models.signals import post_migrate, pre_migrate


def receive(sender, **named):
    if os.environ.get("FAILS") and sender.label == "migrator":
        raise ValueError("no such luck")


{signal}.connect(receive)
"""
DROP = """
            import os, psycopg2

            def drop(*arguments, **named):
                connection = psycopg2.connect(os.environ["DATABASE_URL"])
                connection.autocommit = True
                connection.cursor().execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
                connection.close()

            def back(*arguments, **named):
                pass
"""


def answer_of(done: subprocess.CompletedProcess[str]) -> Any:
    """Read the one document that a command wrote, whatever its exit code."""
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("signal", ["pre_migrate", "post_migrate"])
@pytest.mark.parametrize("phase", [(), ("--phase", "expand")])
def test_failing_receiver_is_in_the_answer_with_what_was_done(
    workshop: Workshop, signal: str, phase: tuple[str, ...]
) -> None:
    """One document with steps and error, exit code 1, and no run that is running for ever."""
    workshop.answer("migrate_all")
    workshop.django("0001_first", "First")
    workshop.write("management/__init__.py", RECEIVER.format(signal=signal))

    broken = workshop.run("migrate_all", *phase, "--format", "json", FAILS="yes")
    answer = answer_of(broken)

    assert broken.returncode == answer["exit_code"] == 1
    assert answer["schema"] == "accord.run/1"
    assert answer["error"]["code"] == "ACC-400"
    assert signal in answer["error"]["message"]
    done = ["default:workshop.0001_first"] if signal == "post_migrate" else []
    assert [step["key"] for step in answer["done"]] == done
    last = workshop.rows("SELECT id, outcome, error_code FROM migrator_run ORDER BY started_at DESC LIMIT 1")
    assert last == [(answer["run"], "failed", "ACC-400")]
    again = workshop.answer("migrate_all", *phase)
    assert [step["key"] for step in again["done"]] == (
        [] if signal == "post_migrate" else ["default:workshop.0001_first"]
    )


def test_failing_receiver_is_said_after_what_was_applied(workshop: Workshop) -> None:
    """A person reads both: the sum of the run, and what failed."""
    workshop.write("management/__init__.py", RECEIVER.format(signal="post_migrate"))
    workshop.django("0001_first", "First")

    done = workshop.run("migrate_all", FAILS="yes")

    assert done.returncode == 1
    assert "Applied" in done.stdout
    assert "[ACC-400]" in done.stderr
    assert "Traceback" not in done.stderr


def test_connection_that_is_dropped_while_another_store_works_is_opened_again(workshop: Workshop) -> None:
    """Every session but the step's own is ended; the steps after it, the lease and the journal go on."""
    workshop.write(
        "mongo_migrations/0001_drop.py",
        f"""{DROP}
            class Migration(base.Migration):
                operations = [base.RunPython(drop, back)]
        """,
    )
    workshop.django("0001_first", "First", more='cross_dependencies = [("mongodb", "workshop", "0001_drop")]')

    answer = answer_of(workshop.run("migrate_all", "--one-by-one", "--format", "json"))

    assert (answer["error"], answer["failed"], answer["exit_code"]) == (None, [], 0)
    assert {"mongodb:workshop.0001_drop", "default:workshop.0001_first"} <= {
        step["key"] for step in answer["done"]
    }
    runs = workshop.rows("SELECT outcome, error_code FROM migrator_run")
    recorded = workshop.rows("SELECT count(*) FROM migrator_steprun WHERE outcome = 'succeeded'")
    assert runs == [("succeeded", "")]
    assert recorded == [(len(answer["done"]),)]


def test_project_without_the_admin_runs_its_checks_and_its_migrations(workshop: Workshop) -> None:
    """The suite's template tags are imported by every check of templates, and need no admin."""
    workshop.django("0001_first", "First")

    checked = workshop.run("check")
    done = workshop.run("migrate_all")

    assert checked.returncode == 0, checked.stderr
    assert done.returncode == 0, done.stderr
