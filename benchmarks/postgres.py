"""
How long an application waits while a table of a million rows is changed under it.

    ./run setup && .venv/bin/python benchmarks/postgres.py [--rows N] [--only NAME] [--times N] [--peer]

It starts a PostgreSQL of its own on 127.0.0.1 and makes a small project with one table. Four writers change
rows at a constant rate, and a reader holds a transaction open for a quarter of a second, again and again.
Each change is made in each way in turn, and undone in between: by `migrate_all`, by Django's own `migrate`,
with `--peer` by `migrate` with the backend of django-pg-zero-downtime-migrations, and by the statements that
the server needs at least, sent by hand. For each the table gives the seconds of the whole command, the median
of some rounds because a reader comes when it comes, and the longest query of the application in any of them.

Targets: no query of the application over 150 ms while `migrate_all` works; its time at most 1.3 times that of
`migrate`. Quote ratios: seconds depend on the machine, and `migrate` waits for nobody's sake but its own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg2

from accord.embedded import EmbeddedCluster
from benchmarks import peers
from benchmarks.application import Application
from benchmarks.changes import CHANGES, Change
from benchmarks.measuring import ROOT, Measured, clean_environment, measure, say

CONFIG = """
import os
from urllib.parse import urlsplit
url = urlsplit(os.environ["DATABASE_URL"])
SECRET_KEY = "a-benchmark-that-guards-nothing-of-anybody"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "accord", "migrator", "shop"]
DATABASES = {"default": {
    "ENGINE": os.environ.get("ENGINE", "django.db.backends.postgresql"),
    "NAME": url.path[1:], "USER": url.username, "PASSWORD": url.password or "",
    "HOST": url.hostname, "PORT": url.port,
}}
ACCORD = {"PROJECT": "benchmark"}
# What the README of django-pg-zero-downtime-migrations asks for; read by its backend alone.
ZERO_DOWNTIME_MIGRATIONS_LOCK_TIMEOUT = "2s"
ZERO_DOWNTIME_MIGRATIONS_STATEMENT_TIMEOUT = "2s"
ZERO_DOWNTIME_MIGRATIONS_FLEXIBLE_STATEMENT_TIMEOUT = True
"""
FIRST = """
from django.db import migrations, models

class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Customer", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)),
            ("number", models.BigIntegerField()),
            ("customer_id", models.BigIntegerField()),
            ("total", models.IntegerField(null=True)),
            ("note", models.CharField(max_length=50)),
        ]),
    ]
"""
SECOND = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [{operation}]
"""


@dataclass(frozen=True)
class Watched:
    """
    One way of making a change.

    Attributes:
        wall: Seconds of all of it.
        longest: Seconds of the application's longest query meanwhile.
    """

    wall: float
    longest: float


class Project:
    """
    A small project with one large table.

    Args:
        folder: Where it is made.
        url: Its database.
        rows: How many rows.
    """

    def __init__(self, folder: Path, url: str, rows: int) -> None:
        self.folder = folder
        self._url = url
        self._rows = rows
        self._environment = {
            **clean_environment(),
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "config",
            "PYTHONPATH": f"{folder}:{ROOT}",
        }
        (folder / "shop" / "migrations").mkdir(parents=True)
        (folder / "config.py").write_text(CONFIG)
        for name in ("shop/__init__.py", "shop/models.py", "shop/migrations/__init__.py"):
            (folder / name).touch()
        (folder / "shop/migrations/0001_initial.py").write_text(FIRST)
        self.manage("migrate_all", "--noinput")
        self.send(
            f"INSERT INTO shop_order (number, customer_id, total, note) "
            f"SELECT n, n % 1000, n, 'order ' || n FROM generate_series(1, {rows}) AS n",
            "VACUUM ANALYZE shop_order",
        )

    def manage(self, *arguments: str, peer: Path | None = None) -> None:
        """Run a command of the project, which must succeed; with a peer's backend, where one is given."""
        command = [sys.executable, "-m", "django", *arguments]
        environment = self._environment
        if peer is not None:
            path = f"{environment['PYTHONPATH']}:{peer}"
            environment = {**environment, "PYTHONPATH": path, "ENGINE": peers.ENGINE}
        done = subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)

    def measured(self, *arguments: str) -> Measured:
        """Run a command of the project as above, and let the system account for it."""
        return measure([sys.executable, "-m", "django", *arguments], self._environment)

    def send(self, *statements: str) -> None:
        """Send statements, each a transaction of its own."""
        connection = psycopg2.connect(self._url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()

    def watched(self, act: Callable[[], None]) -> Watched:
        """Do something while the application works."""
        application = Application(self._url, self._rows)
        with application.at_work():
            time.sleep(1)
            quiet, application.longest = application.longest, 0.0
            began = time.perf_counter()
            act()
            wall = time.perf_counter() - began
        if not application.queries:
            raise SystemExit(f"The application did nothing (quiet: {quiet}).")
        return Watched(wall, application.longest)

    def measure(self, change: Change, peer: Path | None) -> Mapping[str, Watched]:
        """Make a change in each way, and undo it in between."""
        second = self.folder / "shop/migrations/0002_change.py"
        second.write_text(SECOND.format(operation=change.operation))
        ours = self.watched(lambda: self.manage("migrate_all", "--noinput"))
        self.manage(
            "migrate_all", "--noinput", "--revert", "--step", "default:shop.0002_change", "--even-with-data"
        )
        django = self.watched(lambda: self.manage("migrate", "--noinput"))
        self.manage("migrate", "shop", "0001", "--noinput")
        found = {"ours": ours, "django": django}
        if peer is not None:
            found["peer"] = self.watched(lambda: self.manage("migrate", "--noinput", peer=peer))
            self.manage("migrate", "shop", "0001", "--noinput")
        found["bare"] = self.watched(lambda: self.send(*change.bare))
        self.send(*change.back)
        second.unlink()
        return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many rows the table has")
    parser.add_argument("--only", choices=[one.name for one in CHANGES], help="one change alone")
    parser.add_argument("--times", type=int, default=3, help="how many rounds")
    parser.add_argument("--peer", action="store_true", help="get the peer, if it isn't there, and measure it")
    options = parser.parse_args()
    peer = peers.zero_downtime() if options.peer else None
    if peer is None:
        say(f"{peers.NAME} is absent here." if options.peer else f"Without {peers.NAME} (--peer).")
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedCluster(
            Path(folder) / "servers", ("postgres",), die_with_parent=True, delete=True
        ) as cluster,
    ):
        project = Project(Path(folder), cluster.urls()["postgres"], options.rows)
        say(
            f"| change | migrate_all / migrate /{' peer /' if peer else ''} by hand | ratio | longest query |"
        )
        say("| --- | --- | --- | --- |")
        for change in CHANGES:
            if options.only in (None, change.name):
                say(line(change, [project.measure(change, peer) for _ in range(options.times)]))


def line(change: Change, rounds: Sequence[Mapping[str, Watched]]) -> str:
    """Write one line of the table."""
    walls = {way: statistics.median(found[way].wall for found in rounds) for way in rounds[0]}
    waits = {way: max(found[way].longest for found in rounds) for way in rounds[0]}
    told = " / ".join(f"{wall:.2f}" for wall in walls.values())
    longest = " / ".join(f"{1_000 * wait:.0f}" for wait in waits.values())
    ratio = f"{walls['ours'] / walls['django']:.2f}"
    if "peer" in walls:
        ratio += f", peer's {walls['peer'] / walls['django']:.2f}"
    return f"| {change.name} | {told} s | {ratio} | {longest} ms |"


if __name__ == "__main__":
    main()
