"""Who has the tables of a plan open for long is named before a run waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from accord.locks import occupants
from accord.seam.types import Direction
from accord.testing import RecordingReporter
from migrator.engine.events import RunNoted
from migrator.engine.occupants import name_occupants
from migrator.engine.plan import Plan
from migrator.engine.request import Request
from migrator.lint.touched import touched
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.rewriting import Live
from tests.own_postgres import OLDER, programs, running

pytestmark = pytest.mark.integration
PREPARED = "PREPARE TRANSACTION 'order 7'"
LENGTHENS = 'migrations.AddField("play", "more", models.IntegerField(null=True))'


@pytest.fixture
def live(relational_harness: RelationalHarness) -> Live:
    """Give a table with rows, and a step that changes it."""
    found = Live(relational_harness)
    found.do("apply", "0001_first")
    found.fill()
    found.write(LENGTHENS)
    return found


@contextmanager
def reading(live: Live, table: str) -> Iterator[int]:
    """Keep a transaction open that has read a table; give its process."""
    with closing(psycopg2.connect(live.harness.url, application_name="night report")) as reader:
        reader.cursor().execute(f"SELECT count(*) FROM {table} WHERE 'jane@example.com' <> ''")
        yield reader.info.backend_pid


def told(live: Live) -> list[str]:
    """Ask the store about the second step."""
    store = live.harness.store()
    return list(store.occupants(touched(store, [live.harness.step("0002_second")]).tables))


def test_a_transaction_that_has_been_open_for_long_is_named(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its process and what it calls itself, no value; a short one isn't, nor one of another table."""
    play, label = f"{live.harness.app}_play", f"{live.harness.app}_label"

    with reading(live, play) as pid, reading(live, label):
        assert told(live) == []
        monkeypatch.setattr(occupants, "LONG", 0.0)
        [sentence] = told(live)

    assert sentence.startswith(f"{play}: held open by pid {pid} (user ")
    assert "application “night report”, idle in transaction" in sentence
    assert "jane" not in sentence
    assert told(live) == []


def test_nothing_is_asked_of_tables_that_are_not_there(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step makes them, or its SQL alone knows them."""
    monkeypatch.setattr(occupants, "LONG", 0.0)
    live.write("migrations.RunSQL('SELECT 1')")

    with reading(live, f"{live.harness.app}_play"):
        assert told(live) == []


@pytest.mark.parametrize(
    "operations",
    [
        "migrations.RunSQL('UPDATE APP_play SET at = 1')",
        "migrations.RunSQL(['ALTER TABLE public.\"APP_play\" ADD more int'])",
        'migrations.RunPython(lambda apps, editor: apps.get_model("APP", "play").objects.update(at=1))',
        'migrations.RunPython(lambda apps, editor: apps.get_model("APP.Play").objects.update(at=1))',
        """migrations.AddField("label", "most", models.ForeignKey("APP.play", models.CASCADE, null=True))""",
    ],
    ids=["SQL", "SQL with a schema", "code", "code in one word", "target of a key"],
)
def test_tables_of_sql_and_of_code_are_known(
    live: Live, monkeypatch: pytest.MonkeyPatch, operations: str
) -> None:
    """By the words of it alone; so is the table that a new key points at."""
    monkeypatch.setattr(occupants, "LONG", 0.0)
    live.write(operations)

    with reading(live, f"{live.harness.app}_play") as pid:
        assert [f"pid {pid}" in sentence for sentence in told(live)] == [True]


@pytest.mark.parametrize(
    ("operations", "unknown"),
    [
        ("migrations.RunSQL('DO $$ BEGIN END $$')", "DO"),
        ("migrations.RunPython(lambda apps, editor: editor.execute(str(1)))", "Raw Python"),
        ("migrations.RunPython(lambda apps, editor: apps.get_model(*'a b'.split()))", "Raw Python"),
        ("migrations.RunPython(lambda apps, editor: print())", "Raw Python"),
        ("migrations.RunPython(lambda apps, editor: editor.execute('SELECT 1'))", ""),
        ("migrations.RunPython(migrations.RunPython.noop)", ""),
        ("migrations.RunSQL('SELECT 1')", ""),
        (LENGTHENS, ""),
    ],
)
def test_what_nobody_can_tell_is_said_to_be_unknown(live: Live, operations: str, unknown: str) -> None:
    """With the step, and what of it, where the others are named: among the notes of a run."""
    live.write(operations)
    step, heard = live.harness.step("0002_second"), RecordingReporter()
    plan = Plan(direction=Direction.APPLY, steps=(step,), parents={})

    name_occupants({live.harness.alias: live.harness.store()}, Request(), plan, heard)

    notes = [event.note for event in heard.of(RunNoted)]
    told = [unknown in note and "0002_second" in note and "isn't known" in note for note in notes]
    assert told == ([True] if unknown else [])


@pytest.mark.by_turns(3)
def test_a_prepared_transaction_is_named_with_what_ends_it() -> None:
    """No session holds it, so that none can be ended; a server that comes along has none."""
    folder = programs(OLDER)
    if folder is None:
        pytest.skip(f"this machine has no PostgreSQL {OLDER} of its own")
    with running(folder) as url, closing(psycopg2.connect(url)) as writer:
        writer.autocommit = True
        cursor = writer.cursor()
        for sql in ("CREATE TABLE item (id int)", "BEGIN", "INSERT INTO item VALUES (1)", PREPARED):
            cursor.execute(sql)
        cursor.execute(occupants.QUERY, [["item", "other"], ["item", "other"], occupants.LONG])

        [found] = occupants.occupants_of(cursor.fetchall())

    assert found.tables == ("item",)
    assert "the prepared transaction “order 7” of accord" in str(found)
    assert "ROLLBACK PREPARED" in str(found)
