"""Rows filled in batches beside those who write: killed, turned round, refused, proved."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from accord.erased import tombstones
from accord.errors import AccordError
from accord.events import Event, StepProgressed
from accord.health.runner import Level
from accord.seam.types import Direction, Lease, Phase
from migrator import kept_health
from migrator.relational import before
from migrator.relational.leaving import Leaving
from migrator.relational.ledger import Ledger
from migrator.relational.loader import DiskLoader
from tests.chance import chance
from tests.conformance.harness_relational import RelationalHarness
from tests.fix_trail import Trail
from tests.integration.postgres.rewriting import Killed, Live

pytestmark = pytest.mark.integration

ROWS = 300
KIND = "streaming.listener"
FIRST = """from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Play",
            fields=[
                KEYS
                ("at", models.IntegerField(null=True)),
                ("title", models.CharField(max_length=40)),
                ("slug", models.CharField(max_length=20, null=True)),
                ("count", models.IntegerField(default=0)),
                ("price", models.DecimalField(max_digits=6, decimal_places=2, null=True)),
                ("words", models.JSONField(null=True)),
                ("whose", models.BigIntegerField(null=True)),
            ],
        ),
    ]
"""
NUMBER = '("id", models.BigAutoField(primary_key=True)),'
TEXT = '("code", models.CharField(max_length=9, primary_key=True)),'
BOTH = (
    '("pk", models.CompositePrimaryKey("shelf", "place")), ("shelf", models.CharField(max_length=9)), '
    '("place", models.IntegerField()),'
)
FILL = """from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower
from migrator.operations import Backfill


def slugs(rows, apps, schema_editor):
    for row in rows:
        row.slug = row.title.replace(" ", "-")
        row.words = {{"of": row.at}}
        row.count += 1


def once_less(rows, apps, schema_editor):
    for row in rows:
        row.slug, row.words = None, None
        row.count -= 1


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("APP", "0001_first")]
    operations = [Backfill("play", {words})]
"""
ONCE = 'set={"count": "count + 1"}, backward={"count": F("count") - 1}, batch_size=7'
"""Counts for each row how often it was written."""
Make = Callable[..., Live]


@pytest.fixture
def make(relational_harness: RelationalHarness) -> Make:
    """Return what makes a table with rows, by its keys."""

    def made(keys: str = NUMBER, insert: str = "", rows: int = ROWS) -> Live:
        live = Live(relational_harness)
        relational_harness.write_revision("0001_first", FIRST.replace("KEYS", keys))
        live.do("apply", "0001_first")
        table = f"{live.harness.app}_play"
        if not insert:
            insert = "(at, title, count) SELECT n, 'Song ' || n, 0 FROM generate_series(1, {rows}) n"
        live.harness.execute(f"INSERT INTO {table} {insert.format(rows=rows)}")
        return live

    return made


def fill(live: Live, words: str, *, atomic: bool = False) -> None:
    """Write the migration that fills."""
    live.harness.write_revision("0002_second", FILL.format(words=words, atomic=atomic))


def rows(live: Live, columns: str, order: str = "at") -> Sequence[Sequence[Any]]:
    return live.harness._query(f"SELECT {columns} FROM {live.harness.app}_play ORDER BY {order}")


def pairs(live: Live) -> dict[int, str]:
    """Return the titles by key."""
    return dict(map(tuple, rows(live, "id, title")))


def counts(live: Live) -> Mapping[int, int]:
    """Return how many rows were written how often."""
    found = live.harness._query(f"SELECT count, count(*) FROM {live.harness.app}_play GROUP BY 1")
    return dict(map(tuple, found))


@pytest.mark.parametrize(
    ("words", "column", "wanted"),
    [
        ("""set={"slug": "lower(title)"}""", "slug", "song 7"),
        ("""set={"slug": Lower(F("title"))}, filter=Q(at__gt=5)""", "slug", "song 7"),
        ("""set={"price": "at / 3.0"}""", "price::text", "2.33"),
        ("""set={"at": F("at") * 2}, lacks="at = 7" """, "at", 14),
        ("""set={"slug": Value("50%")}, where="title LIKE '%7'" """, "slug", "50%"),
        ("""set={"words": {"a": [1]}}""", "words->'a'->>0", "1"),
        ("""set={"slug": "upper(left(title, 3)) || '%s'", "count": 5}""", "slug || count", "SON%s5"),
        ("""run=slugs, writes=["slug", "words", "count"]""", "slug || (words->>'of') || count", "Song-771"),
        ("""run=slugs, writes=["slug"], filter=Q(slug=None)""", "slug", "Song-7"),
    ],
)
def test_rows_get_what_is_said(make: Make, words: str, column: str, wanted: object) -> None:
    """In SQL, by an expression, a plain value or a function."""
    live = make()
    fill(live, f"{words}, batch_size=50")

    live.do("apply")

    assert live.harness._query(f"SELECT {column} FROM {live.harness.app}_play WHERE title = 'Song 7'") == [
        (wanted,)
    ]


def test_rows_of_a_condition_alone_are_written(make: Make) -> None:
    """Others, and rows that hold the value, aren't touched: no version of them is made."""
    live = make()
    live.harness.execute(f"UPDATE {live.harness.app}_play SET slug = 'x' WHERE at = 9")
    before = dict(map(tuple, rows(live, "at, ctid::text")))
    fill(live, """set={"slug": "'x'"}, where="at < 20" """)

    live.do("apply")

    moved = {at for at, place in rows(live, "at, ctid::text") if before[at] != place}
    assert moved == {*range(1, 20)} - {9}


