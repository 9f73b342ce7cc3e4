"""
How fast migrations run, as ratios from one run.

    ./run setup && .venv/bin/python benchmarks/migrate.py [--runs N] [--only NAME]

It starts servers of its own on 127.0.0.1, measures ours and Django's own command in turn (A B A B ...),
prints a table, and stops them. Quote ratios: seconds depend on the machine and on what else it does.

- `nothing`: `migrate_all` with nothing to do over all stores of the sample project, against Django's
  `migrate` with nothing to do on PostgreSQL alone, same project. Target: at most 0.75.
- `wagtail`: the whole history of Wagtail on an empty database, against Django's `migrate`. At most 1.05.
- `planning`: 10,000 steps of four stores, from the steps to the plan's digest. Under 0.3 s and 200 MB.
- `lanes`: a step of 3 s in PostgreSQL and one in MongoDB, together against the one in PostgreSQL alone. At
  most 1.15.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from accord.embedded import EmbeddedCluster, postgres_binary
from benchmarks.measuring import ROOT, Measured, clean_environment, manage, measure, say


def in_turn(runs: int, *commands: Callable[[], Measured]) -> list[list[Measured]]:
    """Measure commands in turn, after one run of each that doesn't count."""
    for command in commands:
        command()
    rounds = [[command() for command in commands] for _ in range(runs)]
    return [list(results) for results in zip(*rounds, strict=True)]


def row(question: str, ours: list[Measured], peers: list[Measured], target: str) -> str:
    """Write one line of the table: medians, and the median of the ratios pair by pair."""

    def ratio(attribute: str) -> float:
        pairs = zip(ours, peers, strict=True)
        ratios = [float(getattr(a, attribute) / getattr(b, attribute)) for a, b in pairs]
        return statistics.median(ratios)

    our_wall, peer_wall = (statistics.median(each.wall for each in found) for found in (ours, peers))
    our_size, peer_size = (max(each.megabytes for each in found) for found in (ours, peers))
    return (
        f"| {question} | {our_wall:.2f} / {peer_wall:.2f} s | **{ratio('wall'):.2f}** | {ratio('cpu'):.2f} "
        f"| {our_size:.0f} / {peer_size:.0f} MB | {target} |"
    )


def nothing(runs: int, urls: Mapping[str, str]) -> str:
    """Measure runs with nothing to do."""
    environment = {
        **clean_environment(),
        "DATABASE_URL": urls["postgres"],
        "MONGODB_URL": urls["mongodb"],
        "ELASTICSEARCH_URL": urls["opensearch"],
    }
    measure(manage("migrate_all", "--noinput"), environment)
    measure(manage("migrate"), environment)
    ours, peers = in_turn(
        runs,
        lambda: measure(manage("migrate_all"), environment),
        lambda: measure(manage("migrate"), environment),
    )
    return row("nothing to do: all stores / Django on PostgreSQL alone", ours, peers, "<= 0.75")


def wagtail(runs: int, urls: Mapping[str, str]) -> str:
    """Measure the whole history of Wagtail on empty databases."""

    def fresh(command: str) -> Measured:
        name = f"bench_{uuid.uuid4().hex[:10]}"
        psql(urls["postgres"], f"CREATE DATABASE {name} TEMPLATE template0")
        environment = {
            **clean_environment(),
            "DATABASE_URL": urlunsplit(urlsplit(urls["postgres"])._replace(path=f"/{name}")),
            "DJANGO_SETTINGS_MODULE": "tests.projects.wagtail_accord.settings",
        }
        try:
            return measure([sys.executable, "-m", "django", command, "--verbosity", "0"], environment)
        finally:
            psql(urls["postgres"], f"DROP DATABASE {name} WITH (FORCE)")

    ours, peers = in_turn(runs, lambda: fresh("migrate_all"), lambda: fresh("migrate"))
    return row("Wagtail on an empty database / Django", ours, peers, "<= 1.05")


SLOW_APP = {
    "slow/__init__.py": "",
    "slow/migrations/__init__.py": "",
    "slow/mongo_migrations/__init__.py": "",
    "slow/migrations/0001_wait.py": """
from django.db import migrations

class Migration(migrations.Migration):
    operations = [migrations.RunSQL("SELECT pg_sleep(3)", "SELECT 1")]
""",
    "slow/mongo_migrations/0001_wait.py": """
import time
import mongo_migrations as mongo

def wait(db, session):
    time.sleep(3)

class Migration(mongo.Migration):
    operations = [mongo.RunPython(wait, mongo.RunPython.noop)]
""",
    "slow_settings.py": """
from core.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "slow"]
""",
}


def lanes(runs: int, urls: Mapping[str, str], folder: Path) -> str:
    """Measure two slow steps that don't need each other beside one of them."""
    for name, text in SLOW_APP.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    environment = {
        **clean_environment(),
        "DATABASE_URL": urls["postgres"],
        "MONGODB_URL": urls["mongodb"],
        "ELASTICSEARCH_URL": urls["opensearch"],
        "PYTHONPATH": f"{ROOT}:{folder}",
        "DJANGO_SETTINGS_MODULE": "slow_settings",
    }
    measure(manage("migrate_all", "--noinput"), environment)

    def anew(*arguments: str) -> Measured:
        measure(manage("migrate_all", "slow", "zero", "--revert", "--noinput"), environment)
        return measure(manage("migrate_all", *arguments), environment)

    ours, peers = in_turn(runs, anew, lambda: anew("--store", "default"))
    return row("two steps of 3 s in two stores / one of them", ours, peers, "<= 1.15")


def planning(runs: int) -> str:
    """Measure planning 10,000 steps."""
    command = [sys.executable, "benchmarks/planning.py"]
    found = [json.loads(subprocess.check_output(command, cwd=ROOT)) for _ in range(runs)]
    seconds = statistics.median(each["seconds"] for each in found)
    size = max(each["megabytes"] for each in found)
    return (
        f"| planning {found[0]['steps']:,} steps | {seconds:.2f} s | | | {size:.0f} MB | < 0.3 s, < 200 MB |"
    )


def psql(url: str, statement: str) -> None:
    """Send one statement."""
    subprocess.run(
        [str(postgres_binary("psql")), "-X", "-q", "-c", statement, url], check=True, capture_output=True
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each command")
    parser.add_argument("--only", choices=("nothing", "wagtail", "planning", "lanes"))
    options = parser.parse_args()
    say("| question | median wall, ours / Django | wall ratio | CPU ratio | peak memory | target |")
    say("| --- | --- | --- | --- | --- | --- |")
    if options.only in (None, "planning"):
        say(planning(options.runs))
    if options.only == "planning":
        return
    names = ("postgres",) if options.only == "wagtail" else ("postgres", "mongodb", "opensearch")
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedCluster(Path(folder) / "servers", names, die_with_parent=True, delete=True) as cluster,
    ):
        urls = cluster.urls()
        if options.only in (None, "nothing"):
            say(nothing(options.runs, urls))
        if options.only in (None, "wagtail"):
            say(wagtail(options.runs, urls))
        if options.only in (None, "lanes"):
            say(lanes(options.runs, urls, Path(folder)))


if __name__ == "__main__":
    main()
