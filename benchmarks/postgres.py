"""
How long an application waits while a table of a million rows is changed under it.

    ./run setup && .venv/bin/python benchmarks/postgres.py [--rows N] [--only NAME]

It starts a PostgreSQL of its own on 127.0.0.1 and makes a small project with one table. Four writers change
rows at a constant rate, and a reader holds a transaction open for a quarter of a second, again and again.
Each change is made three times and undone in between: by `migrate_all`, by Django's own `migrate`, and by the
statements that the server needs at least, sent by hand. For each the table gives the seconds of the whole
command and the longest query of the application meanwhile.

Targets: no query of the application over 150 ms while `migrate_all` works; its time at most 1.3 times that of
`migrate`. Quote ratios: seconds depend on the machine, and `migrate` waits for nobody's sake but its own.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg2

from accord.embedded import EmbeddedCluster
from benchmarks.measuring import ROOT, clean_environment, say

WRITERS, PAUSE, OPEN, FEW = 4, 0.01, 0.25, 100
_CHANGE = "UPDATE shop_order SET customer_id = customer_id + 1 WHERE id = %s"
_LOOK = "SELECT count(*) FROM shop_order WHERE id < %s"
CONFIG = """
import os
from urllib.parse import urlsplit
url = urlsplit(os.environ["DATABASE_URL"])
SECRET_KEY = "a-benchmark-that-guards-nothing-of-anybody"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "accord", "migrator", "shop"]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "USER": url.username,
    "PASSWORD": url.password or "", "HOST": url.hostname, "PORT": url.port,
}}
ACCORD = {"PROJECT": "benchmark"}
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
class Change:
    """
    One change of the table.

    Attributes:
        name: What it is called here.
        operation: As `makemigrations` writes it.
        bare: The statements that the server needs so that nobody waits.
        back: How they are undone.
    """

    name: str
    operation: str
    bare: Sequence[str]
    back: Sequence[str]


CHANGES = (
    Change(
        "index",
        'migrations.AddIndex("order", models.Index(fields=["note"], name="order_note"))',
        ["CREATE INDEX CONCURRENTLY order_note ON shop_order (note)"],
        ["DROP INDEX CONCURRENTLY order_note"],
    ),
    Change(
        "check",
        'migrations.AddConstraint("order", models.CheckConstraint(condition=models.Q(number__gte=0), '
        'name="order_number"))',
        [
            "ALTER TABLE shop_order ADD CONSTRAINT order_number CHECK (number >= 0) NOT VALID",
            "ALTER TABLE shop_order VALIDATE CONSTRAINT order_number",
        ],
        ["ALTER TABLE shop_order DROP CONSTRAINT order_number"],
    ),
    Change(
        "unique",
        'migrations.AddConstraint("order", models.UniqueConstraint(fields=["number"], name="order_once"))',
        [
            "CREATE UNIQUE INDEX CONCURRENTLY order_once ON shop_order (number)",
            "ALTER TABLE shop_order ADD CONSTRAINT order_once UNIQUE USING INDEX order_once",
        ],
        ["ALTER TABLE shop_order DROP CONSTRAINT order_once"],
    ),
    Change(
        "not null",
        'migrations.AlterField("order", "total", models.IntegerField())',
        [
            "ALTER TABLE shop_order ADD CONSTRAINT t CHECK (total IS NOT NULL) NOT VALID",
            "ALTER TABLE shop_order VALIDATE CONSTRAINT t",
            "ALTER TABLE shop_order ALTER total SET NOT NULL",
            "ALTER TABLE shop_order DROP CONSTRAINT t",
        ],
        ["ALTER TABLE shop_order ALTER total DROP NOT NULL"],
    ),
    Change(
        "column",
        'migrations.AddField("order", "state", models.CharField(max_length=9, default="new"))',
        [
            "ALTER TABLE shop_order ADD state varchar(9) DEFAULT 'new' NOT NULL",
            "ALTER TABLE shop_order ALTER state DROP DEFAULT",
        ],
        ["ALTER TABLE shop_order DROP state"],
    ),
    Change(
        "foreign key",
        'migrations.AddField("order", "buyer", models.ForeignKey("shop.customer", models.CASCADE, null=True)'
        ")",
        [
            "ALTER TABLE shop_order ADD buyer_id bigint",
            "CREATE INDEX CONCURRENTLY buyer ON shop_order (buyer_id)",
            (
                "ALTER TABLE shop_order ADD CONSTRAINT b FOREIGN KEY (buyer_id) REFERENCES shop_customer "
                "DEFERRABLE INITIALLY DEFERRED NOT VALID"
            ),
            "ALTER TABLE shop_order VALIDATE CONSTRAINT b",
        ],
        ["ALTER TABLE shop_order DROP buyer_id"],
    ),
)


