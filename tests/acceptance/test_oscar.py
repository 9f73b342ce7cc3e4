"""The whole history of django-oscar, whose order was only ever tried in Django's own: the same database."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forks import run_python
from tests.integration.postgres.test_wagtail import assert_same_database, contents

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[2]


def command(url: str, *arguments: str) -> str:
    """Run a command of the shop that must succeed."""
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.projects.oscar_site.settings",
        "PYTHONPATH": str(ROOT),
    }
    done = run_python(("-m", "django", *arguments), env=env, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.by_turns(3)
def test_migrate_all_ends_as_django_does(new_database: Callable[[], str]) -> None:
    """Schema, every row that a migration writes, and Django's ledger agree on a database that was empty."""
    ours, theirs = new_database(), new_database()

    command(ours, "migrate_all", "--noinput")
    command(theirs, "migrate", "--verbosity", "0")

    assert_same_database(ours, theirs)
    assert contents(ours) == contents(theirs)
    assert "Nothing to do" in command(ours, "migrate_all")
    assert "No migrations to apply" in command(ours, "migrate")
