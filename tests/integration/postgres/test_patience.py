"""A step whose table is in use steps out of the queue, tries again, and names who is in its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from accord.errors import LockNotFree
from accord.events import StepWaited
from accord.locks.blockers import Wait, occupied
from accord.locks.patience import Patience
from accord.retry import Backoff
from accord.testing import RecordingReporter, make_lease
from tests.conformance.harness_relational import RelationalHarness

pytestmark = pytest.mark.integration
HEAD = "from django.db import connections, migrations, models\n"
STEP = """
class Migration(migrations.Migration):
    {head}
    operations = [{operations}]
"""
ADD_FIELD = 'migrations.AddField("shelf", "more", models.IntegerField(null=True))'
FIRST = """
from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True))]),
    ]
"""
LIMIT = 0.3
BUDGET = 30.0
LEASE = make_lease()


@pytest.fixture
def shelves(relational_harness: RelationalHarness, settings: Settings) -> RelationalHarness:
    """Give a database with one table that is in use, and a policy of short tries."""
    patient(settings)
    harness = relational_harness
    for name in harness.step_names:
        harness.remove(name)
    harness.write_revision("0001_shelf", FIRST)
    harness.store().apply(harness.step("0001_shelf"), LEASE)
    return harness


def patient(settings: Settings, budget: float = BUDGET) -> None:
    """Set how long steps wait."""
    policy = {"development": {"locks": {"lock_timeout": LIMIT, "budget": budget}}}
    settings.ACCORD = {**settings.ACCORD, "ENVIRONMENT": "development", "POLICY": policy}


def write(harness: RelationalHarness, operations: str = ADD_FIELD, more: str = "", head: str = "") -> None:
    """Write the second migration."""
    needs = f'dependencies = [("{harness.app}", "0001_shelf")]'
    harness.write_revision(
        "0002_more", HEAD + more + STEP.format(operations=operations, head=f"{needs}\n    {head}")
    )


def table(harness: RelationalHarness) -> str:
    """Name the table that is in use."""
    return f"{harness.app}_shelf"


def columns(harness: RelationalHarness) -> set[str]:
    """Name its columns."""
    return {
        name
        for (name,) in harness._query(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [table(harness)]
        )
    }


@contextmanager
def open_reader(harness: RelationalHarness) -> Iterator[psycopg2.extensions.connection]:
    """Keep a transaction open that has read the table."""
    with closing(psycopg2.connect(harness.url, application_name="night report")) as reader:
        reader.cursor().execute(f"SELECT count(*) FROM {table(harness)} WHERE 'jane@example.com' <> ''")
        yield reader


@contextmanager
def applications(harness: RelationalHarness, waited: list[float]) -> Iterator[None]:
    """Read the table all the time, as an application does, and note how long each read took."""
    over = threading.Event()

    def read() -> None:
        with closing(psycopg2.connect(harness.url)) as connection:
            connection.autocommit = True
            while not over.is_set():
                began = time.monotonic()
                connection.cursor().execute(f"SELECT count(*) FROM {table(harness)}")
                waited.append(time.monotonic() - began)
                time.sleep(0.01)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Ending(RecordingReporter):
    """A reporter that ends a transaction once it was named as being in the way."""

    def __init__(self, holder: psycopg2.extensions.connection, tries: int = 2) -> None:
        super().__init__()
        self._holder = holder
        self._tries = tries

    def __call__(self, event: object) -> None:
        """Keep the event; let the holder go."""
        super().__call__(event)  # type: ignore[arg-type]
        if isinstance(event, StepWaited) and event.tries >= self._tries:
            self._holder.rollback()


def test_readers_wait_no_longer_than_one_try(shelves: RelationalHarness) -> None:
    """Beside an open transaction that read it, a plain AddField holds nobody up; then it is done, once."""
    write(shelves)
    waited: list[float] = []

    with open_reader(shelves) as reader, applications(shelves, waited):
        heard = Ending(reader, tries=3)
        shelves.store().apply(shelves.step("0002_more"), LEASE, heard)

    assert len(waited) > 10
    assert max(waited) < LIMIT + 0.7  # a busy machine is slow by itself
    assert "more" in columns(shelves)
    assert shelves.recorded() == {"0001_shelf", "0002_more"}
    last = heard.of(StepWaited)[-1]
    assert last.what == f"AccessExclusiveLock on {table(shelves)}"
    assert "application “night report”, idle in transaction" in last.who
    assert f"last: SELECT count(*) FROM {table(shelves)} WHERE …" in last.who


def test_who_never_leaves_is_named_and_nothing_is_half_done(
    shelves: RelationalHarness, settings: Settings
) -> None:
    """The budget ends the step; the same command goes on once the table is free."""
    patient(settings, budget=1.0)
    write(shelves, f"{ADD_FIELD}, migrations.RunSQL('CREATE TABLE {shelves.app}_more (id int)')")

    with open_reader(shelves) as reader:
        began = time.monotonic()
        with pytest.raises(LockNotFree, match="night report") as caught:
            shelves.store().apply(shelves.step("0002_more"), LEASE)

        assert time.monotonic() - began < 4
        assert str(reader.info.backend_pid) in caught.value.message
        assert "jane" not in caught.value.message
        assert "more" not in columns(shelves)
        assert f"{shelves.app}_more" not in shelves.tables()
        assert shelves.recorded() == {"0001_shelf"}
    shelves.store().apply(shelves.step("0002_more"), LEASE)

    assert shelves.recorded() == {"0001_shelf", "0002_more"}
    assert f"{shelves.app}_more" in shelves.tables()


def test_a_long_pause_ends_when_the_table_is_free(
    shelves: RelationalHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to stay out for; a quarter of the pause is spent all the same."""
    monkeypatch.setattr(Patience, "BACKOFF", Backoff(first=0.4, factor=10.0, most=4.0, spread=0.0))
    write(shelves)

    with open_reader(shelves) as reader:
        began = time.monotonic()
        heard = Ending(reader)
        shelves.store().apply(shelves.step("0002_more"), LEASE, heard)
        took = time.monotonic() - began

    assert [wait.tries for wait in heard.of(StepWaited)] == [1, 2]
    assert 1.4 < took < 4.4, "both pauses would be 4.4 s"
    assert "more" in columns(shelves)


