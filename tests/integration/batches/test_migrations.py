"""Jobs in batches that a migration begins, and that a later one relies on, under `migrate_all`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.fix_batches import Broker
from tests.fix_postgres import rows_of
from tests.forks import Finished, run_python

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Migrated:
    """
    A project whose second migration begins a job, and whose third one requires it.

    Attributes:
        url: Its database.
        heads: Its signed heads.
        extra: Further environment variables.
    """

    url: str
    heads: Path
    extra: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Finished:
        """Run a command of Django's or ours."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.projects.batched.settings",
            "DATABASE_URL": self.url,
            "BATCHED_HEADS": str(self.heads),
            **self.extra,
        }
        return run_python(("-m", "django", *arguments), env=environment, cwd=ROOT, timeout=100)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        return rows_of(self.url, query)

    def counts(self) -> list[tuple[Any, ...]]:
        """Return how many rows were counted how often."""
        return self.rows("SELECT n, count(*) FROM numbers GROUP BY 1")


@pytest.fixture
def project(new_database: Callable[[], str], tmp_path: Path) -> Migrated:
    return Migrated(new_database(), tmp_path / "heads.jsonl")


def test_little_is_done_where_it_is_required(project: Migrated) -> None:
    """A new installation, a test database: both migrations run through, and each row is done once."""
    done = project.run("migrate_all", "--noinput")

    assert done.returncode == 0, done.stdout + done.stderr
    assert project.counts() == [(1, 40)]
    assert project.rows("SELECT name, state FROM accord_batchjob") == [("count", "done")]
    back = project.run("migrate_all", "--revert", "batched", "0001", "--noinput")
    assert back.returncode == 0, back.stdout + back.stderr
    assert (project.rows("SELECT name FROM accord_batchjob"), project.counts()) == ([], [(1, 40)])


def test_release_waits_for_a_job_that_has_much_left(project: Migrated, broker: Broker) -> None:
    """Workers are asked once the job is committed; the step that relies on it tells how to do it first."""
    waits = replace(project, extra={"BATCHED_HERE": "10", "BATCHED_BROKER": broker.url})
    refused = waits.run("migrate_all", "--noinput")

    assert "ACC-422" in refused.stderr + refused.stdout
    assert "batch_jobs run NAME" in refused.stderr + refused.stdout
    assert refused.returncode != 0
    assert waits.counts() == [(0, 40)]
    with broker.client() as client:
        assert client.llen("batched") == 2
    assert waits.rows("SELECT place, workers FROM accord_batchjob") == [("celery", 2)]
    ran = waits.run("batch_jobs", "run", "count")
    assert ran.returncode == 0, ran.stdout + ran.stderr

    done = waits.run("migrate_all", "--noinput")

    assert done.returncode == 0, done.stdout + done.stderr
    assert waits.counts() == [(1, 40)]


def test_plain_migrate_knows_the_operations(project: Migrated) -> None:
    """Django's own command begins and requires in the same way, and writes no SQL of it."""
    shown = project.run("sqlmigrate", "batched", "0002")
    assert "begin the job" in shown.stdout.lower(), shown.stderr

    done = project.run("migrate", "batched", "-v", "0")

    assert done.returncode == 0, done.stdout + done.stderr
    assert project.counts() == [(1, 40)]
