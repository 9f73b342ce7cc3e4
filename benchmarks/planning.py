"""Plan 10,000 steps in this process, and print seconds and peak memory as JSON. Called by migrate.py."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "accord", "migrator"],
    SECRET_KEY="a-benchmark-that-plans-steps-and-signs-nothing-of-anybody",  # noqa: S106 guards nothing
)
django.setup()

from accord.seam.types import Source, Step, StepKey
from migrator.engine.drift import find_drift
from migrator.engine.graph import build_graph, refuse_conflicts
from migrator.engine.plan import Target, plan_forward

STEPS = 10_000
STORES = ("default", "mongodb", "search", "alembic")
APPS = 100
FOREIGN_EVERY = 10


def history() -> Iterator[Step]:
    """Make steps of 100 apps in four stores: each needs the last, every tenth one of another store too."""
    per_app = STEPS // APPS // len(STORES)
    for position, store in enumerate(STORES):
        for app in range(APPS):
            for number in range(per_app):
                yield step(position, store, app, number)


def step(position: int, store: str, app: int, number: int) -> Step:
    """Make one step."""
    needs = [StepKey(store, f"app{app}", f"{number - 1:04}_step")] if number else []
    if number % FOREIGN_EVERY == 0 and number and position:
        needs.append(StepKey(STORES[position - 1], f"app{app}", f"{number:04}_step"))
    key = StepKey(store, f"app{app}", f"{number:04}_step")
    content = f"operations = [{store!r}, {app}, {number}]\n".encode()
    source = Source(Path(f"{app}/{number:04}_step.py"), content)
    return Step(key=key, source=source, dependencies=tuple(needs))


def main() -> None:
    """Measure the way from steps to a digest."""
    steps = list(history())
    gc.freeze()  # as the commands do with what is loaded at the start
    started = time.perf_counter()
    graph = build_graph(steps, ranks={store: rank for rank, store in enumerate(STORES)})
    refuse_conflicts(graph)
    find_drift(graph, steps, {})
    plan = plan_forward(graph, (), Target())
    digest = plan.digest
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer = {"steps": len(plan), "digest": digest, "seconds": seconds, "megabytes": peak}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