MODES = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
ASKED = MODES[3:]
"""What a change of a table asks for."""


def test_whether_a_lock_could_be_had_is_told_as_the_server_would(shelves: RelationalHarness) -> None:
    """For each lock that a change asks for, beside each that another session has."""
    told, meant = {}, {}
    with closing(psycopg2.connect(shelves.url)) as holder, closing(psycopg2.connect(shelves.url)) as asker:
        cursor = asker.cursor()
        cursor.execute("SELECT %s::regclass::oid, pg_backend_pid()", [table(shelves)])
        oid, pid = cursor.fetchone() or (0, 0)
        for held in MODES:
            holder.cursor().execute(f"LOCK TABLE {table(shelves)} IN {held} MODE")
            for wanted in ASKED:
                name = "".join(map(str.capitalize, wanted.split())) + "Lock"
                cursor.execute(occupied(Wait(mode=name, relation=table(shelves), oid=oid), pid))
                told[held, wanted] = bool(cursor.fetchall())
                meant[held, wanted] = not could_lock(asker, table(shelves), wanted)
            holder.rollback()
            cursor.execute(occupied(Wait(mode="AccessExclusiveLock", oid=oid), pid))
            assert cursor.fetchall() == []

    assert told == meant
    assert len(told) == len(MODES) * len(ASKED)


def could_lock(session: psycopg2.extensions.connection, table: str, mode: str) -> bool:
    """Ask the server for a lock that others may keep from us, and give it back."""
    try:
        session.cursor().execute(f"LOCK TABLE {table} IN {mode} MODE NOWAIT")
    except psycopg2.errors.LockNotAvailable:
        return False
    finally:
        session.rollback()
    return True


SIBLINGS = {
    "SQL in a transaction": ("migrations.RunSQL('ALTER TABLE {table} ADD more int')", "", "atomic = True"),
    "SQL without one": ("migrations.RunSQL('ALTER TABLE {table} ADD more int')", "", "atomic = False"),
    "an operation without one": (ADD_FIELD, "", "atomic = False"),
    "Python in a transaction": (
        "migrations.RunPython(act)",
        "def act(apps, editor):\n    editor.execute('ALTER TABLE {table} ADD more int')\n",
        "",
    ),
}


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("kind", SIBLINGS)
def test_whatever_leaves_nothing_of_itself_is_done_again(shelves: RelationalHarness, kind: str) -> None:
    """Operations, SQL and Python alike; each once, when the reader has gone."""
    operations, more, head = (part.replace("{table}", table(shelves)) for part in SIBLINGS[kind])
    write(shelves, operations, more, head)

    with open_reader(shelves) as reader:
        heard = Ending(reader)
        shelves.store().apply(shelves.step("0002_more"), LEASE, heard)

    assert len(heard.of(StepWaited)) >= 2
    assert "more" in columns(shelves)
    assert shelves.recorded() == {"0001_shelf", "0002_more"}
    assert setting(shelves) == "0"