def test_phase_and_statement_are_told_before(make: Make) -> None:
    """A dry run, and `sqlmigrate`, show what is sent; nothing is."""
    live = make()
    fill(live, """set={"slug": "lower(title)"}, where="at > 3" """)
    shown = StringIO()

    call_command("sqlmigrate", live.harness.app, "0002_second", database=live.harness.alias, stdout=shown)
    shown_before = live.harness.store().explain([live.harness.step("0002_second")], Direction.APPLY)
    told = [one.text for _, texts in shown_before for one in texts]

    assert live.harness.step("0002_second").phase is Phase.BACKFILL
    assert 'SET "slug" = (lower(title)) WHERE' in shown.getvalue()
    assert any("in batches of 10000 by id" in text for text in told)
    assert rows(live, "count(slug)", "1") == [(0,)]


@pytest.mark.by_turns(3)
@pytest.mark.parametrize(
    ("keys", "insert", "words"),
    [
        (NUMBER, "(at, title, count) SELECT n, '', 0", ONCE),
        (TEXT, "(code, at, title, count) SELECT chr(64 + n % 26) || 'ö' || n, n, '', 0", ONCE),
        (
            BOTH,
            "(shelf, place, at, title, count) SELECT n % 9, n / 9, n, '', 0",
            'run=slugs, writes=["count"], backward=once_less, batch_size=11',
        ),
    ],
    ids=["number", "text", "composite and code"],
)
def test_killed_anywhere_each_row_is_written_once(make: Make, keys: str, insert: str, words: str) -> None:
    """There, back and there again, a run dies before a drawn statement, and is run again."""
    live = make(keys, insert + " FROM generate_series(1, {rows}) n", 100)
    fill(live, words)

    for action, wanted in (("apply", 1), ("revert", 0), ("apply", 1)):
        deaths = dies_often(live, action)
        assert counts(live) == {wanted: 100}, action
        assert deaths > 0


def dies_often(live: Live, action: str) -> int:
    """Kill a run at drawn statements until one comes to its end, and return how often."""
    dice = chance(action)
    for deaths in range(200):
        with live.listening(dice.randrange(1, 70)):
            try:
                live.do(action)
            except Killed:
                connections[live.harness.alias].close()
                live.harness.files_changed()
            else:
                return deaths
    raise AssertionError("It never ends.")


def test_turned_round_in_the_middle_each_row_is_as_it_was(make: Make) -> None:
    """Undone is what was done, and neither more nor less; done again, the same."""
    live = make()
    fill(live, ONCE)
    for action, moment in (("apply", 200), ("revert", 90), ("apply", 60), ("revert", 50), ("apply", 80)):
        with pytest.raises(Killed), live.listening(moment):
            live.do(action)
        connections[live.harness.alias].close()
        live.harness.files_changed()
    live.do("revert")
    assert counts(live) == {0: ROWS}
    live.do("apply")
    assert counts(live) == {1: ROWS}


def test_django_alone_does_the_same(make: Make) -> None:
    """Under plain `migrate`, there and back, also after a death."""
    live = make()
    fill(live, ONCE)
    with pytest.raises(Killed), live.listening(60):
        live.by_django("0002_second")
    connections[live.harness.alias].close()
    done = counts(live)

    live.by_django("0002_second")

    assert 0 < done[1] < ROWS
    assert counts(live) == {1: ROWS}
    live.by_django("0001_first")
    assert counts(live) == {0: ROWS}


