"""A table is divided beside those who write to it, and put back; killed, refused, changed meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import NotSupportedError, connections
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from accord.errors import AccordError, ConflictingState, LockNotFree, StepFailed
from accord.events import StepProgressed
from accord.locks.patience import Patience
from migrator.errors import NotPartitionable
from migrator.partitions import copying, telling
from migrator.partitions.declaration import ByHash, ByList, ByTime, Every, Partitioned
from migrator.partitions.mirror import Mirror
from migrator.partitions.standing import State
from migrator.relational.catalog import Catalog as Live
from tests.chance import SOAK, chance
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.dividing import BEGIN, Divided, dying, known, writing
from tests.integration.postgres.rewriting import CATALOG, Killed

pytestmark = pytest.mark.integration


@pytest.fixture
def divided(relational_harness: RelationalHarness) -> Divided:
    """Give a table with 3,000 rows of 200 days."""
    found = Divided(relational_harness)
    found.make()
    return found


def catalog(divided: Divided) -> list[Any]:
    return divided.harness._query(CATALOG.format(app=divided.app))


def differences(divided: Divided) -> list[str]:
    """Compare the table with what its model declares, as `--check-live` does."""
    names = {"id", "at", "code", "seconds", "label", "", f"{divided.app}_play_once"}
    live = Live(divided.harness.alias, divided.state_of_models)
    return [found.difference.text for found in live.findings({(divided.app, "play"): names})]


def test_divided_beside_writers_and_put_back(divided: Divided) -> None:
    """Nothing that they wrote is lost, stale or back again: after the conversion, and after the way back."""
    before = divided.rows()
    with writing(divided, chance("divided")) as writers:
        time.sleep(0.2)
        assert divided.conversion().convert() is State.CONVERTED
        time.sleep(0.2)
    there = known(before, writers)
    assert not [text for writer in writers for text in writer.failed]
    assert divided.rows() == there
    assert divided.rows(f"{divided.table}_accord_old") == there
    assert sum(writer.acts for writer in writers) > 100
    assert not any("repaired" in str(getattr(event, "note", "")) for event in divided.events)

    with writing(divided, chance("back")) as writers:
        time.sleep(0.2)
        assert divided.conversion().revert() is State.PLAIN
        time.sleep(0.2)
    assert not [text for writer in writers for text in writer.failed]
    assert divided.rows() == known(there, writers)
    assert divided.witnessed == 2


def test_divided_table_is_what_its_model_declares(divided: Divided) -> None:
    """By names and definitions, with all that hangs on it; put back, the catalog is as it was."""
    before = catalog(divided)
    divided.conversion().convert()

    assert differences(divided) == []
    parts = divided.query(
        f"SELECT relid::regclass::text FROM pg_partition_tree('{divided.table}') WHERE isleaf ORDER BY 1"
    )
    assert f"{divided.table}_p2026_03" in [name for (name,) in parts]
    assert divided.query(f"SELECT count(*) FROM {divided.table}_pdefault") == [(0,)]
    keys = "SELECT convalidated FROM pg_constraint WHERE contype = 'f' AND conrelid ="
    assert divided.query(f"{keys} '{divided.table}'::regclass") == [(True,)]
    said = f"SELECT obj_description('{divided.table}'::regclass)"
    assert divided.query(said) == [("Who heard what, and when: it's kept.",)]

    divided.conversion().revert()
    assert catalog(divided) == before
    assert divided.query(said) == [("Who heard what, and when: it's kept.",)]
    assert divided.query("SELECT count(*) FROM pg_proc WHERE proname ~ 'accord_mirror'") == [(0,)]


def test_django_goes_on_by_the_key_that_its_model_knows(divided: Divided) -> None:
    """Rows are made, found, moved to another partition and deleted; numbers go on, there and back."""
    plays = divided.model.objects.using(divided.harness.alias)
    last = max(row[0] for row in divided.rows())
    divided.conversion().convert()

    made = plays.create(at=BEGIN, code="new", label_id=1)
    assert made.pk == last + 1
    made.at = BEGIN + timedelta(days=100)
    made.save()
    assert plays.get(pk=made.pk).at == made.at
    divided.conversion().revert()
    assert plays.create(at=BEGIN, code="newer", label_id=1).pk == last + 2
    made.delete()

    assert not plays.filter(pk=last + 1).exists()


@pytest.mark.parametrize("ways", [("convert",), ("revert",)], ids=["ended", "undone"])
def test_who_was_thought_dead_puts_no_trigger_on_what_others_made(
    divided: Divided, ways: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its copy is in use, or gone, when it wakes up: by that trigger every write would be refused."""
    real = Mirror.stands

    def stands(mirror: Mirror, catalog: Any) -> bool:
        monkeypatch.setattr(Mirror, "stands", real)
        found = real(mirror, catalog)
        for way in ways:
            getattr(divided.conversion(), way)()
        return found

    monkeypatch.setattr(Mirror, "stands", stands)
    with pytest.raises(StepFailed, match="meanwhile"):
        divided.conversion().convert()

    write(divided, f"UPDATE {divided.table} SET code = 'later' WHERE id = 1")
    assert divided.state is (State.PLAIN if ways == ("revert",) else State.CONVERTED)


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("way", ["convert", "revert"])
def test_killed_anywhere_it_ends_as_if_it_had_not_been(
    divided: Divided, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a statement, each time a little later; the next call goes on, and each row is there once."""
    monkeypatch.setattr(copying, "ROWS", 1000)
    divided.conversion().convert()
    wanted = differences(divided), partitions(divided)
    if way == "convert":
        divided.conversion().revert()
        before = divided.rows()
    before = divided.rows()
    dice, at, deaths = chance(f"killed {way}"), 0, 0
    while True:
        at += 1 if SOAK else dice.randrange(3, 12)
        with dying(divided, at) as died:
            getattr(divided.conversion(), way)()
        if not died:
            break
        deaths += 1
        write(divided, f"UPDATE {divided.table} SET code = 'at {at}' WHERE id = {before[deaths][0]}")
        assert deaths < 300

    assert deaths > 5
    changed = [row for row in divided.rows() if row[2].startswith("at ")]
    assert len(changed) == deaths
    assert len(divided.rows()) == len(before)
    if way == "convert":
        assert (differences(divided), partitions(divided)) == wanted
        assert divided.rows(f"{divided.table}_accord_old") == divided.rows()
    else:
        assert divided.state is State.PLAIN


def partitions(divided: Divided) -> list[Any]:
    return divided.harness._query(
        "SELECT relid::regclass::text, pg_get_expr(relpartbound, oid) "
        f"FROM pg_partition_tree('{divided.table}') JOIN pg_class c ON c.oid = relid ORDER BY 1"
    )


def write(divided: Divided, statement: str) -> None:
    divided.harness.execute(statement)


FUNCTION = "CREATE FUNCTION {app}_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
IN_THE_WAY = {
    "a view": ("CREATE VIEW {app}_view AS SELECT id FROM {table}", "On it hang: view {app}_view."),
    "a trigger": (
        f"{FUNCTION}; CREATE TRIGGER t AFTER INSERT ON {{table}} FOR EACH ROW EXECUTE FUNCTION {{app}}_f()",
        "trigger t on table {table}",
    ),
    "a key of others": (
        "CREATE TABLE {app}_x (play bigint REFERENCES {table})",
        "constraint {app}_x_play_fkey on table {app}_x",
    ),
    "NULL": ("ALTER TABLE {table} ALTER at DROP NOT NULL", "at may be NULL"),
    "uniqueness": ("CREATE UNIQUE INDEX {app}_u ON {table} (code)", "{app}_u is unique over (code)"),
    "not validated": (
        "ALTER TABLE {table} ADD CONSTRAINT {app}_c CHECK (code <> '') NOT VALID",
        "never held to: {app}_c (NOT VALID)",
    ),
    "a publication": ("CREATE PUBLICATION {app}_p FOR TABLE {table}", "subscribers: {app}_p"),
    "row security": ("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", "It has row level security"),
    "itself": (
        "ALTER TABLE {table} ADD twin bigint REFERENCES {table}",
        "{table}_twin_fkey refers to the table itself",
    ),
    "an inheritor": ("CREATE TABLE {app}_heir () INHERITS ({table})", "table {app}_heir"),
    "exclusion": (
        "ALTER TABLE {table} ADD CONSTRAINT {app}_e EXCLUDE USING btree (id WITH =)",
        "{app}_e excludes rows",
    ),
    "its key": ("ALTER TABLE {table} DROP CONSTRAINT {table}_pkey", "It has no primary key"),
}


@pytest.mark.by_turns(3)
def test_what_can_not_be_divided_is_told_before_anything_is_made(divided: Divided) -> None:
    """Each thing that would be lost, or stay with the old table; and nothing stands afterwards."""
    names = {"app": divided.app, "table": divided.table}
    for what, (statement, words) in IN_THE_WAY.items():
        with closing(psycopg2.connect(divided.harness.url)) as connection, connection.cursor() as cursor:
            cursor.execute(statement.format(**names))
            connection.commit()
        with pytest.raises(NotPartitionable) as refused:
            divided.conversion().convert()
        assert words.format(**names) in str(refused.value), what
        assert divided.state is State.PLAIN
        undo(divided)


def undo(divided: Divided) -> None:
    """Take everything away again that is in the way."""
    app, table = divided.app, divided.table
    for statement in (
        f"DROP VIEW IF EXISTS {app}_view",
        f"DROP TRIGGER IF EXISTS t ON {table}",
        f"DROP TABLE IF EXISTS {app}_x, {app}_heir",
        f"ALTER TABLE {table} ALTER at SET NOT NULL",
        f"DROP INDEX IF EXISTS {app}_u",
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {app}_c",
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {app}_e",
        f"DROP PUBLICATION IF EXISTS {app}_p",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} DROP COLUMN IF EXISTS twin",
    ):
        write(divided, statement)


def test_primary_key_is_widened_by_agreement_alone(divided: Divided) -> None:
    """Without the word it is refused, with what is lost; where nothing makes ids, it is refused anyhow."""
    divided.declared = replace(divided.declared, widen_primary_key=False)
    with pytest.raises(NotPartitionable, match="It can become \\(id, at\\)"):
        divided.conversion().convert()
    divided.declared = replace(divided.declared, widen_primary_key=True)
    write(divided, f"ALTER TABLE {divided.table} ALTER id DROP IDENTITY")

    with pytest.raises(NotPartitionable, match="neither sequence nor UUID"):
        divided.conversion().convert()


@pytest.mark.by_turns(3)
@pytest.mark.parametrize(
    ("key", "by", "widen"),
    [
        ("id", ByHash(parts=4), False),
        ("code", ByList(lists={"few": ["c1", "it's"], "one": ["c2"]}), True),
        ("at", ByTime(every=Every.WEEK, ahead=1, default=False), True),
        ("at", ByTime(every=Every.YEAR, ahead=1), True),
    ],
    ids=["hash", "list", "week", "year"],
)
def test_divided_in_other_ways(divided: Divided, key: str, by: Any, widen: bool) -> None:
    """By hash of the key, which stays as it is; by values, with a rest; by other periods."""
    before = divided.rows()
    divided.declared = Partitioned(model=divided.declared.model, key=key, by=by, widen_primary_key=widen)

    divided.conversion().convert()

    assert divided.rows() == before
    assert len({name for name, _ in partitions(divided)}) > 2
    assert differences(divided) == []
    divided.conversion().revert()
    assert divided.rows() == before


def test_can_not_be_truncated_while_two_copies_are_kept(divided: Divided) -> None:
    """No row trigger hears of that; the application is told, and the rows are there still."""
    divided.conversion().convert()

    with pytest.raises(psycopg2.Error, match="can't be truncated"):
        write(divided, f"TRUNCATE {divided.table}")

    assert len(divided.rows()) == 3000


def test_writers_past_the_mirror_are_found_and_repaired(divided: Divided) -> None:
    """Who switches triggers off leaves rows that differ: before the swap every window is compared."""
    conversion = divided.conversion()
    with dying_at_swap(divided):
        conversion.convert()
    write(
        divided,
        f"ALTER TABLE {divided.table} DISABLE TRIGGER USER; DELETE FROM {divided.table} WHERE id = 7; "
        f"UPDATE {divided.table} SET code = 'past' WHERE id = 8; "
        f"INSERT INTO {divided.table} (at, code, label_id) VALUES ('2026-02-02', 'past', 1)",
    )
    before = divided.rows()

    divided.conversion().convert()

    assert divided.rows() == before
    assert any("repaired" in str(getattr(event, "note", "")) for event in divided.events)


@contextmanager
def dying_at_swap(divided: Divided) -> Iterator[None]:
    """Die when the tables are about to be locked."""

    def hear(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if "LOCK TABLE ONLY" in sql and "ACCESS EXCLUSIVE" in sql:
            raise Killed
        return execute(sql, params, many, context)

    with connections[divided.harness.alias].execute_wrapper(hear), pytest.raises(Killed):
        yield
    connections[divided.harness.alias].close()


def test_old_snapshot_can_not_bring_a_row_back(divided: Divided) -> None:
    """Who deletes under a snapshot from before the copy is refused, as of any row that changed."""
    with closing(psycopg2.connect(divided.harness.url)) as connection:
        connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)
        cursor = connection.cursor()
        cursor.execute("SELECT 1 FROM pg_class")
        with dying_at_swap(divided):
            divided.conversion().convert()

        with pytest.raises(psycopg2.errors.SerializationFailure):
            cursor.execute(f"DELETE FROM {divided.table} WHERE id = 7")
        connection.rollback()
        cursor.execute(f"DELETE FROM {divided.table} WHERE id = 7")
        connection.commit()

    divided.conversion().convert()
    assert 7 not in {row[0] for row in divided.rows()}


def test_table_that_is_changed_meanwhile_stays_in_use(divided: Divided) -> None:
    """The other copy hasn't got the new column: it doesn't take the place, and is dropped to begin anew."""
    with dying_at_swap(divided):
        divided.conversion().convert()
    write(divided, f"ALTER TABLE {divided.table} ADD mood text")

    with pytest.raises(StepFailed, match="its columns aren't those"):
        divided.conversion().convert()
    assert divided.state is State.BEGUN
    assert divided.conversion().revert() is State.PLAIN
    divided.conversion().convert()
    assert divided.query(f"SELECT count(mood) FROM {divided.table}") == [(0,)]


def test_column_that_goes_stops_no_writer_and_the_way_back_is_told_to_be_gone(divided: Divided) -> None:
    """Django drops it with what hangs on it, the mirror too: nobody goes on in the belief that both agree."""
    divided.conversion().convert()
    write(divided, f"ALTER TABLE {divided.table} DROP COLUMN seconds CASCADE")

    write(divided, f"UPDATE {divided.table} SET code = 'on' WHERE id = 7")
    with pytest.raises(StepFailed, match="isn't kept in step any more"):
        divided.conversion().revert()
    assert divided.state is State.CONVERTED
    assert divided.conversion().finish() is State.FINISHED


def test_index_that_came_later_is_not_lost_on_the_way_back(divided: Divided) -> None:
    """The old table hasn't got it: the way back waits until it has, or the index is gone."""
    divided.conversion().convert()
    write(divided, f"CREATE INDEX {divided.app}_late ON {divided.table} (seconds)")

    with pytest.raises(StepFailed, match=f"hasn't got {divided.app}_late"):
        divided.conversion().revert()
    assert divided.state is State.CONVERTED
    write(divided, f"CREATE INDEX {divided.app}_late_accord_old ON {divided.table}_accord_old (seconds)")
    assert divided.conversion().revert() is State.PLAIN


def test_other_words_and_foreign_tables_stop_it(divided: Divided) -> None:
    """A conversion goes on as it was begun, or is undone; a table that none made isn't touched."""
    with dying_at_swap(divided):
        divided.conversion().convert()
    divided.declared = replace(divided.declared, by=ByTime(every=Every.YEAR))
    with pytest.raises(ConflictingState, match="as it is declared now"):
        divided.conversion().convert()
    divided.conversion().revert()
    write(divided, f"CREATE TABLE {divided.table}_accord_new ()")

    for act in (divided.conversion().convert, divided.conversion().revert):
        with pytest.raises(ConflictingState):
            act()


def test_end_of_the_way_back(divided: Divided) -> None:
    """The old table goes, once; then there is none."""
    with pytest.raises(NotPartitionable, match="nothing to end"):
        divided.conversion().finish()
    divided.conversion().convert()

    assert divided.conversion().finish() is State.FINISHED
    assert divided.conversion().finish() is State.FINISHED
    with pytest.raises(NotPartitionable, match="no way back"):
        divided.conversion().revert()
    assert divided.conversion().convert() is State.FINISHED
    assert len(divided.rows()) == 3000


def test_who_holds_the_table_holds_up_nobody_else(divided: Divided) -> None:
    """A transaction that stays is waited for in short tries; queries of others go through meanwhile."""
    longest, over = [0.0], threading.Event()

    def read() -> None:
        with closing(psycopg2.connect(divided.harness.url)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            while not over.is_set():
                began = time.monotonic()
                cursor.execute(f"SELECT count(*) FROM {divided.table} WHERE id < 9")
                longest[0] = max(longest[0], time.monotonic() - began)
                time.sleep(0.005)

    reader = threading.Thread(target=read)
    with dying_at_swap(divided):
        divided.conversion().convert()
    with closing(psycopg2.connect(divided.harness.url)) as holder:
        holder.cursor().execute(f"SELECT 1 FROM {divided.table} LIMIT 1")
        reader.start()
        with pytest.raises(LockNotFree):
            divided.conversion(Patience(budget=1.0)).convert()
    divided.conversion().convert()
    over.set()
    reader.join()

    assert longest[0] < 1.0
    assert divided.state is State.CONVERTED


STEP = """from django.db import migrations
from migrator.operations import PartitionModel
from migrator.partitions import ByTime, Every


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("APP", "0001_first")]
    operations = [
        PartitionModel("play", key="at", by=ByTime(every=Every.MONTH, ahead=2), widen_primary_key=True),
    ]
"""


def test_migration_divides_it_and_puts_it_back(divided: Divided) -> None:
    """Under our runner and Django's, killed in its middle; undone, the catalog is as it was."""
    before, rows = catalog(divided), divided.rows()
    divided.harness.write_revision("0002_divide", STEP.format(atomic=False))
    shown = StringIO()
    call_command("sqlmigrate", divided.app, "0002", database=divided.harness.alias, stdout=shown)
    assert f'"{divided.table}_p2026_02" PARTITION OF' in shown.getvalue()
    with dying(divided, 70) as died:
        divided.do("apply", "0002_divide")
    assert died
    divided.do("apply", "0002_divide")
    assert divided.state is State.CONVERTED
    assert differences(divided) == []
    divided.do("revert", "0002_divide")
    assert (catalog(divided), divided.rows()) == (before, rows)

    for step in ("0002", "0001"):
        call_command("migrate", divided.app, step, database=divided.harness.alias, verbosity=0)
        assert divided.rows() == rows
    assert catalog(divided) == before


def test_migration_in_one_transaction_is_refused(divided: Divided) -> None:
    """It commits in batches."""
    divided.harness.write_revision("0002_divide", STEP.format(atomic=True))

    with pytest.raises(NotSupportedError, match="atomic = False"):
        call_command("migrate", divided.app, "0002", database=divided.harness.alias, verbosity=0)
    assert divided.state is State.PLAIN


def test_plan_tells_each_statement_and_changes_nothing(divided: Divided) -> None:
    """What would be sent stands there; the server takes what is SQL of it."""
    before = catalog(divided)
    table = divided.catalog.table(divided.wanted.table)
    assert table is not None

    told = list(telling.sql_of(divided.catalog, divided.wanted, table))

    assert catalog(divided) == before
    assert any(f'"{divided.table}_p2026_02" PARTITION OF' in statement for statement in told)
    sql = "; ".join(statement for statement in told if not statement.startswith("--"))
    write(divided, f"BEGIN; {sql}; ROLLBACK")


def test_progress_is_told_from_where_it_was(divided: Divided, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a run that was killed count; none is copied again."""
    monkeypatch.setattr(copying, "ROWS", 1000)
    with dying(divided, 64) as died:
        divided.conversion().convert()
    assert died
    told = [event.done for event in divided.events if isinstance(event, StepProgressed)]
    assert told
    divided.conversion().convert()

    rows = [event.done for event in divided.events if isinstance(event, StepProgressed)]
    assert rows == sorted(rows)
    assert rows[-1] == 3000


def test_far_rows_are_told_with_their_days(divided: Divided) -> None:
    """A row of another age would ask for thousands of partitions."""
    write(divided, f"INSERT INTO {divided.table} (at, label_id) VALUES ('1900-01-01', 1)")

    with pytest.raises(AccordError, match="rows from 1900-01-01 to"):
        divided.conversion().convert()
    assert divided.state is State.PLAIN
