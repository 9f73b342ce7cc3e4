"""Fixtures of jobs in batches: rows to be counted, and processes that count them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accord.batch_models import BatchJob
from accord.batches import jobs, kinds
from tests.fix_trail import Trail
from tests.projects.batched.apps import BatchedConfig

ROOT = Path(__file__).resolve().parent.parent
WORKER = ("-m", "tests.projects.batched.worker")


@dataclass(frozen=True)
class Counted:
    """
    A table of numbers beside the kernel's tables.

    Attributes:
        trail: The database.
    """

    trail: Trail

    def begin(
        self, rows: int = 40, kind: str = "counting", name: str = "count", **arguments: Any
    ) -> BatchJob:
        """Make the rows, all of them 0, and begin a job that counts each."""
        self.trail.sql(
            "CREATE TABLE IF NOT EXISTS numbers "
            "(id int PRIMARY KEY, n int NOT NULL DEFAULT 0, visits int NOT NULL DEFAULT 0)",
            "CREATE TABLE IF NOT EXISTS pressure (seconds float NOT NULL)",
            f"INSERT INTO numbers SELECT generate_series(1, {rows}) ON CONFLICT DO NOTHING",
        )
        return jobs.start("count", f"batched.{kind}", {"rows": rows, **arguments})

    @property
    def environment(self) -> dict[str, str]:
        """What a process finds in its environment."""
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.projects.batched.settings",
            "DATABASE_URL": self.trail.url,
            "BATCHED_HEADS": str(self.trail.file),
        }

    def start(self, *arguments: object, program: tuple[str, ...] = WORKER) -> subprocess.Popen[str]:
        """Start a process that ends with the test at the latest."""
        process = subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.trail.started.append(process)
        return process

    def counts(self) -> list[tuple[int, int]]:
        """Return how many rows were counted how often."""
        return [
            (n, rows) for n, rows in self.trail.rows("SELECT n, count(*) FROM numbers GROUP BY 1 ORDER BY 1")
        ]

    def state(self) -> str:
        """Return how the one job stands."""
        [(state,)] = self.trail.rows("SELECT state FROM accord_batchjob")
        return str(state)

    def slices(self, columns: str = "state") -> list[Any]:
        """Return columns of the slices in order."""
        return self.trail.rows(f"SELECT {columns} FROM accord_batchslice ORDER BY number")

    def events(self) -> list[str]:
        """Return what the trail says of jobs."""
        found = self.trail.rows(
            "SELECT event FROM accord_auditevent WHERE object_kind = 'batch_job' ORDER BY seq"
        )
        return [event for (event,) in found]


@pytest.fixture
def counted(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Give a database with rows to be counted; this process knows the kinds of work, too."""
    known = {f"{BatchedConfig.label}.{name}": path for name, path in BatchedConfig.batch_kinds.items()}
    monkeypatch.setattr(kinds, "declared", lambda: known)
    return Counted(trail)