@contextmanager
def writing(live: Live, rows: dict[int, str], late: Callable[[str], str]) -> Iterator[None]:
    """Have somebody insert, change and delete rows all the time, and keep a model of the table."""
    over, dice, faults = threading.Event(), random.Random(chance("writer").random()), list[BaseException]()

    def write() -> None:
        with closing(psycopg2.connect(live.harness.url)) as connection:
            connection.autocommit = True
            cursor, table = connection.cursor(), f"{live.harness.app}_play"
            while not over.is_set():
                title = f"W{dice.randrange(9999)}"
                cursor.execute(
                    f"INSERT INTO {table} (title, slug, count) VALUES (%s, %s, 0) RETURNING id",
                    [title, late(title)],
                )
                rows[cursor.fetchone()[0]] = title  # type: ignore[index]  # an INSERT returns one
                key = dice.choice(list(rows))
                cursor.execute(
                    f"UPDATE {table} SET title = %s, slug = %s WHERE id = %s", [title, late(title), key]
                )
                rows[key] = title
                key = dice.choice(list(rows))
                cursor.execute(f"DELETE FROM {table} WHERE id = %s", [key])
                del rows[key]

    def safely() -> None:
        try:
            write()
        except BaseException as exc:  # noqa: BLE001 - it is raised again where the test waits
            faults.append(exc)

    thread = threading.Thread(target=safely)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not faults, faults


def test_rows_come_go_and_change_meanwhile(make: Make) -> None:
    """Whatever they do, no row is without its value in the end, and none has another's."""
    live = make(rows=2_000)
    fill(live, 'set={"slug": "lower(title)"}, batch_size=20')
    known: dict[int, str] = pairs(live)

    with writing(live, known, str.lower):
        live.do("apply")

    assert pairs(live) == known
    assert rows(live, "id, slug", "id") == [(key, known[key].lower()) for key in sorted(known)]


def test_release_that_still_writes_old_rows_is_found(make: Make) -> None:
    """The step fails and names some; once that release is gone, a rerun fills the rest."""
    live = make()
    fill(live, 'set={"slug": "lower(title)"}')
    table, trigger = f"{live.harness.app}_play", f"{live.harness.app}_old"
    live.harness.execute(
        f"CREATE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN IF NEW.at IN (7, 8) THEN NEW.slug := NULL; END IF; RETURN NEW; END'"
    )
    live.harness.execute(
        f"CREATE TRIGGER {trigger} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {trigger}()"
    )

    with pytest.raises(AccordError, match=r"2 rows .* lack what was to be filled: key 7, 8"):
        live.do("apply")
    assert rows(live, "count(*) FILTER (WHERE slug = lower(title))", "1") == [(ROWS - 2,)]
    live.harness.execute(f"DROP TRIGGER {trigger} ON {table}; DROP FUNCTION {trigger}()")
    live.do("apply")

    assert rows(live, "count(*) FILTER (WHERE slug = lower(title))", "1") == [(ROWS,)]


@pytest.mark.parametrize(
    "words",
    [
        'set={"price": "random()"}',
        'set={"slug": "to_char(now(), \'US\')"}',
        'set={"count": "count + 1"}, lacks="count >= 0"',
        'run=slugs, writes=["slug"], where="title <> \'\'"',
    ],
)
def test_what_would_never_end_is_told_after_one_batch(make: Make, words: str) -> None:
    """What lacks its value right after it was written always will."""
    live = make()
    fill(live, f"{words}, batch_size=10")

    with pytest.raises(AccordError, match="of the first batch lack the value again"):
        live.do("apply")


def test_refused_values_are_named_and_what_is_done_stays(make: Make) -> None:
    """By the keys of their rows; the value is mended in the file, and a rerun goes on behind what is done."""
    live = make()
    table = f"{live.harness.app}_play"
    live.harness.execute(f"ALTER TABLE {table} ADD CONSTRAINT low CHECK (count < 2000)")
    live.harness.execute(f"UPDATE {table} SET at = 5000 WHERE id IN (201, 203)")
    fill(live, 'set={"count": "count + 1 + at / 5 * 2"}, batch_size=50')

    with pytest.raises(AccordError, match=r"whose value can't be written .*: key 201, 203\."):
        live.do("apply")
    assert rows(live, "max(id) FILTER (WHERE count > 0)", "1") == [(200,)]
    fill(live, 'set={"count": "count + 1"}, batch_size=50')
    live.do("apply")

    assert rows(live, "min(count), max(count) FILTER (WHERE id > 200)", "1") == [(1, 1)]


