"""A table that writers write to all the time, and what they know of it, for tests of partitions."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from accord.events import Event
from accord.locks.patience import Patience
from accord.seam.types import Lease
from migrator.partitions.conversion import Conversion
from migrator.partitions.declaration import ByTime, Every, Partitioned
from migrator.partitions.declared import wanted_of
from migrator.partitions.standing import State, probe
from migrator.partitions.table import Catalog
from migrator.partitions.wanted import Wanted
from migrator.relational.locking import tries_on
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.rewriting import Killed

FIRST = """from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Label", fields=[("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
        ),
        migrations.CreateModel(
            "Play",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("at", models.DateTimeField()),
                ("code", models.CharField(max_length=20, db_default="none")),
                ("seconds", models.IntegerField(null=True)),
                ("label", models.ForeignKey("APP.label", models.CASCADE)),
            ],
            options={
                "db_table_comment": "Who heard what, and when: it's kept.",
                "indexes": [models.Index(fields=["-at", "code"], name="APP_play_newest")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(seconds__gte=0), name="APP_play_lasts"),
                    models.UniqueConstraint(fields=["at", "code", "id"], name="APP_play_once"),
                ],
            },
        ),
    ]
"""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 200
Row = tuple[Any, ...]


class Divided:
    """
    A table with rows, and its partitions.

    Args:
        harness: Of the database.
    """

    def __init__(self, harness: RelationalHarness) -> None:
        self.harness = harness
        for name in harness.step_names:
            harness.remove(name)
        harness.write_revision("0001_first", FIRST)
        self.app, self.table = harness.app, f"{harness.app}_play"
        self.declared = Partitioned(
            model=f"{self.app}.Play",
            key="at",
            by=ByTime(every=Every.MONTH, ahead=2),
            widen_primary_key=True,
        )
        self.witnessed = 0
        self.events: list[Any] = []
        self.acts: list[tuple[str, str]] = []

    def make(self, rows: int = 3000) -> None:
        """Make the tables, and fill them."""
        self.do("apply", "0001_first")
        self.harness.execute(f"INSERT INTO {self.app}_label (name) VALUES ('blue'), ('red')")
        self.harness.execute(
            f"INSERT INTO {self.table} (at, code, seconds, label_id) "
            f"SELECT timestamptz '2026-01-01 0:00Z' + n % {DAYS} * interval '1 day', 'c' || n, n, 1 + n % 2 "
            f"FROM generate_series(1, {rows}) n"
        )

    def do(self, action: str, step: str) -> None:
        """Apply or revert a step as another process would."""
        lease = Lease(scope="test", owner="me", run_id="run", fence=int(time.time() * 1_000_000))
        getattr(self.harness.store(), action)(self.harness.step(step), lease)

    @property
    def model(self) -> Any:
        """The model as its migration makes it."""
        return self.state_of_models.apps.get_model(self.app, "Play")

    @property
    def state_of_models(self) -> Any:
        """All models as migrations make them."""
        return MigrationLoader(connections[self.harness.alias]).project_state()

    @property
    def wanted(self) -> Wanted:
        """What is wanted of its table."""
        return wanted_of(self.declared, self.model, self.harness.alias)

    @property
    def catalog(self) -> Catalog:
        """The database's catalog."""
        return Catalog(connections[self.harness.alias])

    def conversion(self, patience: Patience | None = None) -> Conversion:
        """Return a conversion, as another process would begin it."""
        connection = connections[self.harness.alias]
        lease = Lease(scope="test", owner="me", run_id="run", fence=1)
        tries = tries_on(connection, "play", patience or Patience(budget=60), lease, self.hear)
        return Conversion(self.catalog, self.wanted, tries, self.hear, self._witness)

    def hear(self, event: Event) -> None:
        """Take note of an event."""
        self.events.append(event)

    def _witness(self) -> None:
        self.witnessed += 1

    @property
    def state(self) -> State:
        """How far it is."""
        return probe(self.catalog, self.wanted).state

    def rows(self, table: str = "") -> Sequence[Row]:
        """Read all rows, by key."""
        return self.harness._query(
            f"SELECT id, at, code, seconds, label_id FROM {table or self.table} ORDER BY id"
        )

    def query(self, sql: str) -> Sequence[Row]:
        """Ask."""
        return self.harness._query(sql)


