"""Fixtures of jobs in batches: rows to be counted, and processes that count them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from accord.batch_models import BatchJob
from accord.batches import jobs, kinds
from tests.children import die_with_parent
from tests.fix_trail import Trail
from tests.projects.batched.apps import BatchedConfig

ROOT = Path(__file__).resolve().parent.parent
REDIS = shutil.which("redis-server") or "redis-server"
WORKER = ("-m", "tests.projects.batched.worker")


@dataclass(frozen=True)
class Counted:
    """
    A table of numbers beside the kernel's tables.

    Attributes:
        trail: The database.
        extra: Further environment variables of processes.
    """

    trail: Trail
    extra: Mapping[str, str] = field(default_factory=dict)

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
            **self.extra,
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


@dataclass(frozen=True)
class Broker:
    """
    A Redis of the test's own.

    Attributes:
        folder: Where it runs.
        port: Its port, on 127.0.0.1 alone.
        started: Its process, the last one.
    """

    folder: Path
    port: int
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def start(self) -> None:
        """Start it with nothing in it, and nothing kept."""
        quiet = ("--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "redis.log")
        self.started.append(
            subprocess.Popen(
                [REDIS, "--bind", "127.0.0.1", "--port", str(self.port), *quiet],
                cwd=self.folder,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, and no lock
                stdout=subprocess.DEVNULL,
            )
        )
        self._await()

    def _await(self) -> None:
        end = time.monotonic() + 10
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.exceptions.ConnectionError:
                assert time.monotonic() < end, "Redis didn't start"
                time.sleep(0.05)

    def stop(self) -> None:
        """End it, with everything in it."""
        self.started[-1].kill()
        self.started[-1].wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Give a Redis that ends with the test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Broker(tmp_path, port)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def counted(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Give a database with rows to be counted; this process knows the kinds of work, too."""
    known = {f"{BatchedConfig.label}.{name}": path for name, path in BatchedConfig.batch_kinds.items()}
    monkeypatch.setattr(kinds, "declared", lambda: known)
    return Counted(trail)