def test_foreign_key_that_leads_nowhere_is_named(make: Make) -> None:
    """Django's are asked at the end of a transaction, when nobody knows the row any more."""
    live = make()
    table = f"{live.harness.app}_play"
    live.harness.execute(
        f"ALTER TABLE {table} ADD FOREIGN KEY (whose) REFERENCES {table} DEFERRABLE INITIALLY DEFERRED"
    )
    fill(live, 'set={"whose": "CASE id WHEN 44 THEN 9999 ELSE id END"}')

    with pytest.raises(AccordError, match=r"whose value can't be written .*: key 44\."):
        live.do("apply")


def test_text_that_is_a_key_is_not_told(make: Make) -> None:
    """It may be a name."""
    live = make(TEXT, "(code, at, title, count) VALUES ('Ada', 1, 'x', 0), ('Eva', 2, 'y', 0)")
    fill(live, 'set={"slug": "repeat(title, 30)"}')

    with pytest.raises(AccordError, match="whose keys are texts") as refused:
        live.do("apply")

    assert "Ada" not in str(refused.value)
    live.harness.write_revision("0002_second", FILL.format(words='set={"slug": "title"}', atomic=False))
    live.do("apply")
    assert live.harness._query("SELECT at, until FROM accord_backfill") == [(None, None)]


def test_empty_table_is_filled_at_once(make: Make) -> None:
    """What comes later is none of its rows, and isn't undone."""
    live = make(rows=0)
    fill(live, ONCE)

    live.do("apply")
    live.harness.execute(f"INSERT INTO {live.harness.app}_play (title, count) VALUES ('late', 0)")
    live.do("revert")

    assert counts(live) == {0: 1}


def test_two_at_once_write_each_row_once(make: Make) -> None:
    """Each batch belongs to one of them: where they stand is locked in its transaction."""
    live = make(rows=2_000)
    fill(live, ONCE.replace("7", "25"))
    faults = list[BaseException]()

    def run() -> None:
        alias = live.harness.alias
        try:
            loader = MigrationLoader(connections[alias])
            name = (live.harness.app, "0002_second")
            before, after = (loader.project_state((live.harness.app, one)) for one in ("0001_first", name[1]))
            [operation] = loader.disk_migrations[name].operations
            with connections[alias].schema_editor(atomic=False) as editor:
                operation.database_forwards(live.harness.app, editor, before, after)
        except BaseException as exc:  # noqa: BLE001 - it is raised again below
            faults.append(exc)
        finally:
            connections[alias].close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not faults, faults
    assert counts(live) == {1: 2_000}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ('set={"titel": "1"}', "has no field “titel” at this migration"),
        ('set={"slug": Lower("name")}', "Cannot resolve keyword 'name'"),
        ('set={"id": "1"}', "is of the primary key"),
        ('set={"slug": "titel"}', 'column "titel" does not exist'),
        ('set={"slug": "title"}, where="at >"', "syntax error"),
    ],
)
def test_what_can_not_be_meant_is_refused_at_once(make: Make, words: str, message: str) -> None:
    """Nothing is written."""
    live = make()
    fill(live, words)

    with pytest.raises(Exception, match=message):
        live.do("apply")

    assert rows(live, "count(slug)", "1") == [(0,)]


def test_table_without_a_primary_key_is_refused(make: Make) -> None:
    """Each batch would read all of it, and a row whose key is NULL would be passed over."""
    live = make()
    table = f"{live.harness.app}_play"
    live.harness.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
    fill(live, 'set={"slug": "title"}')

    with pytest.raises(AccordError, match="it is no primary key there"):
        live.do("apply")
    live.harness.execute(f"CREATE UNIQUE INDEX ON {table} (id)")
    live.do("apply")

    assert rows(live, "count(slug)", "1") == [(ROWS,)]


def test_backfill_is_never_part_of_a_transaction(make: Make) -> None:
    """It would hold locks on every row of the table; a look before the run tells it."""
    live = make()
    fill(live, ONCE, atomic=True)

    assert any("can't run in a transaction" in one.text for one in live.foretold())
    with pytest.raises(Exception, match="say atomic = False"):
        live.do("apply")