class Writer(threading.Thread):
    """
    An application that inserts, updates, deletes and moves rows of its own, and knows what they are.

    Args:
        url: Of the database.
        divided: The table.
        ids: Keys of the rows that it may write.
        dice: Chance.
        over: Ends it.
    """

    def __init__(
        self, url: str, divided: Divided, ids: Sequence[int], dice: random.Random, over: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self._url, self._table, self._dice, self._over = url, divided.table, dice, over
        self._ids = list(ids)
        self.known: dict[int, Row | None] = {}
        self.acts = 0
        self.longest = 0.0
        self.failed: list[str] = []

    def run(self) -> None:
        with closing(psycopg2.connect(self._url)) as connection:
            cursor = connection.cursor()
            while not self._over.is_set():
                began, wrote = time.monotonic(), dict[int, Row | None]()
                try:
                    for _ in range(self._dice.randrange(1, 4)):
                        self._act(cursor, wrote)
                    if self._dice.random() < 0.1:
                        connection.rollback()
                        wrote = {}
                    connection.commit()
                except psycopg2.Error as exc:
                    self.failed.append(str(exc))
                    connection.rollback()
                    continue
                self.longest = max(self.longest, time.monotonic() - began)
                self.known |= wrote
                self._ids += [key for key in wrote if key not in self._ids]
                self.acts += len(wrote)
                time.sleep(0.001)

    def _act(self, cursor: Any, wrote: dict[int, Row | None]) -> None:
        moment = BEGIN + timedelta(days=self._dice.randrange(DAYS), seconds=self._dice.randrange(9999))
        code, seconds = (
            f"w{self._dice.randrange(10**9)}",
            self._dice.choice([None, self._dice.randrange(999)]),
        )
        chosen = self._dice.choice(self._ids)
        match self._dice.randrange(5):
            case 0:
                values = "at, code, seconds, label_id) VALUES (%s, %s, %s, 2)"
                cursor.execute(f"INSERT INTO {self._table} ({values} RETURNING id", [moment, code, seconds])
                [(chosen,)] = cursor.fetchall()
                wrote[chosen] = (chosen, moment, code, seconds, 2)
                return
            case 1:
                cursor.execute(f"DELETE FROM {self._table} WHERE id = %s", [chosen])
                wrote[chosen] = None
                return
            case 2:
                said, params = "at = %s", [moment, chosen]
            case _:
                said, params = "code = %s, seconds = %s", [code, seconds, chosen]
        back = "RETURNING id, at, code, seconds, label_id"
        cursor.execute(f"UPDATE {self._table} SET {said} WHERE id = %s {back}", params)
        if found := cursor.fetchall():
            wrote[chosen] = found[0]


@contextmanager
def writing(divided: Divided, dice: random.Random, writers: int = 4) -> Iterator[list[Writer]]:
    """Have writers write all the time, each some rows that no other one touches."""
    ids = [row[0] for row in divided.rows()]
    over = threading.Event()
    threads = [
        Writer(divided.harness.url, divided, ids[number::writers], random.Random(dice.random()), over)
        for number in range(writers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        over.set()
        for thread in threads:
            thread.join()


def known(before: Sequence[Row], writers: Sequence[Writer]) -> Sequence[Row]:
    """Return the rows that there have to be."""
    rows: dict[int, Row | None] = {row[0]: row for row in before}
    for writer in writers:
        rows |= writer.known
    return sorted(row for row in rows.values() if row is not None)


@contextmanager
def dying(divided: Divided, at: int) -> Iterator[list[bool]]:
    """Die before a statement of a given number, as by SIGKILL; yields what tells whether it came so far."""
    sent, died = [0], list[bool]()

    def hear(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        sent[0] += 1
        if sent[0] > at:
            raise Killed
        return execute(sql, params, many, context)

    connection = connections[divided.harness.alias]
    connection.execute_wrappers.append(hear)
    try:
        yield died
    except Killed:
        died.append(True)
        connection.close()
    finally:
        connection.execute_wrappers.remove(hear)
