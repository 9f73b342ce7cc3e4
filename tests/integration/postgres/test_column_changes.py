"""A column is renamed or gets another type while two releases write it; killed, undone, refused."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connections

from accord.errors import AccordError, LeaseLost
from accord.events import silent
from accord.seam.types import Lease, Phase
from tests.chance import chance
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.rewriting import FIRST, Killed, Live

pytestmark = pytest.mark.integration

STEPS = ("0002_begin", "0003_copy", "0004_end")
STEP = """from django.db import migrations, models
from migrator.operations import BeginColumnChange, CopyColumn, EndColumnChange


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("APP", "{needs}")]
    operations = [{operations}]
"""
RENAME = ('"play", "code", "title"', "models.CharField(max_length=20)", "")
TENTHS = ', forwards="{old} / 10.0", backwards="round({new} * 10)"'
RETYPE = ('"play", "at", "moment"', "models.FloatField()", TENTHS)
ROWS = "SELECT id, {columns} FROM {app}_play ORDER BY id"


def write(live: Live, names: str, field: str, words: str) -> None:
    """Write the three migrations."""
    operations = (f"BeginColumnChange({names}, {field}{words})", f"CopyColumn({names}{words})")
    needs = "0001_first"
    for step, text in zip(STEPS, (*operations, f"EndColumnChange({names}{words})"), strict=True):
        content = STEP.format(atomic=step == STEPS[0], needs=needs, operations=text)
        live.harness.write_revision(step, content)
        needs = step


@pytest.fixture
def live(relational_harness: RelationalHarness) -> Live:
    """Give a table with 500 rows, which nothing but columns hangs on."""
    found = Live(relational_harness)
    relational_harness.write_revision(
        "0001_first", re.sub(r" +options=\{.*?\n            \},\n", "", FIRST, flags=re.DOTALL)
    )
    found.do("apply", "0001_first")
    found.fill()
    return found


KEYED = """from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Play",
            fields=[
                ("pk", models.CompositePrimaryKey("town", "at", "whose")),
                ("town", models.CharField(max_length=20)),
                ("at", models.IntegerField()),
                ("whose", models.BigIntegerField()),
                ("code", models.CharField(max_length=20)),
            ],
        ),
    ]