@pytest.mark.parametrize("head", ["", "atomic = False"])
def test_a_model_gets_its_old_name_back_at_the_second_try(shelves: RelationalHarness, head: str) -> None:
    """Django's operation swaps its names while it is undone, and keeps them so when the table is in use."""
    write(shelves, 'migrations.RenameModel("Shelf", "Rack")', head=head)
    shelves.store().apply(shelves.step("0002_more"), LEASE)

    with closing(psycopg2.connect(shelves.url)) as reader:
        reader.cursor().execute(f"SELECT count(*) FROM {shelves.app}_rack")
        heard = Ending(reader)
        shelves.store().revert(shelves.step("0002_more"), LEASE, heard)

    assert len(heard.of(StepWaited)) >= 2
    assert table(shelves) in shelves.tables()
    assert shelves.recorded() == {"0001_shelf"}


def setting(harness: RelationalHarness) -> str:
    """Read the limit that the store's own session has afterwards."""
    with connections[harness.alias].cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        return str(cursor.fetchone()[0])


PYTHON = """
def act(apps, editor):
    with connections[editor.connection.alias].cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS {table}_tried (id int)")
        cursor.execute("INSERT INTO {table}_tried VALUES (1)")
        cursor.execute("ALTER TABLE {table} ADD more int")
"""


def test_python_outside_of_a_transaction_is_not_done_twice(shelves: RelationalHarness) -> None:
    """What it did before stands, and perhaps outside of the database; a person decides."""
    write(shelves, "migrations.RunPython(act)", PYTHON.format(table=table(shelves)), "atomic = False")

    with open_reader(shelves), pytest.raises(LockNotFree, match="night report") as caught:
        shelves.store().apply(shelves.step("0002_more"), LEASE)

    assert "wasn't tried again by itself" in caught.value.hint
    assert shelves._query(f"SELECT count(*) FROM {table(shelves)}_tried") == [(1,)]
    shelves.store().apply(shelves.step("0002_more"), LEASE)
    assert setting(shelves) == "0"


def test_rows_that_are_filled_in_batches_are_gone_on_with(shelves: RelationalHarness) -> None:
    """A row that an application holds is waited for, and what is filled stays filled."""
    field = 'migrations.{}("shelf", "more", models.IntegerField(null=True{}))'
    write(shelves, f"{field.format('AddField', '')}, {field.format('AlterField', ', default=5')}")
    store = shelves.store()
    store.apply(shelves.step("0002_more"), LEASE)
    shelves.execute(f"INSERT INTO {table(shelves)} SELECT generate_series(1, 9)")
    shelves.write_revision(
        "0003_filled",
        "from django.db import migrations\nfrom migrator.relational.safety.parts import Backfill\n"
        + STEP.format(
            operations='Backfill("shelf", "more")',
            head=f'atomic = False\n    dependencies = [("{shelves.app}", "0002_more")]',
        ),
    )
    with closing(psycopg2.connect(shelves.url, application_name="shop")) as holder:
        holder.cursor().execute(f"SELECT 1 FROM {table(shelves)} WHERE id = 3 FOR UPDATE")
        heard = Ending(holder)
        shelves.store().apply(shelves.step("0003_filled"), LEASE, heard)

    assert "shop" in heard.of(StepWaited)[-1].who
    assert shelves._query(f"SELECT DISTINCT more FROM {table(shelves)}") == [(5,)]


@pytest.mark.parametrize("patience", ["usual", "off"])
def test_where_nobody_is_in_the_way_one_statement_is_sent_more(
    shelves: RelationalHarness, settings: Settings, patience: str
) -> None:
    """The limit of the transaction, and no second connection; `off` sends what was sent before."""
    if patience == "off":
        settings.ACCORD = {**settings.ACCORD, "POLICY": {"development": {"locks": "off"}}}
    write(shelves)
    sent: list[str] = []

    def listen(execute: Any, sql: str, *rest: Any) -> Any:
        sent.append(sql)
        return execute(sql, *rest)

    store = shelves.store()
    with connections[shelves.alias].execute_wrapper(listen):
        store.apply(shelves.step("0002_more"), LEASE)

    # The look at how large the table is has a limit of its own, in any case.
    asked = max(place for place, sql in enumerate(sent) if "pg_table_size" in sql) + 1
    limits = [place for place, sql in enumerate(sent) if place > asked and "lock_timeout" in sql]
    change = next(place for place, sql in enumerate(sent) if "ADD COLUMN" in sql)
    assert len(limits) == (patience == "usual")
    assert all(place < change for place in limits)
    assert not [thread for thread in threading.enumerate() if thread.name == "locks"]


def test_an_index_built_beside_writers_waits_and_tells_for_whom(shelves: RelationalHarness) -> None:
    """It gives up never: what it would leave can't be used. Whom it waits for is told meanwhile."""
    write(
        shelves,
        'AddIndexConcurrently("shelf", models.Index(fields=["id"], name="shelf_ids"))',
        "from django.contrib.postgres.operations import AddIndexConcurrently\n",
        "atomic = False",
    )
    with closing(psycopg2.connect(shelves.url, application_name="long writer")) as writer:
        writer.cursor().execute(f"INSERT INTO {table(shelves)} DEFAULT VALUES")
        heard = Ending(writer, tries=1)
        shelves.store().apply(shelves.step("0002_more"), LEASE, heard)

    told = heard.of(StepWaited)
    assert "long writer" in told[0].who
    assert told[0].left is None
    assert shelves._query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'shelf_ids'::regclass") == [
        (True,)
    ]


