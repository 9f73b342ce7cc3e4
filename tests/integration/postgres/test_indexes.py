"""Indexes built without blocking writes, killed at their worst moments, on a real server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from accord.errors import ConflictingState, StepFailed
from accord.events import StepNoted
from accord.seam.types import Lease
from migrator.foretelling.ddl import rebuilt_beside_writers
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.test_kill import ROOT, arguments

pytestmark = pytest.mark.integration

TABLE = """from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Play", fields=[("id", models.BigAutoField(primary_key=True)), ("at", models.IntegerField())]
        ),
    ]
"""
INDEX = """from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("APP", "0001_play")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[AddIndexConcurrently("play", models.Index(OPTIONS, name="plays_at"))],
            state_operations=[migrations.AddIndex("play", models.Index(OPTIONS, name="plays_at"))],
        ),
    ]
"""
REMOVAL = """from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("APP", "0002_index")]
    operations = [RemoveIndexConcurrently("play", "plays_at")]
"""
UNIQUE = """from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class UniqueIndex(models.Index):
    def create_sql(self, model, schema_editor, using="", **kwargs):
        statement = super().create_sql(model, schema_editor, using, **kwargs)
        statement.template = statement.template.replace("CREATE INDEX", "CREATE UNIQUE INDEX")
        return statement


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("APP", "0001_play")]
    operations = [AddIndexConcurrently("play", UniqueIndex(fields=["at"], name="plays_at"))]
"""
ASKED = """
    SELECT 1 FROM pg_stat_activity
    WHERE query LIKE '%pg_stat_progress_create_index p%' AND pid <> pg_backend_pid()
