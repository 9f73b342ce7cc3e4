"""The whole history of Wagtail by `migrate_all`: the database that Django's own `migrate` leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.postgres.test_wagtail import assert_same_database

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


def command(url: str, *arguments: str) -> str:
    """Run a command of the Wagtail site that must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.projects.wagtail_accord.settings",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_migrate_all_ends_as_django_does(new_database: Callable[[], str]) -> None:
    """Schema, Django's ledger, content types and permissions agree, and there is nothing left for either."""
    ours, theirs = new_database(), new_database()

    command(ours, "migrate_all", "--noinput")
    command(theirs, "migrate", "--verbosity", "0")

    assert_same_database(ours, theirs)
    assert "Nothing to do" in command(ours, "migrate_all")
    assert "No migrations to apply" in command(ours, "migrate")


def test_migrate_all_goes_back_where_django_can(new_database: Callable[[], str]) -> None:
    """Apps that Django takes back to nothing go back by `migrate_all` to the same database."""
    ours, theirs = new_database(), new_database()
    for url in (ours, theirs):
        command(url, "migrate_all", "--noinput")

    for app in ("wagtailredirects", "wagtailembeds", "wagtailsearchpromotions"):
        command(ours, "migrate_all", app, "zero", "--revert", "--noinput")
        command(theirs, "migrate", app, "zero", "--verbosity", "0")

    assert_same_database(ours, theirs)
