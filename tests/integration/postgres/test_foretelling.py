"""What a real PostgreSQL would say to pending migrations, asked before any of them runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from pytest_django.plugin import DjangoDbBlocker

from accord.errors import AccordError
from accord.seam.foretelling import MASKED, Foretold, Outlook
from accord.seam.types import Direction
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.driving import in_order, new_lease

pytestmark = pytest.mark.integration

HEAD = """from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, IntegerRangeField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import (
    AddConstraintNotValid, AddIndexConcurrently, BtreeGistExtension, CreateCollation, TrigramExtension,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Abs, Lower

OWN = Func("id", F("id") + 1, function="int8range", output_field=IntegerRangeField())
SPAN = Func(Value(0), Abs("amount") + 1, function="int4range", output_field=IntegerRangeField())


def code(apps, schema_editor):
    pass


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = {needs}
    operations = [{operations}]
"""
TABLES = """
    migrations.CreateModel("Owner", [("id", models.BigIntegerField(primary_key=True))]),
    migrations.CreateModel("Item", [
        ("id", models.BigIntegerField(primary_key=True)),
        ("name", models.CharField(max_length=40, null=True)),
        ("kind", models.CharField(max_length=40, null=True)),
        ("amount", models.IntegerField(null=True)),
        ("owner", models.ForeignKey("APP.owner", models.CASCADE, null=True, db_constraint=False)),
    ]),
    migrations.CreateModel("Empty", [("id", models.BigIntegerField(primary_key=True)),
                                     ("name", models.CharField(max_length=40, null=True))]),
"""
ROWS = (
    "INSERT INTO APP_owner VALUES (1)",
    """
    INSERT INTO APP_item (id, name, kind, amount, owner_id) VALUES (1, 'Ann', 'a', -5, 1),
    (2, 'Ann', 'b', 70000, 9), (3, 'ann', NULL, NULL, NULL), (4, NULL, NULL, 4, 1),
    (5, 'a name that is rather long', 'z', 3, NULL)
    """,
)
CHAR = "models.CharField(max_length=40, null=True"


def alter(field: str, declared: str) -> str:
    return f'migrations.AlterField("item", "{field}", {declared})'


def unique(arguments: str) -> str:
    return f'migrations.AddConstraint("item", models.UniqueConstraint({arguments}, name="APP_u"))'


def check(condition: str) -> str:
    return f'migrations.AddConstraint("item", models.CheckConstraint(condition={condition}, name="APP_c"))'


def exclude(arguments: str) -> str:
    return f'migrations.AddConstraint("item", ExclusionConstraint(name="APP_e", {arguments}))'


def sql(text: str) -> str:
    return f'migrations.RunSQL("{text}")'


TRIGRAMS = """
    migrations.AddIndex("item", GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="APP_gin"))