"""
LEASE = Lease(scope="test", owner="me", run_id="run", fence=1)
LATER = Lease(scope="test", owner="me", run_id="later", fence=2**62)


@pytest.fixture
def plays(relational_harness: RelationalHarness) -> RelationalHarness:
    """Give a table with rows, and a step that would index it."""
    harness = relational_harness
    for name in harness.step_names:
        harness.remove(name)
    harness.write_revision("0001_play", TABLE)
    harness.write_revision(
        "0002_index", INDEX.replace("OPTIONS", 'fields=["-at"], condition=models.Q(at__gt=3)')
    )
    harness.store().apply(harness.step("0001_play"), LEASE)
    ask(harness, f"INSERT INTO {harness.app}_play (at) SELECT n % 100 FROM generate_series(1, 5000) n")
    return harness


def ask(harness: RelationalHarness, sql: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(harness.url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


def index(harness: RelationalHarness) -> tuple[Any, ...] | None:
    rows = ask(
        harness,
        "SELECT i.indexrelid, i.indisvalid AND i.indisready "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = 'plays_at'",
    )
    return rows[0] if rows else None


@contextmanager
def open_writer(harness: RelationalHarness) -> Iterator[None]:
    """Hold a transaction that a concurrent build has to wait for."""
    connection = psycopg2.connect(harness.url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {harness.app}_play (at) VALUES (7)")
            yield
            connection.commit()
    finally:
        connection.close()


def await_that(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def start(harness: RelationalHarness, step: str) -> subprocess.Popen[str]:
    command = [sys.executable, *arguments(harness, "apply", -1, step)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def builders(harness: RelationalHarness) -> list[int]:
    return [pid for (pid,) in ask(harness, "SELECT pid FROM pg_stat_progress_create_index")]


def kill_while_building(harness: RelationalHarness) -> None:
    process = start(harness, "0002_index")
    await_that(lambda: index(harness) and builders(harness))
    process.kill()
    process.communicate()


def test_rerun_waits_for_the_session_that_outlived_its_client(plays: RelationalHarness) -> None:
    """The server goes on building for a killed client; the rerun takes over its result."""
    with open_writer(plays):
        kill_while_building(plays)
        built = index(plays)
        assert built is not None
        rerun = start(plays, "0002_index")
        await_that(lambda: ask(plays, ASKED))
        assert builders(plays)
    out, err = rerun.communicate(timeout=60)

    assert rerun.returncode == 0, err
    assert "waited for a session" in out
    assert index(plays) == (built[0], True)
    assert "0002_index" in plays.recorded()


def test_unusable_leftover_is_dropped_and_built_anew(plays: RelationalHarness) -> None:
    """An index that a cut build left invalid is not taken for the real one."""
    with open_writer(plays):
        kill_while_building(plays)
        ask(plays, "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index")
        await_that(lambda: not builders(plays))
    leftover = index(plays)
    assert leftover is not None
    assert leftover[1] is False
    notes: list[str] = []

    plays.store().apply(plays.step("0002_index"), LATER, lambda event: note(notes, event))

    rebuilt = index(plays)
    assert rebuilt is not None
    assert rebuilt[1] is True
    assert rebuilt[0] != leftover[0]
    assert any("leftover" in found for found in notes)


def note(notes: list[str], event: object) -> None:
    assert isinstance(event, StepNoted)
    notes.append(event.note)


def test_index_of_the_same_definition_is_adopted(plays: RelationalHarness) -> None:
    """An index that somebody built by hand, as declared, is left as it is."""
    ask(plays, f'CREATE INDEX plays_at ON {plays.app}_play ("at" DESC) WHERE at > 3')
    by_hand = index(plays)

    plays.store().apply(plays.step("0002_index"), LEASE)

    assert index(plays) == by_hand
    assert "0002_index" in plays.recorded()


@pytest.mark.parametrize(
    "definition", ["(at DESC)", "(at) WHERE at > 3", "(at DESC) WHERE at > 4", "(at DESC, id) WHERE at > 3"]
)
def test_index_of_another_definition_is_a_conflict(plays: RelationalHarness, definition: str) -> None:
    """The name alone proves nothing: order, columns and condition count."""
    ask(plays, f"CREATE INDEX plays_at ON {plays.app}_play {definition}")

    with pytest.raises(ConflictingState, match="another definition"):
        plays.store().apply(plays.step("0002_index"), LEASE)

    assert "0002_index" not in plays.recorded()
    assert ask(plays, "SELECT 1 FROM pg_class WHERE relname LIKE 'accord_index_probe%'") == []


def test_index_on_another_table_is_a_conflict(plays: RelationalHarness) -> None:
    """An index of the name on a foreign table is never dropped or adopted."""
    ask(plays, "CREATE TABLE other (at integer)")
    ask(plays, "CREATE INDEX plays_at ON other (at)")

    with pytest.raises(ConflictingState, match="on the table other"):
        plays.store().apply(plays.step("0002_index"), LEASE)


def test_removal_and_its_revert_are_idempotent(plays: RelationalHarness) -> None:
    """An index that is gone already is removed; the way back builds it."""
    plays.write_revision("0003_removal", REMOVAL)
    store = plays.store()
    store.apply(plays.step("0002_index"), LEASE)
    ask(plays, "DROP INDEX plays_at")

    store.apply(plays.step("0003_removal"), LEASE)
    assert index(plays) is None

    store.revert(plays.step("0003_removal"), LEASE)
    built = index(plays)
    assert built is not None
    assert built[1] is True
    store.revert(plays.step("0002_index"), LEASE)
    assert index(plays) is None


BY_SQL = """from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("APP", "0001_play")]
    operations = [
        migrations.RunSQL(
            ["SELECT 1", ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS plays_at ON APP_play (at)", None)],
            "DROP INDEX CONCURRENTLY IF EXISTS plays_at",
        ),
    ]
"""


@pytest.mark.parametrize("lenient", ["IF NOT EXISTS", ""])
def test_index_of_its_own_sql_that_was_left_invalid_is_built_anew(
    plays: RelationalHarness, lenient: str
) -> None:
    """Neither taken for the real one nor for somebody else's; a usable one stays what it is."""
    plays.write_revision("0002_index", BY_SQL.replace("IF NOT EXISTS", lenient, 1))
    notes: list[str] = []
    with pytest.raises(StepFailed):
        plays.store().apply(plays.step("0002_index"), LEASE)
    [_, usable] = index(plays) or ()
    assert usable is False

    ask(plays, f"DELETE FROM {plays.app}_play WHERE id > 100")
    plays.store().apply(plays.step("0002_index"), LATER, lambda event: note(notes, event))

    [built, usable] = index(plays) or ()
    assert usable is True
    assert any("leftover of the index plays_at" in said for said in notes)
    if lenient:
        plays.store().forget(plays.step("0002_index"), LATER)
        plays.store().apply(plays.step("0002_index"), LATER)
        assert index(plays) == (built, True)


REBUILD = """from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("APP", "0001_play")]
    operations = [migrations.RunSQL("REINDEX INDEX CONCURRENTLY plays_at", migrations.RunSQL.noop)]
"""
NAMES = "SELECT relname FROM pg_class WHERE relname LIKE 'plays%' ORDER BY 1"


def test_leftovers_of_a_cut_rebuild_are_dropped_and_nothing_else(plays: RelationalHarness) -> None:
    """Each leaves an index that is written and never read; a valid one is somebody's, whatever its name."""
    table = f"{plays.app}_play"
    ask(plays, f"CREATE INDEX plays_at ON {table} (at)")
    ask(plays, f"CREATE INDEX plays_valid_ccnew ON {table} (id, at)")
    with (
        open_writer(plays),
        closing(psycopg2.connect(plays.url, options="-c statement_timeout=300")) as cut,
    ):
        cut.autocommit = True
        with pytest.raises(psycopg2.Error, match="statement timeout"):
            cut.cursor().execute("REINDEX INDEX CONCURRENTLY plays_at")
    assert ask(plays, NAMES) == [("plays_at",), ("plays_at_ccnew",), ("plays_valid_ccnew",)]

    plays.write_revision("0002_index", REBUILD)
    notes: list[str] = []
    plays.store().apply(plays.step("0002_index"), LEASE, lambda event: note(notes, event))

    assert ask(plays, NAMES) == [("plays_at",), ("plays_valid_ccnew",)]
    assert [said for said in notes if "REINDEX" in said] == [
        "an unusable leftover of a cut REINDEX, plays_at_ccnew, was dropped"
    ]


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("REINDEX INDEX CONCURRENTLY a.b", ("a.b",)),
        ('REINDEX (VERBOSE) TABLE CONCURRENTLY "T"; SELECT 1', ('"T"',)),
        ("REINDEX (CONCURRENTLY) TABLE t", ("t",)),
        ("REINDEX TABLE t", ()),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", ()),
    ],
)
def test_what_sql_rebuilds_beside_writers_is_read(sql: str, named: tuple[str, ...]) -> None:
    """As it writes the names; a rebuild under a lock leaves nothing."""
    assert rebuilt_beside_writers(sql) == named


def test_failed_unique_build_leaves_nothing_and_can_be_repeated(
    plays: RelationalHarness, tmp_path: Path
) -> None:
    """Duplicate rows stop the step; the unusable index goes away, and after a clean-up the rerun succeeds."""
    plays.write_revision("0002_index", UNIQUE)

    with pytest.raises(StepFailed):
        plays.store().apply(plays.step("0002_index"), LEASE)

    assert index(plays) is None
    ask(plays, f"DELETE FROM {plays.app}_play WHERE id > 100")
    plays.store().apply(plays.step("0002_index"), LEASE)
    built = index(plays)
    assert built is not None
    assert built[1] is True
