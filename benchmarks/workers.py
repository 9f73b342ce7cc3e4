"""
How much more several workers do than one, where each batch waits for its store.

The waiting is simulated: each batch sleeps in the server, in its transaction. What is measured is what the
engine adds to that: claiming, leases, cursors, processes.

    python benchmarks/workers.py [BATCHES] [MILLISECONDS]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from accord.embedded import EmbeddedCluster
from benchmarks.measuring import say

PORT, WORKERS, ROWS = 27379, 4, 5
PROJECT = "tests.projects.batched"
BEGIN = """
import django, json, sys; django.setup()
from accord.batches import jobs
jobs.start(sys.argv[1], "batched.counting", json.loads(sys.argv[2]))
"""


def main(batches: int = 400, milliseconds: int = 50) -> None:
    """Measure, and write a table and a document."""
    with tempfile.TemporaryDirectory() as folder, stores(Path(folder)) as environment:
        run(environment, "-m", "django", "migrate", "batched", "0001", "-v", "0")
        run(environment, "-m", "django", "migrate", "accord", "-v", "0")
        ways = {
            "one process": ("--jobs", "1"),
            f"{WORKERS} processes": ("--jobs", str(WORKERS)),
            f"{WORKERS} Celery workers": ("--jobs", str(WORKERS), "--workers", "celery"),
        }
        found = {
            name: measured(environment, name, flags, batches, milliseconds) for name, flags in ways.items()
        }
    one = found["one process"]
    for name, seconds in found.items():
        say(f"{name:<20}{seconds:>8.2f} s{one / seconds:>8.2f} times")
    say(json.dumps({"batches": batches, "milliseconds": milliseconds, "seconds": found}))


@contextmanager
def stores(folder: Path) -> Iterator[dict[str, str]]:
    """Start PostgreSQL, Redis and a pool of Celery workers, and give the environment that knows them."""
    redis = ["redis-server", "--bind", "127.0.0.1", "--port", str(PORT), "--save", "", "--dir", str(folder)]
    with EmbeddedCluster(folder, ("postgres",), die_with_parent=True, delete=True) as cluster:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": f"{PROJECT}.settings",
            "DATABASE_URL": cluster.urls()["postgres"],
            "BATCHED_HEADS": str(folder / "heads.jsonl"),
            "BATCHED_BROKER": f"redis://127.0.0.1:{PORT}/0",
        }
        pool = [sys.executable, "-m", "celery", "-A", f"{PROJECT}.celery_app", "worker", "-Q", "batched"]
        with (
            ended(subprocess.Popen(redis, stdout=subprocess.DEVNULL)),
            ended(subprocess.Popen([*pool, "-c", str(WORKERS), "-l", "ERROR"], cwd=ROOT, env=environment)),
        ):
            yield environment


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process with the block."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def measured(
    environment: dict[str, str], name: str, flags: tuple[str, ...], batches: int, milliseconds: int
) -> float:
    """Return the seconds of one way to do the job, from the command's start to its end."""
    arguments = {"rows": batches * ROWS, "parts": 16, "size": ROWS, "wait": milliseconds / 1000}
    grow = f"INSERT INTO numbers SELECT generate_series(1, {batches * ROWS}) ON CONFLICT DO NOTHING"
    run(
        environment,
        "-c",
        f"import django; django.setup(); from django.db import connection as c\n"
        f"with c.cursor() as cursor: cursor.execute({grow!r})",
    )
    run(environment, "-c", BEGIN, name, json.dumps(arguments))
    started = time.perf_counter()
    run(environment, "-m", "django", "batch_jobs", "run", name, *flags)
    return time.perf_counter() - started


def run(environment: dict[str, str], *arguments: str) -> None:
    """Run Python, which must succeed."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