def test_progress_is_told(make: Make) -> None:
    """With how many there are, once the server has looked."""
    live = make()
    live.harness.execute(f"ANALYZE {live.harness.app}_play")
    fill(live, ONCE.replace("7", "50"))
    heard: list[Event] = []

    def hear(event: Event) -> None:
        heard.append(event)

    lease = Lease(scope="test", owner="me", run_id="run", fence=2**60)

    live.harness.store().apply(live.harness.step("0002_second"), lease, hear)

    told = [event for event in heard if isinstance(event, StepProgressed)]
    assert [event.total for event in told] == [ROWS] * len(told)
    assert [event.done for event in told][:3] == [50, 100, 150]


@pytest.fixture
def erased(trail: Trail, make: Make) -> Make:
    """Return what makes a table of 20 people with 5 rows each; those with the keys 3 and 4 are gone."""
    for key in (3, 4):
        tombstones.raise_fence(tombstones.subject_tag(KIND, key))

    def made() -> Live:
        live = make(rows=100)
        live.harness.execute(f"UPDATE {live.harness.app}_play SET whose = at % 20")
        return live

    return made


@pytest.mark.parametrize(
    "words",
    [
        'set={"slug": "title"}',
        'run=slugs, writes=["slug"], where="slug IS NULL"',
        'set={"count": "count + 1"}',
    ],
)
def test_rows_of_erased_people_are_left_out(erased: Make, words: str) -> None:
    """They are neither filled nor missed in the end; a row of nobody is filled."""
    live = erased()
    live.harness.execute(f"UPDATE {live.harness.app}_play SET whose = NULL WHERE id = 1")
    fill(live, f'{words}, subject=("{KIND}", "whose"), batch_size=30')

    live.do("apply")

    untouched = rows(live, "DISTINCT whose, slug IS NULL AND count = 0", "1")
    assert {whose for whose, is_untouched in untouched if is_untouched} == {3, 4}


# --- values of before ------------------------------------------------------------------------------------

KEEPING = 'set={"slug": "upper(title)"}, keep_before=30, batch_size=20'
BY_CODE = 'run=slugs, writes=["slug", "words"], keep_before=30, batch_size=20'
ALL = "id, at, title, slug, count, words"


def kept(live: Live) -> str:
    """Return the table with the values of before."""
    [(name,)] = live.harness._query("SELECT kept FROM accord_backfill")
    return str(name)


def keys_kept(live: Live) -> set[int]:
    return {key for (key,) in live.harness._query(f"SELECT accord_key_0 FROM {kept(live)}")}


@pytest.mark.by_turns(3)
@pytest.mark.parametrize(
    ("keys", "insert", "words"),
    [
        (NUMBER, "(at, title, slug, count) SELECT n, '', 's' || n, 0", KEEPING),
        (TEXT, "(code, at, title, slug, count) SELECT chr(n % 26 + 65) || n, n, '', 's' || n, 0", KEEPING),
        (
            BOTH,
            "(shelf, place, at, title, slug, count) SELECT n % 9, n / 9, n, 'a b', nullif('s' || n, 's5'), 0",
            BY_CODE,
        ),
    ],
    ids=["number", "text", "composite and code"],
)
def test_undone_everything_is_as_it_was(make: Make, keys: str, insert: str, words: str) -> None:
    """Killed there and back, too; nothing is left beside the table."""
    live = make(keys, insert + " FROM generate_series(1, {rows}) n", 100)
    before, catalog = rows(live, "at, title, slug, words, count > 9"), live.catalog()
    fill(live, words)
    for _ in range(2):
        dies_often(live, "apply")
        assert rows(live, "at, title, slug, words, count > 9") != before
        name = kept(live)
        dies_often(live, "revert")
        assert rows(live, "at, title, slug, words, count > 9") == before
        assert live.harness._query(f"SELECT to_regclass('{name}')") == [(None,)]
    assert live.catalog() == catalog


def test_only_what_still_stands_is_brought_back(make: Make) -> None:
    """What somebody wrote since stays theirs, also if they wrote the value of before."""
    live = make(rows=50)
    table = f"{live.harness.app}_play"
    live.harness.execute(f"UPDATE {table} SET slug = 's' || id")
    fill(live, KEEPING)
    live.do("apply")
    live.harness.execute(f"UPDATE {table} SET slug = 'mine' WHERE id = 7")
    live.harness.execute(f"UPDATE {table} SET count = 9, at = 8 WHERE id = 8")
    live.harness.execute(f"INSERT INTO {table} (title, slug, count) VALUES ('late', 'late', 0)")

    live.do("revert")

    wanted = {key: f"s{key}" for key in range(1, 51)} | {7: "mine", 51: "late"}
    assert dict(map(tuple, rows(live, "id, slug"))) == wanted