"""
BY_DEFAULT = 'migrations.AddIndex("item", GinIndex(fields=["name"], name="APP_gin"))'
"""On a text, which has no class of its own for this method."""
REFUSED = {
    "unique field": (alter("name", f"{CHAR}, unique=True)"), "1 of (name) are there more than once"),
    "unique together": (
        'migrations.AlterUniqueTogether("item", {("name", "owner")})', None),
    "unique of one group": (unique('fields=["name"]'), "1 of (name)"),
    "unique with condition": (unique('fields=["name"], condition=Q(amount__gt=0)'), None),
    "unique with condition that holds both": (
        unique('fields=["name"], condition=Q(id__lt=3)'), "1 of (name)"),
    "unique of an expression": (unique('Lower("name")'), '1 of ((LOWER("name")))'),
    "unique by operator class": (
        unique('fields=["name"], opclasses=["varchar_pattern_ops"]'), "are there more than once"),
    "NULLs are equal": (unique('fields=["kind"], nulls_distinct=False'), "1 of (kind)"),
    "NULLs are different": (unique('fields=["kind"]'), None),
    "unique that carries more": (unique('fields=["name"], include=["kind"]'), "1 of (name)"),
    "unique at the end of a transaction": (
        unique('fields=["name"], deferrable=models.Deferrable.DEFERRED'), "1 of (name)"),
    "ranges that meet": (exclude('expressions=[(SPAN, "&&")]'), "10 pairs of rows exclude each other"),
    "ranges that meet within a part": (
        exclude('expressions=[(SPAN, "&&")], condition=Q(id__lt=3)'), "1 pairs of rows"),
    "ranges that do not meet": (
        exclude('expressions=[(OWN, "&&")]'), None),
    "exclusion by equality": (
        sql("ALTER TABLE APP_item ADD CONSTRAINT e EXCLUDE (name WITH =)"), "1 pairs of rows"),
    "exclusion without an operator class": (
        exclude('expressions=[("owner", "=")]'), "no operator class of its own for gist"),
    "extension brings the operator class": (
        f"""BtreeGistExtension(), {exclude('expressions=[("id", "="), (SPAN, "&&")]')}""", None),
    "index without an operator class": (
        sql("CREATE INDEX i ON APP_item USING gin (name)"), "no operator class of its own for gin"),
    "index of a column that comes as a list": (
        sql("ALTER TABLE APP_item ADD COLUMN l text[]; CREATE INDEX i ON APP_item USING gin (l)"), None),
    "not null": (alter("amount", "models.IntegerField()"), "1 hold NULL"),
    "not null with a default that fills": (alter("amount", "models.IntegerField(default=0)"), None),
    "check": (check("Q(amount__gte=0)"), "1 break the check"),
    "check that holds": (check("Q(amount__lt=100000)"), None),
    "check on insert alone": (
        'migrations.RunSQL("ALTER TABLE APP_item ADD CONSTRAINT v CHECK (amount > 0) NOT VALID")', None),
    "check validated": (
        ("AddConstraintNotValid('item', models.CheckConstraint(condition=Q(amount__gt=0), name='APP_c')), "
         "ValidateConstraint('item', 'APP_c')"), "1 break the check"),
    "check validated that holds": (
        ("AddConstraintNotValid('item', models.CheckConstraint(condition=Q(amount__gt=-9), name='APP_c')), "
         "ValidateConstraint('item', 'APP_c')"), None),
    "orphans": (
        alter("owner", 'models.ForeignKey("APP.owner", models.CASCADE, null=True)'), "1 point at rows"),
    "default that points at nothing": (
        'migrations.AddField("item", "more", models.ForeignKey("APP.owner", models.CASCADE, default=9))',
        "points at none that APP_owner has"),
    "default that points at a row": (
        'migrations.AddField("item", "m", models.ForeignKey("APP.owner", models.CASCADE, default=1))', None),
    "default that breaks its check": (
        'migrations.AddField("item", "more", models.PositiveIntegerField(default=-1))', "breaks its check"),
    "default that its check allows": (
        'migrations.AddField("item", "more", models.PositiveIntegerField(default=1))', None),
    "converted by an expression": (
        sql("ALTER TABLE APP_item ALTER COLUMN name TYPE integer USING length(name)"), None),
    "converted by an expression that fails": (
        sql("ALTER TABLE APP_item ALTER COLUMN name TYPE date USING to_date(name, 'YYYY')"),
        "A value does not fit date"),
    "too long": (alter("name", "models.CharField(max_length=10, null=True)"), "1 hold more than 10"),
    "long enough": (alter("name", "models.CharField(max_length=30, null=True)"), None),
    "does not cast": (alter("name", "models.IntegerField(null=True)"), "A value does not fit integer"),
    "out of range": (alter("amount", "models.SmallIntegerField(null=True)"), "A value does not fit smallint"),
    "casts": (alter("amount", "models.BigIntegerField(null=True)"), None),
    "new column without a default": (
        'migrations.RunSQL("ALTER TABLE APP_item ADD COLUMN fresh integer NOT NULL")',
        "the new column takes"),
    "new unique column with one default": (
        'migrations.AddField("item", "code", models.IntegerField(default=1, unique=True))', "the same value"),
    "new unique column with NULL": (
        'migrations.AddField("item", "code", models.IntegerField(null=True, unique=True))', None),
    "new column that counts": (
        'migrations.RunSQL("ALTER TABLE APP_item ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY")', None),
    "unique index by SQL": (
        'migrations.RunSQL("CREATE UNIQUE INDEX CONCURRENTLY x ON APP_item (name) WHERE amount IS NOT NULL")',
        "1 of (name)"),
    "column is there": (
        'migrations.RunSQL("ALTER TABLE APP_item ADD COLUMN name text")', "The column is there already"),
    "table is there": (
        'migrations.CreateModel("Strange", [("id", models.BigIntegerField(primary_key=True))])',
        "strange is there already"),
    "table is not there": ('migrations.RunSQL("ALTER TABLE nowhere ADD COLUMN n integer")', "nowhere is not"),
    "type is not there": (
        'migrations.RunSQL("ALTER TABLE APP_item ADD COLUMN v geometry(Point)")', "The type geometry(Point)"),
    "operator class is not there": (
        TRIGRAMS,
        "The operator class gin_trgm_ops"),
    "extension brings the class": (
        f"TrigramExtension(), {TRIGRAMS}", None),
    "extension is not there": (
        'migrations.RunSQL("CREATE EXTENSION no_such_thing")', "does not have the extension no_such_thing"),
    "collation is not there": (
        alter("name", f'{CHAR}, db_collation="nowhere")'), "The collation nowhere"),
    "index beside writers in a transaction": (
        'migrations.RunSQL(""), AddIndexConcurrently("item", models.Index(fields=["name"], name="APP_i"))',
        "It can't run in a transaction"),
    "removed and added again": (
        ('migrations.RemoveField("item", "kind"), '
        'migrations.AddField("item", "kind", models.IntegerField(null=True, unique=True))'), None),
    "constraint of one name again": (
        ('migrations.AlterField("owner", "id", models.BigIntegerField(primary_key=True, db_comment="x")), '
        'migrations.RunSQL("ALTER TABLE APP_item ADD CONSTRAINT k UNIQUE (id); '
        'ALTER TABLE APP_item DROP CONSTRAINT k; ALTER TABLE APP_item ADD CONSTRAINT k UNIQUE (id)")'), None),
    "index renamed and made again": (
        ('migrations.RunSQL("CREATE INDEX k ON APP_item (id); ALTER INDEX k RENAME TO l; '
        'CREATE INDEX k ON APP_item (id)")'), None),
    "same name in another schema": (
        'migrations.RunSQL("CREATE SCHEMA more; CREATE TABLE more.APP_item (id integer)")', None),
    "deleted and made again": (
        ('migrations.DeleteModel("Item"), '
        'migrations.CreateModel("Item", [("id", models.BigIntegerField(primary_key=True)), '
        '("name", models.CharField(max_length=40, unique=True))])'), None),
    "empty table": (
        'migrations.AlterField("empty", "name", models.CharField(max_length=2, unique=True))', None),
    "harmless": ('migrations.AddField("item", "more", models.IntegerField(default=3))', None),
}  # fmt: skip


@pytest.fixture
def pending(
    tmp_path: Path,
    new_database: Callable[[], str],
    django_db_blocker: DjangoDbBlocker,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., RelationalHarness]]:
    """Give a maker of a database with rows, and of a migration that is pending there."""

    def make(*operations: str, rows: Sequence[str] = ROWS) -> RelationalHarness:
        texts = {"0001_first": HEAD.format(atomic=True, needs=[], operations=TABLES)}
        harness = RelationalHarness(tmp_path, new_database(), texts=texts)
        request.addfinalizer(harness.close)
        harness.store().apply(harness.step("0001_first"), new_lease())
        for row in rows:
            harness.execute(row.replace("APP", harness.app))
        harness.execute(f"CREATE TABLE {harness.app}_strange (id integer)")
        for number, operation in enumerate(operations, start=2):
            needs = [(harness.app, "0001_first" if number == 2 else f"{number - 1:04}_next")]
            atomic = not operation.startswith("AddIndexConcurrently")
            text = HEAD.format(atomic=atomic, needs=needs, operations=operation)
            harness.write_revision(f"{number:04}_next", text)
        return harness

    with django_db_blocker.unblock():
        yield make


def foretold(harness: RelationalHarness) -> list[Foretold]:
    store = harness.store()
    applied = store.applied()
    steps = [
        step for step in in_order(store.steps()) if step.key.app == harness.app and step.key not in applied
    ]
    return list(store.foretell(steps, Direction.APPLY))


def of(found: Sequence[Foretold], outlook: Outlook) -> list[Foretold]:
    return [item for item in found if item.outlook is outlook]


@pytest.mark.by_turns(3)
@pytest.mark.parametrize(("operation", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_foretold_is_what_happens(
    pending: Callable[..., RelationalHarness], operation: str, said: str | None
) -> None:
    """What is foretold to fail fails, and what is not goes through; looking changes nothing."""
    harness = pending(operation)
    before = harness.observe()

    refused = of(foretold(harness), Outlook.REFUSED)

    assert harness.observe() == before
    words = (said or "").replace("APP", harness.app)
    assert [item for item in refused if words and words in item.text] or not said, refused
    assert said or not refused, refused
    assert all(item.hint for item in refused)
    step = harness.step("0002_next")
    if said is None:
        harness.store().apply(step, new_lease())
    else:
        with pytest.raises(AccordError):
            harness.store().apply(step, new_lease())


def test_constraint_that_stands_for_new_rows_is_looked_at_when_it_is_validated(
    pending: Callable[..., RelationalHarness],
) -> None:
    """The catalog says what it demands, of foreign keys and checks alike."""
    make = "ALTER TABLE APP_item ADD CONSTRAINT"
    standing = [
        f"{make} positive CHECK (amount > 0) NOT VALID",
        f"{make} owned FOREIGN KEY (owner_id) REFERENCES APP_owner (id) NOT VALID",
        f"{make} small CHECK (amount < 100000) NOT VALID",
    ]
    validate = [
        sql(f"ALTER TABLE APP_item VALIDATE CONSTRAINT {name}") for name in ("positive", "owned", "small")
    ]
    harness = pending(", ".join(validate), rows=[*ROWS, *standing])

    found = foretold(harness)

    assert [item.text.partition(" ")[2] for item in of(found, Outlook.REFUSED)] == [
        "break the check.", f"point at rows that {harness.app}_owner does not have.",
    ]  # fmt: skip
    assert {item.lock for item in of(found, Outlook.NOTE)} == {"SHARE UPDATE EXCLUSIVE"}


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        (exclude('expressions=[("owner", "=")]'), True),
        (TRIGRAMS, True),
        (BY_DEFAULT, True),
        ('migrations.AddIndex("item", models.Index(fields=["name"], name="APP_i"))', False),
        (alter("amount", "models.IntegerField()"), False),
    ],
)
def test_missing_class_is_looked_for_before_a_run_without_rows(
    pending: Callable[..., RelationalHarness], operation: str, asked: bool
) -> None:
    """The server refuses it on an empty table, too; what only rows could refuse is not asked for there."""
    harness = pending(operation, rows=())

    assert harness.store().could_refuse([harness.step("0002_next")], Direction.APPLY) is asked


def test_class_of_a_column_that_comes_is_not_looked_for_in_an_empty_database(
    tmp_path: Path, new_database: Callable[[], str], django_db_blocker: DjangoDbBlocker
) -> None:
    """The type of a column that isn't there nobody knows; a class that is named is asked for."""
    with django_db_blocker.unblock():
        texts = {"0001_first": HEAD.format(atomic=True, needs=[], operations=TABLES)}
        with closing(RelationalHarness(tmp_path, new_database(), texts=texts)) as harness:
            asked = []
            for operation in (BY_DEFAULT, TRIGRAMS):
                needs = [(harness.app, "0001_first")]
                text = HEAD.format(atomic=True, needs=needs, operations=operation)
                harness.write_revision("0002_next", text)
                steps = [harness.step("0001_first"), harness.step("0002_next")]
                asked.append(harness.store().could_refuse(steps, Direction.APPLY))

            assert asked == [False, True]


