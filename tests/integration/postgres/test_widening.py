"""A primary key of int becomes one of bigint beside those who use it, with all that refers to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread
from time import sleep
from typing import Any

import psycopg2
import pytest

from accord.errors import StepFailed
from accord.seam.foretelling import Outlook
from accord.seam.rewriting import Extent
from tests.chance import chance, moments
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.rewriting import CATALOG, SECOND, Live

pytestmark = pytest.mark.integration
FIRST = """from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Label", fields=[
            ("id", models.AutoField(primary_key=True)), ("name", models.TextField()),
            ("parent", models.ForeignKey("APP.label", models.CASCADE, null=True, related_name="+")),
            ("friends", models.ManyToManyField("APP.label", related_name="+")),
        ]),
        migrations.CreateModel("Major", fields=[
            ("label_ptr", models.OneToOneField("APP.label", models.CASCADE, parent_link=True,
                primary_key=True, serialize=False)),
        ], bases=("APP.label",)),
        migrations.CreateModel("Play", fields=[
            ("id", models.BigAutoField(primary_key=True)), ("at", models.IntegerField()),
            ("label", models.ForeignKey("APP.label", models.CASCADE)),
            ("sold", models.ForeignKey("APP.label", models.CASCADE, null=True, db_constraint=False,
                related_name="+")),
            ("only", models.OneToOneField("APP.label", models.CASCADE, null=True, related_name="+")),
            ("major", models.ForeignKey("APP.major", models.CASCADE, null=True, related_name="+")),
        ], options={
            "indexes": [models.Index(fields=["label", "-at"], name="by_label"),
                        models.Index("at", condition=models.Q(label__gt=0), name="of_labels")],
            "constraints": [models.UniqueConstraint(fields=["label", "at"], name="once")],
        }),
    ]