@dataclass
class Application:
    """
    Four writers and a reader, as long as they are wanted.

    Args:
        url: The database.
        rows: How many rows there are.
    """

    url: str
    rows: int
    longest: float = 0.0
    queries: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Work while the body runs; a fault of a worker's is a fault of the measurement."""
        faults: list[BaseException] = []
        workers = [self._write] * WRITERS + [self._read]
        threads = [threading.Thread(target=self._safely, args=(one, faults)) for one in workers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        if faults:
            raise faults[0]

    def _safely(self, work: Callable[[], None], faults: list[BaseException]) -> None:
        try:
            work()
        except BaseException as exc:  # noqa: BLE001 - it is raised again where the measurement ends
            faults.append(exc)

    def _write(self) -> None:
        chance = random.Random(threading.get_ident())
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not self._over.wait(PAUSE):
                self._timed(cursor, _CHANGE, chance.randrange(1, self.rows))
        connection.close()

    def _read(self) -> None:
        connection = psycopg2.connect(self.url)
        while not self._over.wait(PAUSE):
            with connection, connection.cursor() as cursor:
                self._timed(cursor, _LOOK, FEW)
                self._over.wait(OPEN)
        connection.close()

    def _timed(self, cursor: Any, query: str, number: int) -> None:
        began = time.perf_counter()
        cursor.execute(query, [number])
        # Lost updates of two threads would only make a count smaller; the longest is what is looked for.
        self.longest = max(self.longest, time.perf_counter() - began)
        self.queries += 1


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
        self._folder = folder
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

    def manage(self, *arguments: str) -> None:
        """Run a command of the project, which must succeed."""
        command = [sys.executable, "-m", "django", *arguments]
        done = subprocess.run(
            command, env=self._environment, cwd=self._folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)

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

    def measure(self, change: Change) -> Mapping[str, Watched]:
        """Make a change in each way, and undo it in between."""
        second = self._folder / "shop/migrations/0002_change.py"
        second.write_text(SECOND.format(operation=change.operation))
        ours = self.watched(lambda: self.manage("migrate_all", "--noinput"))
        self.manage(
            "migrate_all", "--noinput", "--revert", "--step", "default:shop.0002_change", "--even-with-data"
        )
        django = self.watched(lambda: self.manage("migrate", "--noinput"))
        self.manage("migrate", "shop", "0001", "--noinput")
        bare = self.watched(lambda: self.send(*change.bare))
        self.send(*change.back)
        second.unlink()
        return {"ours": ours, "django": django, "bare": bare}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many rows the table has")
    parser.add_argument("--only", choices=[one.name for one in CHANGES], help="one change alone")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedCluster(
            Path(folder) / "servers", ("postgres",), die_with_parent=True, delete=True
        ) as cluster,
    ):
        project = Project(Path(folder), cluster.urls()["postgres"], options.rows)
        say("| change | migrate_all / migrate / by hand | ratio | longest query of the application |")
        say("| --- | --- | --- | --- |")
        for change in CHANGES:
            if options.only in (None, change.name):
                say(line(change, project.measure(change)))


def line(change: Change, found: Mapping[str, Watched]) -> str:
    """Write one line of the table."""
    walls = " / ".join(f"{one.wall:.2f}" for one in found.values())
    waits = " / ".join(f"{1_000 * one.longest:.0f}" for one in found.values())
    ratio = found["ours"].wall / found["django"].wall
    return f"| {change.name} | {walls} s | {ratio:.2f} | {waits} ms |"


if __name__ == "__main__":
    main()
