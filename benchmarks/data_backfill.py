"""
A column of every row filled: by `Backfill`, and by one UPDATE.

Targets: at least 0.6 of the speed of the UPDATE; no query of the application over 150 ms; memory that
doesn't grow with the table. The seconds of a run that has nothing to do (Python, Django, the plan) are taken
off ours.
"""

from __future__ import annotations

import statistics

from benchmarks.measuring import Measured, say
from benchmarks.postgres import Project, Watched

_FILL = """
from django.db import migrations
from migrator.operations import Backfill

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0001_initial")]
    operations = [Backfill("order", set={"total": "number * 2"}, backward={})]
"""
_UPDATE = "UPDATE shop_order SET total = number * 3"
_RUN, _BACK = (
    ("migrate_all", "--noinput"),
    ("--revert", "--step", "default:shop.0002_fill", "--even-with-data"),
)


def measure(project: Project, times: int) -> None:
    """Fill the column in both ways, as often as wanted."""
    (project.folder / "shop/migrations/0002_fill.py").write_text(_FILL)
    say("| way | seconds | speed | longest query | memory |")
    say("| --- | --- | --- | --- | --- |")
    bare, ours, memory = [], [], []
    for _ in range(times):
        bare.append(project.watched(lambda: project.send(_UPDATE)))
        project.send("VACUUM shop_order")
        one, used = _by_us(project)
        ours.append(one)
        memory.append(used.megabytes)
        project.send("VACUUM shop_order")
    _say("one UPDATE", bare, bare, "")
    _say("Backfill", ours, bare, f"{max(memory):.0f} MB")


def _by_us(project: Project) -> tuple[Watched, Measured]:
    used: list[Measured] = []
    found = project.watched(lambda: used.append(project.measured(*_RUN)))
    idle = project.measured(*_RUN)
    project.manage(*_RUN, *_BACK)
    return Watched(found.wall - idle.wall, found.longest), used[0]


def _say(way: str, found: list[Watched], bare: list[Watched], memory: str) -> None:
    wall, other = (statistics.median(one.wall for one in each) for each in (found, bare))
    longest = 1_000 * max(one.longest for one in found)
    say(f"| {way} | {wall:.2f} | {other / wall:.2f} | {longest:.0f} ms | {memory} |")
