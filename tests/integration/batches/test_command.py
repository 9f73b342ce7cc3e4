"""`batch_jobs` as a person types it, in a project with kinds of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from accord.acting import signed_in
from tests.fix_batches import Counted
from tests.forks import Finished, run_python

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]

ROOT = Path(__file__).resolve().parents[3]
PERSON = """
import django; django.setup()
from django.contrib.auth.models import User
from django.contrib.auth.models import Permission
from django.contrib.auth.management import create_permissions
from django.apps import apps
create_permissions(apps.get_app_config("accord"), verbosity=0)
person, _ = User.objects.get_or_create(username={name!r})
person.user_permissions.set(Permission.objects.filter(codename={codename!r}))
"""


def python(counted: Counted, *arguments: str) -> Finished:
    return run_python(arguments, env=counted.environment, cwd=ROOT, timeout=60)


def command(counted: Counted, *arguments: str) -> Finished:
    return python(counted, "-m", "django", "batch_jobs", *arguments)


def shown(counted: Counted, *arguments: str) -> Any:
    done = command(counted, *arguments, "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def let(counted: Counted, codename: str) -> None:
    """Give whoever is signed in an account with one permission."""
    code = PERSON.format(name=signed_in(), codename=codename)
    done = python(counted, "-c", code)
    assert done.returncode == 0, done.stderr


def test_job_is_shown_and_gone_on_with(counted: Counted) -> None:
    """Its failure is told, with the command that tells more; `run` does what is left, and then nothing."""
    job = counted.begin(rows=20, parts=2, fails_at=15)
    counted.trail.sql("UPDATE accord_batchslice SET tries = 4")

    failed = command(counted, "run", "count")

    assert (failed.returncode, "ACC-420" in failed.stderr) == (1, True), failed.stderr
    assert "batch_jobs show NAME" in failed.stderr
    assert "slice 2: ValueError: row 15 can't be counted" in command(counted, "show", "count").stdout
    counted.trail.sql("UPDATE accord_batchjob SET arguments = arguments || '{\"fails_at\": 0}'")
    done = shown(counted, "run", job.reference[:8])
    assert (done["state"], done["slices"], done["rows"], done["seconds_left"]) == ("done", {"done": 2}, 20, 0)
    assert counted.counts() == [(1, 20)]
    assert shown(counted, "run", "count") == done
    assert [one["name"] for one in shown(counted, "list", "--state", "done")["jobs"]] == ["count"]
    assert shown(counted, "list", "--state", "failed")["jobs"] == []
    assert command(counted, "show", "nosuch").returncode == 2
    assert command(counted, "show").returncode == 2


def test_who_may_steers_a_job(counted: Counted) -> None:
    """Pausing, resuming and stopping take the permission; each is an event with its account."""
    done = python(counted, "-m", "django", "migrate", "auth", "-v", "0")
    assert done.returncode == 0, done.stderr
    counted.begin()
    let(counted, "view_batchjob")
    assert command(counted, "pause", "count").returncode == 4
    let(counted, "steer_batchjob")

    assert shown(counted, "pause", "count")["state"] == "paused"
    assert command(counted, "pause", "count").returncode == 4
    assert shown(counted, "resume", "count")["state"] == "running"
    assert shown(counted, "stop", "count")["state"] == "stopped"

    assert shown(counted, "run", "count")["state"] == "done"
    assert counted.counts() == [(1, 40)]
    told = counted.trail.rows("SELECT event, actor_kind FROM accord_auditevent ORDER BY seq")
    assert told == [
        ("batches.started", "system"),
        ("access.denied", "person"),
        *((f"batches.{word}", "person") for word in ("paused", "resumed", "stopped")),
        ("batches.resumed", "system"),
        ("batches.finished", "system"),
    ]