def test_what_hangs_on_earlier_steps_is_unknown_until_they_ran(
    pending: Callable[..., RelationalHarness],
) -> None:
    """A column that an earlier pending step makes or changes can't be asked, and is never told as well."""
    harness = pending(
        "migrations.AddField('item', 'code', models.IntegerField(default=1))",
        "migrations.AlterField('item', 'code', models.IntegerField(unique=True))",
    )

    unknown = of(foretold(harness), Outlook.UNKNOWN)

    assert any(
        item.key.name == "0003_next" and item.text.startswith("Unknown until") and "0002_next" in item.text
        for item in unknown
    )


def test_code_that_runs_before_makes_a_refusal_unknown(pending: Callable[..., RelationalHarness]) -> None:
    """A data migration may mend what stands, so nobody says that the next step fails; what stands is told."""
    harness = pending(
        "migrations.RunPython(code)", f"migrations.AlterField('item', 'name', {CHAR}, unique=True))"
    )

    found = foretold(harness)

    assert not of(found, Outlook.REFUSED)
    assert [item.key.name for item in of(found, Outlook.UNKNOWN)] == ["0002_next", "0003_next"]
    assert "more than once as things stand" in of(found, Outlook.UNKNOWN)[1].text


def test_table_that_a_pending_step_makes_is_empty(pending: Callable[..., RelationalHarness]) -> None:
    """What a fresh table is given later meets no row, and nothing is said."""
    harness = pending(
        "migrations.CreateModel('Fresh', [('id', models.BigIntegerField(primary_key=True))])",
        "migrations.AddField('fresh', 'n', models.IntegerField(unique=True, default=3))",
    )

    assert not [item for item in foretold(harness) if item.outlook is not Outlook.NOTE]


