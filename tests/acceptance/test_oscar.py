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


def command(url: str, *arguments: str, program: tuple[str, ...] = ("-m", "django")) -> str:
    """Run a command of the shop that must succeed."""
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.projects.oscar_site.settings",
        "PYTHONPATH": str(ROOT),
    }
    done = run_python((*program, *arguments), env=env, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


IN_PARTS = """
import django
from django.conf import settings

settings.ACCORD["POLICY"] = {"development": {"rewriting": "every"}}
django.setup()
from django.core.management import call_command

call_command("migrate_all", interactive=False)
"""


@pytest.mark.by_turns(6)
def test_shop_in_parts_ends_as_django_does(new_database: Callable[[], str]) -> None:
    """As if every table were large: the schema and every row that a migration writes."""
    ours, theirs = new_database(), new_database()

    run = command(ours, IN_PARTS, program=("-c",))
    command(theirs, "migrate", "--verbosity", "0")

    assert "Applied" in run
    assert_same_database(ours, theirs)
    assert contents(ours) == contents(theirs)


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