"""


@pytest.fixture
def keyed(relational_harness: RelationalHarness) -> Live:
    """Give a table with a key of three columns and 5,000 rows, three batches."""
    found = Live(relational_harness)
    relational_harness.write_revision("0001_first", KEYED)
    found.do("apply", "0001_first")
    relational_harness.execute(
        f"INSERT INTO {relational_harness.app}_play (town, at, whose, code) SELECT "
        "CASE WHEN n % 3 = 0 THEN 'Éire' WHEN n % 3 = 1 THEN 'b c' ELSE 'B' END, n / 7, n, 'c' || n "
        "FROM generate_series(1, 5000) n"
    )
    return found


def rows(live: Live, *columns: str) -> Sequence[Sequence[Any]]:
    return live.harness._query(ROWS.format(columns=", ".join(columns), app=live.harness.app))


@contextmanager
def release(live: Live, column: str, said: dict[int, str], ids: range) -> Iterator[None]:
    """Have a release write the column that it knows, all the time, and remember what it said."""
    over, dice = threading.Event(), random.Random(chance(column).random())

    def write() -> None:
        with closing(psycopg2.connect(live.harness.url)) as connection:
            connection.autocommit = True
            cursor, table = connection.cursor(), f"{live.harness.app}_play"
            while not over.is_set():
                key, text = dice.choice(ids), f"{column}{dice.randrange(999)}"
                cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [text, key])
                said[key] = text
                cursor.execute(
                    f"INSERT INTO {table} ({column}, at, whose, label_id) "
                    f"SELECT %s, 1, 1, min(id) FROM {live.harness.app}_label RETURNING id",
                    [text],
                )
                said[cursor.fetchone()[0]] = text  # type: ignore[index]  # an INSERT returns one

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_both_releases_read_what_either_wrote(live: Live) -> None:
    """While rows are copied, one writes the old column, one the new; neither loses a word of it."""
    write(live, *RENAME)
    live.do("apply", STEPS[0])
    old: dict[int, str] = {}
    new: dict[int, str] = {}

    with release(live, "code", old, range(1, 251)), release(live, "title", new, range(251, 501)):
        live.do("apply", STEPS[1])

    found = {key: (code, title) for key, code, title in rows(live, "code", "title")}
    wanted = {key: f"c{key}" for key in range(1, 501)} | old | new
    assert len(old) > 10
    assert len(new) > 10
    assert found == {key: (text, text) for key, text in wanted.items()}
    live.do("apply", STEPS[2])
    assert dict(map(tuple, rows(live, "title"))) == wanted


def test_phases_follow_from_what_is_done(live: Live) -> None:
    """Nobody has to say them."""
    write(live, *RENAME)

    phases = [live.harness.step(name).phase for name in STEPS]

    assert phases == [Phase.EXPAND, Phase.BACKFILL, Phase.CONTRACT]


def test_django_alone_does_the_same(live: Live) -> None:
    """Under plain `migrate` there and back, and there by us: one catalog, one content."""
    write(live, *RETYPE)
    before, stood = live.catalog(), rows(live, "at", "code")
    shown = StringIO()
    call_command("sqlmigrate", live.harness.app, STEPS[1], database=live.harness.alias, stdout=shown)
    assert 'SET "moment" = ("at" / 10.0) WHERE' in shown.getvalue()
    live.by_django("0004_end")
    wanted, values = live.catalog(), rows(live, "moment", "code")
    assert values[9][1:] == (1.0, "c10")
    live.by_django("0001_first")
    assert rows(live, "at", "code") == stood

    for name in STEPS:
        live.do("apply", name)
    assert _columns(live.catalog()) == _columns(wanted)
    assert rows(live, "moment", "code") == values
    for name in reversed(STEPS):
        live.do("revert", name)
    assert _columns(live.catalog()) == _columns(before)


def _columns(catalog: Any) -> Any:
    """Leave the places of columns out: one that was dropped and made again stands last."""
    return sorted((kind, table, name.partition(" ")[0], rest) for kind, table, name, rest in catalog)


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("change", [RENAME, RETYPE], ids=["rename", "retype"])
def test_killed_anywhere_it_ends_as_if_it_had_not_been(live: Live, change: tuple[str, str, str]) -> None:
    """Each of the three, forward and back, dies before a statement, and is run again."""
    write(live, *change)
    before, stood = _columns(live.catalog()), rows(live, "at", "code")
    for action, steps in (("apply", STEPS), ("revert", STEPS[::-1])):
        for step in steps:
            _dies_often(live, action, step)

    assert _columns(live.catalog()) == before
    assert rows(live, "at", "code") == stood


def _dies_often(live: Live, action: str, step: str) -> None:
    """Kill a run at drawn statements, each time a little later, until one comes to its end."""
    dice, at = chance(f"{action} {step}"), 0
    for _ in range(40):
        at += dice.randrange(1, 9)
        with live.listening(at):
            try:
                live.do(action, step)
            except Killed:
                connections[live.harness.alias].close()
                live.harness.files_changed()
            else:
                return
    live.do(action, step)


def test_table_with_a_key_of_several_columns_is_filled_in_batches(keyed: Live) -> None:
    """In the order of all of them; each row once, and how far it is, is told behind each batch."""
    write(keyed, *RENAME)
    table = f"{keyed.harness.app}_play"
    keyed.do("apply", STEPS[0])

    with keyed.listening():
        keyed.do("apply", STEPS[1])

    assert keyed.harness._query(f"SELECT count(*) FROM {table} WHERE title = 'c' || whose") == [(5000,)]
    assert [done for done, _ in keyed.progressed] == [2000, 4000, 5000]
    assert len([text for text in keyed.sent if text.startswith(f'UPDATE "{table}"')]) == 3
    keyed.do("apply", STEPS[2])
    keyed.progressed.clear()
    keyed.do("revert", STEPS[2])
    assert keyed.harness._query(f"SELECT count(*) FROM {table} WHERE code = 'c' || whose") == [(5000,)]
    assert [done for done, _ in keyed.progressed] == [2000, 4000, 5000]


def test_row_of_a_key_of_several_columns_is_not_named_by_a_part_of_it(keyed: Live) -> None:
    """A text in it may be a name. And a column that is a part of the key is refused, like a key of one."""
    write(keyed, '"play", "code", "number"', "models.IntegerField()", "")
    keyed.harness.execute(f"UPDATE {keyed.harness.app}_play SET code = whose WHERE whose <> 4711")
    keyed.do("apply", STEPS[0])
    with pytest.raises(AccordError, match=r"can't be written .*: rows whose keys are texts"):
        keyed.do("apply", STEPS[1])
    keyed.do("revert", STEPS[0])

    write(keyed, '"play", "at", "moment"', "models.BigIntegerField()", "")
    with pytest.raises(AccordError, match="can't be changed in steps"):
        keyed.do("apply", STEPS[0])


def test_lost_lease_ends_copying_between_two_batches(keyed: Live) -> None:
    """What is filled stays; who has the lease now takes it up, and counts what was done before."""
    write(keyed, *RENAME)
    keyed.do("apply", STEPS[0])

    def lost() -> None:
        filled = keyed.harness._query(f"SELECT count(title) FROM {keyed.harness.app}_play")
        if filled != [(0,)]:
            raise LeaseLost("The lease is gone.")

    fence = int(time.time() * 1_000_000)
    lease = Lease(scope="test", owner="me", run_id="run", fence=fence, guard=lost)
    with pytest.raises(LeaseLost):
        keyed.harness.store().apply(keyed.harness.step(STEPS[1]), lease, silent)

    assert keyed.harness._query(f"SELECT count(title) FROM {keyed.harness.app}_play") == [(2000,)]
    keyed.do("apply", STEPS[1])
    assert [done for done, _ in keyed.progressed] == [2000, 4000, 5000]


def test_values_that_can_not_be_carried_over_are_named(live: Live) -> None:
    """By their keys; nothing is half done, applications go on, and with better words it goes through."""
    write(live, '"play", "code", "number"', "models.IntegerField()", "")
    live.do("apply", STEPS[0])

    with pytest.raises(AccordError) as refused:
        live.do("apply", STEPS[1])

    assert "whose value can't be written (invalid input syntax for type integer): key 1, 2, 3, 4, 5" in str(
        refused.value
    ), refused.value
    assert {number for _, number in rows(live, "number")} == {None}
    live.harness.execute(f"UPDATE {live.harness.app}_play SET code = substr(code, 2)")
    live.do("apply", STEPS[1])
    assert rows(live, "number")[6] == (7, 7)


def test_copying_leaves_what_a_release_said_more_exactly(live: Live) -> None:
    """1500 milliseconds are 1 second, and stay 1500; rows that nobody wrote are filled all the same."""
    words = ', forwards="{old} * 1000", backwards="{new} / 1000"'
    write(live, '"play", "at", "moment"', "models.BigIntegerField()", words)
    live.do("apply", STEPS[0])
    live.harness.execute(f"UPDATE {live.harness.app}_play SET moment = 1500 WHERE id = 7")

    live.do("apply", STEPS[1])

    assert rows(live, "at", "moment")[5:8] == [(6, 6, 6000), (7, 1, 1500), (8, 8, 8000)]


def test_what_writes_past_the_trigger_is_found(live: Live) -> None:
    """The old column stays while a row says otherwise, or while the trigger is gone, off, or another one."""
    write(live, *RENAME)
    for name in STEPS[:2]:
        live.do("apply", name)
    table = f"{live.harness.app}_play"
    past = "SET session_replication_role = replica; UPDATE {} SET code = 'past' WHERE id = 7"
    live.harness.execute(f"{past.format(table)}; SET session_replication_role = DEFAULT")
    with pytest.raises(AccordError, match='"title" doesn\'t hold what "code" does, of key 7'):
        live.do("apply", STEPS[2])
    live.harness.execute(f"UPDATE {table} SET code = 'c7' WHERE id = 7")
    live.harness.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    with pytest.raises(AccordError, match="in step is off"):
        live.do("apply", STEPS[2])
    live.harness.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    write(live, RENAME[0], RENAME[1], ', forwards="upper({old})"')
    with pytest.raises(AccordError, match="was begun with other words"):
        live.do("apply", STEPS[2])

    assert len(rows(live, "code", "title")) == 500


def test_view_that_shows_the_old_column_is_named(live: Live) -> None:
    """And the column stays; once the view shows the new one, it goes."""
    write(live, *RENAME)
    for name in STEPS[:2]:
        live.do("apply", name)
    view = f"VIEW {live.harness.app}_codes AS SELECT"
    live.harness.execute(f"CREATE {view} code AS word FROM {live.harness.app}_play")

    with pytest.raises(AccordError, match=f'view {live.harness.app}_codes hangs on "code"'):
        live.do("apply", STEPS[2])
    live.harness.execute(f"CREATE OR REPLACE {view} title AS word FROM {live.harness.app}_play")
    live.do("apply", STEPS[2])

    assert len(rows(live, "title")) == 500


def test_what_a_shorter_type_would_cut_is_named(live: Live) -> None:
    """By assignment, not by a cast that cuts without a word; also where a number is rounded."""
    write(live, '"play", "code", "short"', "models.CharField(max_length=3)", "")
    live.do("apply", STEPS[0])
    with pytest.raises(AccordError, match=r"can't be written .*key 100, 101, 102, 103, 104 and others"):
        live.do("apply", STEPS[1])
    live.do("revert", STEPS[0])

    write(live, '"play", "at", "few"', "models.IntegerField()", ', backwards="{new} / 10 * 10"')
    live.do("apply", STEPS[0])
    with pytest.raises(
        AccordError, match='"few" doesn\'t hold what "at" does, of key 1, 2, 3, 4, 5 and others'
    ):
        live.do("apply", STEPS[1])


def test_what_is_about_other_columns_too_does_not_go_with_the_old_one(live: Live) -> None:
    """PostgreSQL would drop it without a word; it is named until it is about the new column."""
    table = f"{live.harness.app}_play"
    live.harness.execute(f"CREATE UNIQUE INDEX both_once ON {table} (at, code)")
    live.harness.execute(f"ALTER TABLE {table} ADD CONSTRAINT apart CHECK (code <> 'at' || at)")
    write(live, *RENAME)
    for name in STEPS[:2]:
        live.do("apply", name)

    with pytest.raises(
        AccordError, match=f'constraint apart on table {table}, index both_once hangs on "code"'
    ):
        live.do("apply", STEPS[2])
    live.harness.execute(f"ALTER TABLE {table} DROP CONSTRAINT apart")
    live.harness.execute("DROP INDEX both_once")
    live.do("apply", STEPS[2])


def test_positive_number_stays_one(live: Live) -> None:
    """Its check comes without a look under a lock, and is as Django's own, there and back."""
    write(live, '"play", "whose", "owner"', "models.PositiveIntegerField()", "")
    before = _columns(live.catalog())
    for name in STEPS:
        live.do("apply", name)
    [check] = [rest for kind, _, name, rest in live.catalog() if name.endswith("_owner_check")]
    assert check.startswith("CHECK ((owner >= 0)) c t")

    for name in reversed(STEPS):
        live.do("revert", name)

    assert _columns(live.catalog()) == before


