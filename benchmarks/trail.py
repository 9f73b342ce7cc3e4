"""
How fast audit events are written, and what one of them costs an act, on a trail that is long already.

    ./run setup && .venv/bin/python benchmarks/trail.py [--events N]

It starts a PostgreSQL of its own on 127.0.0.1, migrates the sample project, writes, prints a table, and
stops it.

- `bulk`: events in calls of 10,000, one transaction each: by this process's own processor time, and by the
  clock.
- `one`: what an event adds to a transaction that is open already. Under 1 ms.
- `alone`: a transaction of nothing but an event, its head signed to the file outside.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from accord.embedded import EmbeddedCluster
from benchmarks.measuring import ROOT, clean_environment, manage, measure, say

if TYPE_CHECKING:
    from accord.audit.trail import Act

TOGETHER = 10_000
TIMES = 1_000


def bulk(events: int) -> tuple[float, float]:
    """Write many events; return seconds of this process's processor time and of the clock."""
    from django.db import transaction

    from accord.audit import trail

    started, spent = time.perf_counter(), 0.0
    for _ in range(events // TOGETHER):
        acts = made(TOGETHER)
        began = time.process_time()
        with transaction.atomic():
            trail.record_all(acts, actor=trail.SYSTEM)
        spent += time.process_time() - began
    return spent, time.perf_counter() - started


def made(count: int) -> list[Act]:
    """Make acts of an erasure's steps, each of another step."""
    from accord.audit.events import EventKind, ObjectKind
    from accord.audit.trail import Act

    return [
        Act(
            event=EventKind.ERASURE_STEP_DONE,
            object_kind=ObjectKind.ERASURE_STEP,
            object_ref=uuid.uuid4().hex,
            request_ref=uuid.uuid4().hex,
            counters={"found": number % 7, "affected": number % 7, "attempt": 1},
        )
        for number in range(count)
    ]


def one() -> float:
    """Return the seconds of an event within a transaction that holds a row already."""
    from django.contrib.auth.models import Group
    from django.db import transaction

    from accord.audit import trail

    (act,) = made(1)
    with transaction.atomic():
        Group.objects.update_or_create(name="benchmark", defaults={})
        began = time.perf_counter()
        trail.record_all([act], actor=trail.SYSTEM)
        return time.perf_counter() - began


def alone() -> float:
    """Return the seconds of a transaction that holds an event and nothing else."""
    from django.db import transaction

    from accord.audit import trail

    (act,) = made(1)
    began = time.perf_counter()
    with transaction.atomic():
        trail.record_all([act], actor=trail.SYSTEM)
    return time.perf_counter() - began


def spread(measured: Callable[[], float]) -> tuple[float, float]:
    """Measure many times; return the median and the ninety-fifth of a hundred, in milliseconds."""
    found = sorted(1_000 * measured() for _ in range(TIMES))
    return statistics.median(found), found[int(0.95 * TIMES)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="how many are written first")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedCluster(
            Path(folder) / "servers", ("postgres",), die_with_parent=True, delete=True
        ) as cluster,
    ):
        environment = {**clean_environment(), "DATABASE_URL": cluster.urls()["postgres"]}
        measure(manage("migrate", "--noinput"), environment)
        inside(options.events, environment)


def inside(events: int, environment: dict[str, str]) -> None:
    """Go on as a process of the project."""
    import django

    os.environ.update(environment, DJANGO_SETTINGS_MODULE="core.settings")
    os.chdir(ROOT)
    django.setup()
    spent, seconds = bulk(events)
    say("| question | measured | target |\n| --- | --- | --- |")
    say(f"| {events} events in bulk, a second of our processor time | {events / spent:.0f} | 100000 |")
    say(f"| the same, a second of the clock | {events / seconds:.0f} | |")
    for name, measured, target in (
        ("one event in an open transaction", one, "under 1 ms"),
        ("alone", alone, ""),
    ):
        median, slow = spread(measured)
        say(f"| {name} at {events} events: median, and 95 of 100 | {median:.2f}, {slow:.2f} ms | {target} |")


if __name__ == "__main__":
    main()
