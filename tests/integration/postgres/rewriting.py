"""A large live table in the small: a migration of it goes in parts, is killed, taken up, undone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connections

from accord.events import Event, StepNoted, StepProgressed, StepWaited
from accord.seam.foretelling import Foretold
from accord.seam.rewriting import Extent, Rewriting
from accord.seam.types import Direction, Lease, StepKey
from migrator.relational.store import RelationalStore
from tests.conformance.harness_relational import RelationalHarness

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
                ("at", models.IntegerField()),
                ("code", models.CharField(max_length=20)),
                ("maybe", models.IntegerField(null=True)),
                ("none", models.IntegerField(null=True)),
                ("whose", models.BigIntegerField()),
                ("label", models.ForeignKey("APP.label", models.CASCADE)),
                ("twin", models.ForeignKey("APP.label", models.CASCADE, null=True, related_name="+")),
            ],
            options={
                "indexes": [models.Index(fields=["-at"], name="plays_at")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(at__gte=0), name="plays_at_positive"),
                    models.UniqueConstraint(fields=["at", "code"], name="plays_once"),
                ],
            },
        ),
    ]
"""
SECOND = """import django.contrib.postgres.indexes
from django.db import migrations, models
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.functions import RandomUUID
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower, Random


class Migration(migrations.Migration):
    atomic = ATOMIC
    dependencies = [("APP", "0001_first")]
    operations = [OPERATIONS]
"""
CATALOG = """
SELECT 'column', attrelid::regclass::text,
       attname || ' ' || row_number() OVER (PARTITION BY attrelid ORDER BY attnum),
       concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
                 attcollation::regcollation,
                 (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
                  WHERE (adrelid, adnum) = (attrelid, attnum)))
FROM pg_attribute WHERE attrelid::regclass::text LIKE '{app}%' AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname,
       concat_ws(' ', pg_get_constraintdef(oid), contype, convalidated, condeferrable, condeferred,
                 conindid::regclass, conislocal, coninhcount, connoinherit)
FROM pg_constraint WHERE conrelid::regclass::text LIKE '{app}%'
UNION ALL
SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text,
       concat_ws(' ', pg_get_indexdef(indexrelid), indisunique, indimmediate,
                 indisvalid, indisready, indislive)
FROM pg_index WHERE indrelid::regclass::text LIKE '{app}%'
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, c.conname, tgfoid::regproc::text || tgenabled::text || tgtype
FROM pg_trigger t JOIN pg_constraint c ON c.oid = tgconstraint WHERE tgrelid::regclass::text LIKE '{app}%'
ORDER BY 1, 2, 3, 4
"""


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, and nothing is sent after it."""


class Live:
    """
    A table with rows, and a migration of it.

    Args:
        harness: Its store.
    """

    def __init__(self, harness: RelationalHarness) -> None:
        self.harness = harness
        self.notes: list[str] = []
        self.progressed: list[tuple[int, int | None]] = []
        self.sent: list[str] = []
        for name in harness.step_names:
            harness.remove(name)
        harness.write_revision("0001_first", FIRST)

    def write(self, operations: str, *, atomic: bool = True) -> None:
        """Write the second migration."""
        text = SECOND.replace("ATOMIC", str(atomic)).replace("OPERATIONS", operations)
        self.harness.write_revision("0002_second", text)

    def fill(self) -> None:
        """Put rows into the tables."""
        app = self.harness.app
        self.harness.execute(f"INSERT INTO {app}_label (name) VALUES ('blue'), ('red')")
        self.harness.execute(
            f"INSERT INTO {app}_play (at, code, maybe, whose, label_id) "
            f"SELECT n, 'c' || n, n, 1, (SELECT min(id) FROM {app}_label) FROM generate_series(1, 500) n"
        )

    def do(
        self, action: str, step: str = "0002_second", *, extent: Extent = Extent.EVERY, plainly: str = ""
    ) -> None:
        """Apply or revert a step as another process would; `plainly` is why it goes as it stands."""
        store = self._store(step, extent, plainly)
        lease = Lease(scope="test", owner="me", run_id="run", fence=int(time.time() * 1_000_000))
        getattr(store, action)(self.harness.step(step), lease, self._note)

    def _store(self, step: str, extent: Extent, plainly: str) -> RelationalStore:
        store = self.harness.store()
        key = StepKey(self.harness.alias, self.harness.app, step)
        store.settle(Rewriting(extent=extent, plainly={key: plainly} if plainly else {}))
        return store

    def foretold(self, *, extent: Extent = Extent.LARGE, plainly: str = "") -> Sequence[Foretold]:
        """Ask what would become of the second step."""
        store = self._store("0002_second", extent, plainly)
        return list(store.foretell([self.harness.step("0002_second")], Direction.APPLY))

    def _note(self, event: Event) -> None:
        if isinstance(event, StepProgressed):
            self.progressed.append((event.done, event.total))
            return
        # Beside others who write, a step waits now and then.
        assert isinstance(event, StepNoted | StepWaited)
        self.notes += [event.note] if isinstance(event, StepNoted) else []

    def by_django(self, to: str) -> None:
        """Have Django's own command migrate."""
        call_command("migrate", self.harness.app, to, database=self.harness.alias, verbosity=0)

    def catalog(self) -> list[tuple[Any, ...]]:
        """Return everything that the server holds of the tables."""
        return self.harness._query(CATALOG.format(app=self.harness.app))

    def ledger(self) -> Any:
        """Return how far the second step is; None when it isn't begun."""
        entry = self.harness.ledger_entries().get(f"{self.harness.app}.0002_second")
        return entry and (entry["state"], entry["position"])

    @contextmanager
    def listening(self, dies_at: int | None = None) -> Iterator[None]:
        """Take note of what is sent, and die before a statement of a given number."""
        self.sent = []

        def hear(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            if dies_at is not None and len(self.sent) >= dies_at:
                raise Killed
            self.sent.append(str(sql))
            return execute(sql, params, many, context)

        connection = connections[self.harness.alias]
        connection.execute_wrappers.append(hear)
        try:
            yield
        finally:
            connections[self.harness.alias].execute_wrappers.remove(hear)

    def die_at(self, moment: int, action: str) -> bool:
        """Do it and die before a statement; return whether it came so far."""
        with self.listening(moment):
            try:
                self.do(action)
            except Killed:
                connections[self.harness.alias].close()
                # As another process would: Django swaps the names of a renaming while it undoes it.
                self.harness.files_changed()
                return True
        return False