@pytest.mark.parametrize(
    "act",
    [
        "DELETE FROM {} WHERE id = 7",
        "UPDATE {} SET slug = '' WHERE id = 7",
        "UPDATE {} SET whose = NULL WHERE id = 7",
        "UPDATE {} SET id = 700 WHERE id = 7",
        "ALTER TABLE {0} DROP COLUMN slug CASCADE; UPDATE {0} SET whose = NULL WHERE id = 7",
    ],
)
@pytest.mark.usefixtures("trail")
def test_value_of_before_goes_when_its_row_does_or_is_nobodys(make: Make, act: str) -> None:
    """By the server, in the same transaction, whoever writes; what says nothing of it leaves it."""
    live = make(rows=50)
    table = f"{live.harness.app}_play"
    live.harness.execute(f"UPDATE {table} SET whose = id")
    fill(live, f'{KEEPING}, subject=("{KIND}", "whose")')
    live.do("apply")
    live.harness.execute(f"UPDATE {table} SET count = 1")
    assert keys_kept(live) == {*range(1, 51)}

    live.harness.execute(act.format(table))

    assert keys_kept(live) == {*range(1, 51)} - {7}
    live.harness.execute(f"TRUNCATE {table}")
    assert keys_kept(live) == set()


def test_application_without_a_right_to_them_writes_all_the_same(make: Make) -> None:
    """A role of its own may write the table, and nothing beside it."""
    live = make(rows=50)
    table, role = f"{live.harness.app}_play", f"{live.harness.app}_role"
    fill(live, KEEPING)
    live.do("apply")
    live.harness.execute(f"CREATE ROLE {role}; GRANT SELECT, UPDATE, DELETE ON {table} TO {role}")

    live.harness.execute(
        f"SET ROLE {role}; UPDATE {table} SET slug = 'x' WHERE id = 7; "
        f"DELETE FROM {table} WHERE id = 8; RESET ROLE"
    )

    assert keys_kept(live) == {*range(1, 51)} - {7, 8}
    live.harness.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_what_was_forgotten_is_not_undone(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The values go with their time; health and the command say so before, and the step after."""
    live = make(rows=50)
    monkeypatch.setattr(before, "_stores", lambda: [live.harness.alias])
    fill(live, KEEPING)
    live.do("apply")
    call_command("backfill_kept", "--drop")
    assert "Fill slug of play" in capsys.readouterr().out
    assert [found.level for found in kept_health.look()] == [Level.OK]
    live.harness.execute("UPDATE accord_backfill SET kept_until = now() - interval '1 second'")
    [found] = kept_health.look()
    assert (found.level, found.value) == (Level.WARN, 1)
    assert len(keys_kept(live)) == 50

    call_command("backfill_kept", "--drop", "--format", "json")

    [told] = json.loads(capsys.readouterr().out)["kept"]
    assert (told["rows"], told["over"], told["dropped"]) == (50, True, True)
    assert list(before.everywhere()) == []
    assert live.harness._query("SELECT to_regclass(%s)", [told["table"]]) == [(None,)]
    with pytest.raises(AccordError, match="what stood there before is gone; values are kept for 30 days"):
        live.do("revert")
    assert rows(live, "count(*) FILTER (WHERE slug = upper(title))", "1") == [(50,)]


def test_suite_that_is_taken_out_takes_them_along(make: Make) -> None:
    """With the triggers on the table that was filled."""
    live = make(rows=50)
    catalog = live.catalog()
    fill(live, KEEPING)
    live.do("apply")
    name, leaving = kept(live), Leaving(live.harness.alias, DiskLoader())
    assert f"table {name}" in [trace.what for trace in leaving.traces()]

    fence = int(time.time() * 1_000_000)
    leaving.take_out(
        Ledger(live.harness.alias), Lease(scope="test", owner="me", run_id="run", fence=fence), evidence=False
    )

    assert live.harness._query("SELECT to_regclass(%s)", [name]) == [(None,)]
    assert live.catalog() == catalog


def test_rows_of_erased_people_are_neither_kept_nor_brought_back(erased: Make) -> None:
    """Who is erased between there and back, too."""
    live = erased()
    fill(live, f'{KEEPING}, subject=("{KIND}", "whose")')
    live.do("apply")
    assert len(keys_kept(live)) == 90
    tombstones.raise_fence(tombstones.subject_tag(KIND, 5))

    live.do("revert")

    assert {whose for whose, slug in rows(live, "whose, slug") if slug} == {5}