@pytest.mark.parametrize(
    ("names", "field", "words"),
    [
        ('"play", "id", "key"', "models.BigIntegerField()", "can't be changed in steps"),
        ('"play", "label", "tag"', "models.BigIntegerField()", "can't be changed in steps"),
        ('"play", "at", "moment"', "models.FloatField(default=0)", "takes no default"),
        ('"play", "at", "moment"', "models.FloatField(db_index=True)", "after it is filled"),
    ],
)
def test_what_can_not_be_done_so_is_refused_at_once(live: Live, names: str, field: str, words: str) -> None:
    """With the way that there is; nothing stands of it."""
    write(live, names, field, "")
    before = live.catalog()

    with pytest.raises(AccordError, match=words):
        live.do("apply", STEPS[0])

    assert live.catalog() == before


def test_copying_is_never_part_of_a_transaction(live: Live) -> None:
    """It would hold locks on every row of the table."""
    write(live, *RENAME)
    live.do("apply", STEPS[0])
    text = STEP.format(atomic=True, needs=STEPS[0], operations=f"CopyColumn({RENAME[0]})")
    live.harness.write_revision(STEPS[1], text)

    with pytest.raises(Exception, match="say atomic = False"):
        live.do("apply", STEPS[1])
    with pytest.raises(Exception, match="say atomic = False"):
        call_command("migrate", live.harness.app, STEPS[1], database=live.harness.alias, verbosity=0)


def test_old_column_comes_back_with_its_index(live: Live) -> None:
    """Undone after the end: unique, indexed and without NULL, as it was."""
    tag = 'migrations.AddField("play", "tag", models.CharField(max_length=9, null=True, unique=True))'
    unique = STEP.format(atomic=True, needs="0001_first", operations=tag)
    live.harness.write_revision("0001_unique", unique)
    live.do("apply", "0001_unique")
    names = '"play", "tag", "title"'
    write(live, names, RENAME[1], "")
    begin = f"BeginColumnChange({names}, {RENAME[1]})"
    live.harness.write_revision(STEPS[0], STEP.format(atomic=True, needs="0001_unique", operations=begin))
    before = _columns(live.catalog())
    for name in STEPS:
        live.do("apply", name)

    for name in reversed(STEPS):
        live.do("revert", name)

    assert _columns(live.catalog()) == before