def test_sample_is_masked_and_the_query_shows_the_rows(pending: Callable[..., RelationalHarness]) -> None:
    """Nobody reads a person's name in a pipeline's log; the hint has the query that shows it."""
    harness = pending(f"migrations.AlterField('item', 'name', {CHAR}, unique=True))")

    (refused,) = of(foretold(harness), Outlook.REFUSED)

    assert (refused.rows, refused.sample) == (1, (MASKED,))
    assert "Ann" not in str(refused)
    query = refused.hint.partition("See them: ")[2]
    assert harness._query(query) == [("Ann", 2)]


def test_sample_is_shown_where_it_is_nobodys(
    pending: Callable[..., RelationalHarness], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data map is asked for the columns that the sample shows, and for no others."""
    both = unique('fields=["name", "amount"]'), unique('Lower("name")').replace("APP_u", "APP_l")
    more = "INSERT INTO APP_item (id, name, amount) VALUES (11, 'Ann', -5)"
    harness = pending(", ".join(both), rows=[*ROWS, more])
    asked: list[tuple[str, str, tuple[str, ...]]] = []

    def answers(store: str, holder: str, names: Collection[str]) -> bool:
        asked.append((store, holder, tuple(names)))
        return "amount" in names

    monkeypatch.setattr("accord.personal._answers", [answers])
    refused = of(foretold(harness), Outlook.REFUSED)

    table = f"{harness.app}_item"
    alias = harness.store().alias
    assert asked == [(alias, table, ("name", "amount")), (alias, table, ("name",))]
    assert [item.sample for item in refused] == [("Ann, -5",), (MASKED,)]


@pytest.mark.parametrize(
    ("operation", "lock", "words"),
    [
        ('migrations.AddIndex("item", models.Index(fields=["name"], name="APP_i"))', "SHARE",
         "every row is read"),
        ('AddIndexConcurrently("item", models.Index(fields=["name"], name="APP_i"))',
         "SHARE UPDATE EXCLUSIVE", "nobody waits"),
        (alter("amount", "models.BigIntegerField(null=True)"), "ACCESS EXCLUSIVE", "written anew"),
        (alter("name", "models.CharField(max_length=90, null=True)"), "ACCESS EXCLUSIVE", "writers wait."),
        (alter("name", "models.TextField(null=True)"), "ACCESS EXCLUSIVE", "writers wait."),
        ('migrations.AddField("item", "n", models.IntegerField(null=True))',
         "ACCESS EXCLUSIVE", "writers wait."),
        ('migrations.RunSQL("UPDATE APP_item SET amount = 3")', "ROW EXCLUSIVE", "nobody waits"),
        ('migrations.RunSQL("ALTER TABLE APP_item ADD COLUMN g uuid DEFAULT gen_random_uuid()")',
         "ACCESS EXCLUSIVE", "written anew"),
    ],
)  # fmt: skip
def test_lock_and_work_are_those_of_the_server(
    pending: Callable[..., RelationalHarness], operation: str, lock: str, words: str
) -> None:
    """The lock told is the one that the server holds, and a table is written anew where its file changes."""
    harness = pending(f"{operation}")
    harness.execute(f"ANALYZE {harness.app}_item")

    (note,) = [item for item in of(foretold(harness), Outlook.NOTE) if item.what == f"{harness.app}_item"]

    assert (note.lock, note.rows) == (lock, 5)
    assert words in note.text
    assert note.bytes
    assert _file_changes(harness) is ("written anew" in note.text)


def _file_changes(harness: RelationalHarness) -> bool:
    query = f"SELECT pg_relation_filenode('{harness.app}_item')"
    before = harness._query(query)
    harness.store().apply(harness.step("0002_next"), new_lease())
    return before != harness._query(query)


def test_each_statement_tells_its_lock(pending: Callable[..., RelationalHarness]) -> None:
    """The note has the strongest; which statement takes which stands beside it, where there are several."""
    index = 'migrations.AddIndex("item", models.Index(fields=["name"], name="APP_i"))'
    add = 'migrations.AddField("item", "n", models.IntegerField(null=True))'
    harness = pending(f'migrations.RunSQL("UPDATE APP_item SET amount = 3"), {index}, {add}')

    (note,) = [item for item in of(foretold(harness), Outlook.NOTE) if item.what == f"{harness.app}_item"]

    assert note.lock == "ACCESS EXCLUSIVE"
    assert note.by_statement == ("1: ROW EXCLUSIVE", "2: SHARE", "3: ACCESS EXCLUSIVE")


def test_large_table_that_is_indexed_tells_that_sql_knows_no_disk(
    pending: Callable[..., RelationalHarness], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room is needed, and how much is free can't be asked; a new column alone needs none."""
    monkeypatch.setattr("migrator.foretelling.foreteller.LARGE", 1)
    index = 'migrations.AddIndex("item", models.Index(fields=["name"], name="APP_i"))'
    add = 'migrations.AddField("owner", "n", models.IntegerField(null=True))'
    harness = pending(f"{index}, {add}")

    hints = {item.what.removeprefix(f"{harness.app}_"): item.hint for item in foretold(harness)}

    assert "SQL can't tell" in hints["item"]
    assert hints["owner"] == ""


def test_look_that_waits_is_unknown(pending: Callable[..., RelationalHarness]) -> None:
    """Another session's lock on the table makes the look give up soon; it is told as unknown."""
    harness = pending(f"migrations.AlterField('item', 'name', {CHAR}, unique=True))")
    with closing(psycopg2.connect(harness.url)) as other, other.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {harness.app}_item IN ACCESS EXCLUSIVE MODE")

        found = foretold(harness)

    assert not of(found, Outlook.REFUSED)
    assert any("waits for a lock" in item.text for item in of(found, Outlook.UNKNOWN))


def test_operation_that_acts_by_itself_does_not_act_while_looking(
    pending: Callable[..., RelationalHarness],
) -> None:
    """An operation of one's own that sends through a cursor is kept from it, and told as unknown."""
    harness = pending("Own()")
    text = (harness.revisions / "0002_next.py").read_text()
    own = (
        "class Own(migrations.operations.base.Operation):\n"
        "    def state_forwards(self, app, state):\n        pass\n"
        "    def database_forwards(self, app, editor, before, after):\n"
        "        with editor.connection.cursor() as cursor:\n"
        "            cursor.execute('DELETE FROM APP_item')\n\n\nclass Migration("
    )
    harness.write_revision("0002_next", text.replace("class Migration(", own, 1))

    found = foretold(harness)
    store, step = harness.store(), harness.step("0002_next")
    shown = dict(store.explain([step], Direction.APPLY))
    list(store.losses([step], Direction.APPLY))

    assert harness._query(f"SELECT count(*) FROM {harness.app}_item") == [(5,)]
    assert [item.outlook for item in found] == [Outlook.UNKNOWN]
    assert [(item.opaque, "sends by itself" in item.text) for item in shown[step]] == [(True, True)]
