"""`manage.py embedded` as a person and as a script use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.embedded.checkout import CODE, server

pytestmark = pytest.mark.integration

SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).parent
INSTALLED_APPS = ["accord"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""


def manage(root: Path, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a project of its own."""
    (root / "tiny_settings.py").write_text(SETTINGS)
    return subprocess.run(
        [sys.executable, "-m", "django", "embedded", *arguments, "--settings=tiny_settings"],
        env={**os.environ, "PYTHONPATH": f"{CODE}:{root}"},
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )


def test_start_status_stop_and_reset_answer_on_stdout_and_talk_on_stderr(checkout: Path) -> None:
    """Each action ends with how the servers are; what happens meanwhile is on the other stream."""
    started = manage(checkout, "start", "mongodb", "--format", "json")
    (found,) = json.loads(started.stdout)["servers"]
    assert started.returncode == 0
    assert found["condition"] == "running"
    assert "mongodb: ready after" in started.stderr

    assert "running" in manage(checkout, "status", "mongodb").stdout

    stopped = manage(checkout, "stop")
    assert stopped.returncode == 0
    assert "running" not in stopped.stdout
    assert "mongodb: stopped" in stopped.stderr

    reset = manage(checkout, "reset", "mongodb", "--noinput")
    assert reset.returncode == 0
    assert not Path(found["data"]).exists()


OWN = """
from pathlib import Path
BASE_DIR = Path(__file__).parent
SECRET_KEY = "a key for tests alone, of more than fifty characters in all"
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes",
    "accord", "migrator", "mongo_migrations", "searchindex",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""


def test_settings_that_the_command_writes_are_those_of_a_project_that_works(checkout: Path) -> None:
    """Pasted into a project of one's own, with the servers started; they hold no secret and no port."""
    shown = manage(checkout, "settings", "postgres", "mongodb").stdout
    (checkout / "own_settings.py").write_text(OWN + shown)
    assert manage(checkout, "start", "postgres", "mongodb").returncode == 0

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "django", *command, "--settings=own_settings"],
            env={**os.environ, "PYTHONPATH": f"{CODE}:{checkout}"},
            capture_output=True,
            text=True,
            check=False,
        )

    applied, health = run("migrate_all", "--noinput"), run("health_check", "--only", "store", "migrations")
    assert (applied.returncode, health.returncode) == (0, 0), applied.stderr + health.stdout
    assert "store.mongodb" in health.stdout
    secret = (server(checkout, "postgres").folder / "password").read_text().strip()
    assert secret not in shown
    assert str(server(checkout, "postgres").status().port) not in shown
    every = manage(checkout, "settings", "--format", "json").stdout
    assert "SearchStore" in json.loads(every)["settings"]


def test_reset_needs_a_yes(checkout: Path) -> None:
    """No, silence and an empty answer keep the data; yes deletes it."""
    manage(checkout, "start", "mongodb")
    data = server(checkout, "mongodb").data

    for answer in ("no\n", "\n", ""):
        refused = manage(checkout, "reset", "mongodb", answer=answer)
        assert refused.returncode == 2
        assert "Nothing was deleted" in refused.stderr
        assert data.exists()

    assert manage(checkout, "reset", "mongodb", answer="yes\n").returncode == 0
    assert not data.exists()


def test_errors_carry_code_hint_and_exit_code(checkout: Path) -> None:
    """An unknown server is a usage error; a start that fails says the store is unavailable."""
    unknown = manage(checkout, "start", "oracle")
    assert unknown.returncode == 2
    assert "oracle" in unknown.stderr
    assert unknown.stdout == ""

    (checkout / ".accord").write_text("in the way")
    failed = manage(checkout, "start", "mongodb", "--format", "json")
    (checkout / ".accord").unlink()

    error = json.loads(failed.stdout)["error"]
    assert failed.returncode == error["exit_code"] == 8
    assert error["code"] == "ACC-704"
    assert error["hint"]


def test_no_output_holds_the_password(checkout: Path) -> None:
    """What is shown can be pasted into a ticket."""
    outputs = [manage(checkout, action, "postgres") for action in ("start", "status", "stop")]

    secret = (server(checkout, "postgres").folder / "password").read_text().strip()
    assert all(secret not in output.stdout + output.stderr for output in outputs)