"""
PATIENT = {"lock_timeout": 2, "reason": "on a busy machine, a statement of the application takes long"}
WIDER = 'migrations.AlterField("label", "id", models.BigAutoField(primary_key=True, serialize=False))'


class Labels(Live):
    """A key of int, with whatever may refer to it."""

    def __init__(self, harness: RelationalHarness) -> None:
        super().__init__(harness)
        harness.write_revision("0001_first", FIRST)

    def _send(self, *statements: str) -> None:
        for statement in statements:
            self.harness.execute(statement)

    def fill(self) -> None:
        """Put rows into the tables."""
        app = self.harness.app
        self._send(
            f"INSERT INTO {app}_label (name) SELECT n FROM generate_series(1, 300) n",
            f"UPDATE {app}_label SET parent_id = 7 WHERE id > 290",
            f"INSERT INTO {app}_label_friends (from_label_id, to_label_id) VALUES (1, 2), (2, 3)",
            f"INSERT INTO {app}_major SELECT id FROM {app}_label WHERE id < 9",
            f"INSERT INTO {app}_play (at, label_id, sold_id, only_id, major_id) "
            "SELECT n, n, nullif(n, 9), nullif(n, 8), CASE WHEN n < 9 THEN n END "
            "FROM generate_series(1, 300) n",
        )

    def shape(self) -> set[tuple[Any, ...]]:
        """Return the catalog, but for the order of columns: the new ones stand last."""
        rows = self.harness._query(CATALOG.format(app=self.harness.app))
        return {
            (kind, of, name.split(" ")[0] if kind == "column" else name, text)
            for kind, of, name, text in rows
        }

    def content(self) -> Any:
        """Return what the rows hold, and what the sequence gives next."""
        app = self.harness.app
        return self.harness._query(
            f"SELECT md5(string_agg(CAST((p.id, p.at, p.label_id, p.sold_id, p.only_id, p.major_id, l.id, "
            f"l.name, l.parent_id, m.label_ptr_id) AS text), '' ORDER BY l.id)), count(*), max(s.last_value) "
            f"FROM {app}_label l LEFT JOIN {app}_play p ON p.label_id = l.id "
            f"LEFT JOIN {app}_major m ON m.label_ptr_id = l.id, {app}_label_id_seq s"
        )

    def write_on(self) -> None:
        """Do as an application that never stopped: rows come and change in each table."""
        app = self.harness.app
        self._send(
            f"WITH made AS (INSERT INTO {app}_label (name, parent_id) VALUES ('new', 1) RETURNING id) "
            f"INSERT INTO {app}_play (at, label_id, only_id) SELECT 1, id, id FROM made",
            f"UPDATE {app}_label SET parent_id = 3 WHERE id % 50 = 0",
        )


@pytest.fixture
def labels(relational_harness: RelationalHarness) -> Labels:
    """Give tables with rows, and a migration that widens their key."""
    found = Labels(relational_harness)
    found.do("apply", "0001_first")
    found.fill()
    found.write(WIDER)
    return found


def wanted_of(live: Labels) -> Any:
    """Have Django do it and undo it, and return what stood between."""
    live.by_django("0002")
    wanted = live.shape()
    live.by_django("0001")
    return wanted


def test_key_and_all_that_refers_to_it_become_wider(labels: Labels) -> None:
    """As Django would leave it, names included; the next number follows the last; none is written anew."""
    wanted, before, content = wanted_of(labels), labels.shape(), labels.content()

    with labels.listening():
        labels.do("apply")

    assert labels.shape() ^ wanted == set()
    assert labels.content() == content
    assert [sql for sql in labels.sent if " TYPE " in sql] == []
    labels.write_on()
    content = labels.content()
    labels.do("revert")
    assert labels.shape() ^ before == set()
    assert labels.content() == content
    labels.write_on()


def moments_of(live: Labels, action: str) -> list[int]:
    with live.listening():
        live.do(action)
    return sorted(chance(action).sample(range(len(live.sent)), min(moments(len(live.sent)), 6)))


@pytest.mark.by_turns(3)
def test_killed_before_any_statement_nothing_is_lost(labels: Labels) -> None:
    """Forward, back or given up, while the application writes on: Django's catalog, each row's values."""
    wanted, before = wanted_of(labels), labels.shape()
    ways = moments_of(labels, "apply"), moments_of(labels, "revert")

    for forward, back in zip(*ways, strict=False):
        assert labels.die_at(forward, "apply")
        labels.write_on()
        content = labels.content()
        labels.do("revert")
        assert (labels.shape(), labels.content()) == (before, content), (
            f"killed before {forward}, and given up"
        )
        assert labels.die_at(forward, "apply")
        labels.write_on()
        content = labels.content()
        labels.do("apply")
        assert (labels.shape(), labels.content()) == (wanted, content), f"killed before {forward}, forward"
        assert labels.die_at(back, "revert")
        labels.write_on()
        content = labels.content()
        labels.do("revert")
        assert (labels.shape(), labels.content()) == (before, content), f"killed before {back}, back"


@contextmanager
def writing(live: Labels) -> Iterator[dict[str, Any]]:
    """Have an application of one session write all the time; give what it met."""
    found: dict[str, Any] = {"rows": 0, "refused": None}
    stop, app = Event(), live.harness.app

    def write() -> None:
        with closing(psycopg2.connect(live.harness.url)) as session, session.cursor() as cursor:
            session.autocommit = True
            while not stop.is_set() and found["refused"] is None:
                try:
                    cursor.execute(
                        f"INSERT INTO {app}_label (name, parent_id) VALUES ('new', 1) RETURNING id"
                    )
                    ((key,),) = cursor.fetchall()
                    cursor.execute(f"INSERT INTO {app}_play (at, label_id, only_id) VALUES (0, {key}, {key})")
                    cursor.execute(f"UPDATE {app}_label SET parent_id = id WHERE id = {key}")
                except psycopg2.Error as exc:
                    found["refused"] = exc
                found["rows"] += 1
                sleep(0.005)

    thread = Thread(target=write)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


@pytest.mark.by_turns(2)
def test_application_that_writes_all_the_time_is_refused_nothing(labels: Labels) -> None:
    """In one session, whose plans and triggers know the types from before; both ways; no row is lost."""
    app = labels.harness.app
    text = SECOND.replace("ATOMIC", "True").replace("OPERATIONS", WIDER)
    labels.harness.write_revision("0002_second", f"{text}    locks = {PATIENT}\n")
    with writing(labels) as found:
        labels.do("apply")
        between = found["rows"]
        labels.do("revert")

    assert found["refused"] is None
    assert 0 < between < found["rows"]
    told = f"SELECT count(*) FROM {app}_play p JOIN {app}_label l ON l.id = p.label_id AND l.parent_id = l.id"
    assert labels.harness._query(f"{told} WHERE p.at = 0") == [(found["rows"],)]


BESIDE = {
    "view": "CREATE VIEW {app}_v AS SELECT label_id FROM {app}_play",
    "trigger": "CREATE FUNCTION {app}_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
    "CREATE TRIGGER {app}_t AFTER UPDATE ON {app}_label FOR EACH ROW EXECUTE FUNCTION {app}_f()",
    "check": "ALTER TABLE {app}_play ADD CONSTRAINT {app}_c CHECK (label_id > 0)",
    "column computed of it": "ALTER TABLE {app}_label ADD twice int GENERATED ALWAYS AS (id * 2) STORED",
    "statistics": "CREATE STATISTICS {app}_s ON at, label_id FROM {app}_play",
    "grant": "GRANT SELECT (id) ON {app}_label TO PUBLIC",
    "key of two columns": "CREATE TABLE {app}_other (id int, at int, "
    "FOREIGN KEY (id, at) REFERENCES {app}_play (label_id, at))",
    "deferrable": "ALTER TABLE {app}_play ADD CONSTRAINT {app}_d UNIQUE (major_id, at) DEFERRABLE",
    "heir": "CREATE TABLE {app}_heir () INHERITS ({app}_label)",
}


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
def test_what_would_go_with_the_old_column_is_named_before(labels: Labels, beside: str) -> None:
    """Or would act on each row that is written; nothing is left of the step."""
    labels.harness.execute(beside.format(app=labels.harness.app))
    before = labels.shape()

    with pytest.raises(StepFailed, match="can't become bigint beside those who use it"):
        labels.do("apply")

    assert labels.shape() == before
    assert labels.ledger() is None


def test_number_that_fits_no_more_is_refused_on_the_way_back(labels: Labels) -> None:
    """Before anything is there that would keep the application from writing such numbers."""
    app = labels.harness.app
    labels.do("apply")
    labels.harness.execute(f"INSERT INTO {app}_label (id, name) VALUES (3000000000, 'late')")
    wide = labels.shape()

    with pytest.raises(StepFailed, match=r"1 values of .*label\.id are out of range of integer"):
        labels.do("revert")

    assert labels.shape() == wide
    labels.harness.execute(f"INSERT INTO {app}_label (id, name) VALUES (3000000001, 'later')")
    labels.do("apply")
    assert labels.shape() == wide


def test_sequence_of_older_djangos_goes_along(labels: Labels) -> None:
    """Their keys are counted up by a default. Grants on it stay; so does a comment of the column."""
    table = f"{labels.harness.app}_label"
    labels._send(
        f"ALTER TABLE {table} ALTER COLUMN id DROP IDENTITY",
        f"CREATE SEQUENCE {table}_id_seq AS integer OWNED BY {table}.id",
        f"ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq')",
        f"SELECT setval('{table}_id_seq', 300)",
        f"GRANT USAGE ON SEQUENCE {table}_id_seq TO PUBLIC",
        f"COMMENT ON COLUMN {table}.id IS 'It''s the key'",
    )
    wanted, content = wanted_of(labels), labels.content()
    labels.do("apply")

    assert labels.shape() ^ wanted == set()
    assert labels.content() == content
    labels.write_on()
    told = f"SELECT data_type, has_sequence_privilege('public', '{table}_id_seq', 'USAGE') FROM pg_sequences"
    assert labels.harness._query(f"{told} WHERE sequencename = '{table}_id_seq'") == [("bigint", True)]
    assert labels.harness._query(
        f"SELECT col_description('{table}'::regclass, attnum) FROM pg_attribute "
        f"WHERE attrelid = '{table}'::regclass AND attname = 'id'"
    ) == [("It's the key",)]


def test_small_table_that_a_large_one_refers_to_goes_in_parts(
    labels: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django writes all of them anew; the look before has nothing against it, and nothing to warn of."""
    labels._send(
        f"INSERT INTO {labels.harness.app}_play (at, label_id) SELECT n, 1 FROM generate_series(400, 9000) n"
    )
    monkeypatch.setattr("migrator.foretelling.foreteller.LARGE", 1)
    assert Outlook.REFUSED in {found.outlook for found in labels.foretold()}
    monkeypatch.setattr("migrator.relational.safety.rewriter.LARGE_BYTES", 100_000)

    assert {found.outlook for found in labels.foretold()} <= {Outlook.NOTE}
    labels.do("apply", extent=Extent.LARGE)
    assert any("nobody waits long" in note for note in labels.notes)