def test_a_deadlock_with_the_application_is_tried_again(shelves: RelationalHarness) -> None:
    """The server ends us, who have no limit here; the step is done in the end, and recorded once."""
    other = f"{shelves.app}_other"
    shelves.execute(f"CREATE TABLE {other} (id int)")
    write(
        shelves,
        "migrations.RunSQL(['SET LOCAL lock_timeout = 0', \"SET LOCAL deadlock_timeout = '50ms'\", "
        f"'ALTER TABLE {table(shelves)} ADD more int', 'SELECT pg_sleep(0.2)', "
        f"'ALTER TABLE {other} ADD more int'])",
    )
    with closing(psycopg2.connect(shelves.url)) as writer:
        cursor = writer.cursor()
        # Its own look for deadlocks comes late, so that it is never the one that is ended.
        cursor.execute(f"SET deadlock_timeout = '20s'; INSERT INTO {other} VALUES (1)")
        thread = threading.Timer(0.1, cursor.execute, [f"INSERT INTO {table(shelves)} DEFAULT VALUES"])
        thread.start()
        heard = Ending(writer, tries=1)
        shelves.store().apply(shelves.step("0002_more"), LEASE, heard)
        thread.join()

    assert heard.of(StepWaited)
    assert "more" in columns(shelves)


@contextmanager
def vacuumed(harness: RelationalHarness) -> Iterator[None]:
    """Have the server's own vacuum work on the table, so slowly that it takes minutes."""
    harness.execute(
        f"INSERT INTO {table(harness)} SELECT generate_series(1, 200000); "
        f"ALTER TABLE {table(harness)} SET (autovacuum_vacuum_cost_delay = 100, "
        "autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1, "
        "autovacuum_vacuum_scale_factor = 0); "
        f"DELETE FROM {table(harness)} WHERE id % 2 = 0"
    )
    configure(harness, "SET autovacuum_naptime = '1s'")
    try:
        eventually(lambda: harness._query(VACUUMS, [f"%{table(harness)}%"]))
        yield
    finally:
        configure(harness, "RESET autovacuum_naptime")


def configure(harness: RelationalHarness, change: str) -> None:
    """Change a setting of the server."""
    with closing(psycopg2.connect(harness.url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"ALTER SYSTEM {change}")
        connection.cursor().execute("SELECT pg_reload_conf()")


VACUUMS = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'autovacuum: VACUUM%%' AND query LIKE %s"


def eventually(found: Callable[[], Any]) -> None:
    """Wait until something is there."""
    until = time.monotonic() + 60
    while not found():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.by_turns(3)
def test_a_vacuum_of_the_servers_own_gives_way_and_no_query_waits_for_that(
    shelves: RelationalHarness,
) -> None:
    """It yields to who has waited for a second: that is spent where no reader or writer waits behind us."""
    write(shelves)
    waited: list[float] = []

    with vacuumed(shelves), applications(shelves, waited):
        heard = RecordingReporter()
        shelves.store().apply(shelves.step("0002_more"), LEASE, heard)

    assert "autovacuum: VACUUM" in heard.of(StepWaited)[-1].who
    assert "more" in columns(shelves)
    assert max(waited) < 0.8, "a second would be the vacuum's"


def test_a_step_may_ask_for_more_and_gives_its_reason(shelves: RelationalHarness) -> None:
    """`locks` in the file goes over the policy's, for this step alone."""
    write(shelves, head='locks = {"budget": 0.4, "reason": "the night report reads for hours"}')

    with open_reader(shelves):
        began = time.monotonic()
        with pytest.raises(LockNotFree):
            shelves.store().apply(shelves.step("0002_more"), LEASE)

    assert time.monotonic() - began < 5


def test_limits_of_the_session_stay_where_they_are_shorter(shelves: RelationalHarness) -> None:
    """What a role's settings, or the migration's own SQL, allow is kept."""
    write(
        shelves,
        f'migrations.RunSQL("CREATE TABLE {shelves.app}_seen AS '
        "SELECT current_setting('lock_timeout') AS l\")",
    )
    store = shelves.store()
    setting(shelves)
    with connections[shelves.alias].cursor() as cursor:
        cursor.execute("SET lock_timeout = '80ms'")

    store.apply(shelves.step("0002_more"), LEASE)

    assert shelves._query(f"SELECT l FROM {shelves.app}_seen") == [("80ms",)]
    assert setting(shelves) == "80ms"
