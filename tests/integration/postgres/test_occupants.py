"""Who has the tables of a plan open for long is named before a run waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from accord.locks import occupants
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
    return list(live.harness.store().occupants([live.harness.step("0002_second")]))


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
