"""What lint finds in Django's operations, beside what it must leave alone."""

from __future__ import annotations

import pytest

from migrator.foretelling.locks import LockMode
from migrator.lint.finding import Severity
from tests.fix_lint import ROOM, Lint, Workbench

FOUND = {
    "index": (
        'migrations.AddIndex("room", models.Index(fields=["name"], name="by_name"))',
        "index-not-concurrent",
    ),
    "field with an index": (
        'migrations.AddField("room", "born", models.DateField(null=True, db_index=True))',
        "index-not-concurrent",
    ),
    "index of a field that stands": (
        'migrations.AlterField("room", "size", models.IntegerField(default=0, db_index=True))',
        "index-not-concurrent",
    ),
    "conditional unique": (
        'migrations.AddConstraint("room", ONE_NAME)',
        "index-not-concurrent",
    ),
    "index dropped": ('migrations.RemoveIndex("room", "by_name")', "index-drop-not-concurrent"),
    "concurrent in a transaction": (
        'AddIndexConcurrently("room", models.Index(fields=["name"], name="by_name"))',
        "concurrent-in-transaction",
    ),
    "random default": (
        'migrations.AddField("room", "luck", models.FloatField(db_default=Random()))',
        "column-volatile-default",
    ),
    "generated column": (
        'migrations.AddField("room", "twice", TWICE)',
        "column-computed",
    ),
    "required column": (
        'migrations.AddField("room", "floor", models.IntegerField(default=1))',
        "column-required",
    ),
    "unique column": (
        'migrations.AddField("room", "key", models.CharField(max_length=9, null=True, unique=True))',
        "unique-building",
    ),
    "not null": ('migrations.AlterField("room", "code", models.CharField(max_length=40))', "column-not-null"),
    "type": ('migrations.AlterField("room", "size", models.TextField(default=""))', "column-type"),
    "shorter": ('migrations.AlterField("room", "name", models.CharField(max_length=9))', "column-narrower"),
    "nullable": (
        'migrations.AlterField("room", "name", models.CharField(max_length=40, null=True))',
        "column-nullable",
    ),
    "default": (
        'migrations.AlterField("room", "size", models.IntegerField(default=0, db_default=0))',
        "column-default-changed",
    ),
    "small key": (
        'migrations.CreateModel("Seat", [("id", models.AutoField(primary_key=True))])',
        "column-small-key",
    ),
    "check": (
        'migrations.AddConstraint("room", models.CheckConstraint(condition=models.Q(size=1), name="b"))',
        "check-validating",
    ),
    "foreign key with a value": (
        'migrations.AddField("room", "owner", models.ForeignKey("shop.Owner", models.CASCADE, default=1))',
        "foreign-key-validating",
    ),
    "foreign key on what stands": (
        'migrations.AlterField("room", "size", models.ForeignKey("shop.Owner", models.CASCADE))',
        "foreign-key-validating",
    ),
    "unique": (
        'migrations.AddConstraint("room", models.UniqueConstraint(fields=["name"], name="one"))',
        "unique-building",
    ),
    "unique of what stands": (
        'migrations.AlterField("room", "name", models.CharField(max_length=40, unique=True))',
        "unique-building",
    ),
    "unique together": ('migrations.AlterUniqueTogether("room", {("name", "size")})', "unique-building"),
    "exclusion": (
        'migrations.AddConstraint("room", ExclusionConstraint(name="apart", expressions=[("size", "=")]))',
        "exclusion-building",
    ),
    "column dropped": ('migrations.RemoveField("room", "size")', "column-dropped"),
    "table dropped": ('migrations.DeleteModel("Room")', "table-dropped"),
    "column renamed": ('migrations.RenameField("room", "name", "title")', "renamed"),
    "table renamed": ('migrations.RenameModel("Room", "Hall")', "renamed"),
    "table named otherwise": ('migrations.AlterModelTable("room", "halls")', "renamed"),
    "wide index": (
        'migrations.AddIndex("room", models.Index(fields=["name", "code", "size", "id"], name="four"))',
        "index-wide",
    ),
    "index on an expression": (
        'migrations.AddIndex("room", models.Index(Lower("name"), name="small"))',
        "index-not-analyzed",
    ),
    "padded": ('migrations.AddField("room", "land", Padded(null=True))', "column-padded"),
    "neither Django's nor ours": ("Odd()", "not-looked-at"),
    "one way": ('migrations.RunSQL("SELECT 1")', "no-way-back"),
}
ODD = """
from django.db.migrations.operations.base import Operation

class Padded(models.Field):
    def db_type(self, connection):
        return "char(2)"

class Odd(Operation):
    def state_forwards(self, app_label, state): ...

ONE_NAME = models.UniqueConstraint(fields=["name"], condition=models.Q(size=0), name="one")
TWICE = models.GeneratedField(
    expression=models.F("size") * 2, output_field=models.IntegerField(), db_persist=True
)
"""


@pytest.mark.parametrize(("body", "rule"), FOUND.values(), ids=FOUND)
def test_lint_finds(lint: Lint, body: str, rule: str) -> None:
    """Each is found, at its own line, with the safe way."""
    found = [one for one in lint(f"{body},", above=ODD) if one.rule == rule]

    assert found
    assert found[0].safe
    assert found[0].path.read_text().splitlines()[found[0].line - 1].strip().startswith(body[:12])


FINE = {
    "index beside writers": (
        'atomic = False\noperations = [AddIndexConcurrently("room", models.Index(fields=["name"], name="n"))]'
    ),
    "nullable column": 'migrations.AddField("room", "floor", models.IntegerField(null=True)),',
    "column with a default in the database": (
        'migrations.AddField("room", "floor", models.IntegerField(db_default=1)),'
    ),
    "column with the time of the migration": (
        'migrations.AddField("room", "made", models.DateTimeField(db_default=Now())),'
    ),
    "empty foreign key without index": (
        'migrations.AddField("room", "owner", '
        'models.ForeignKey("shop.Owner", models.CASCADE, null=True, db_index=False)),'
    ),
    "longer": 'migrations.AlterField("room", "name", models.CharField(max_length=80)),',
    "only words for people": (
        'migrations.AlterField("room", "name", models.CharField(max_length=40, verbose_name="x")),'
    ),
    "check for new rows": (
        'AddConstraintNotValid("room", models.CheckConstraint(condition=models.Q(size__gt=0), name="b")),'
    ),
    "renamed in code alone": (
        "migrations.SeparateDatabaseAndState("
        'state_operations=[migrations.RenameField("room", "name", "title")]),'
    ),
    "column that replaces another, and may be what it is": (
        'BeginColumnChange("room", "size", "width", models.BigIntegerField()),\n'
        'CopyColumn("room", "size", "width"),'
    ),
    "rows filled in batches": (
        """atomic = False\noperations = [Backfill("room", set={"size": "size + 1"}, backward={})]"""
    ),
    "column that was replaced": 'phase = "contract"\noperations = [EndColumnChange("room", "size", "width")]',
    "dropped after the deploy": 'phase = "contract"\noperations = [migrations.RemoveField("room", "size")]',
    "new table with all of it": (
        'migrations.CreateModel("Seat", [("id", models.BigAutoField(primary_key=True)), '
        '("room", models.ForeignKey("shop.Room", models.CASCADE))]),\n'
        'migrations.AddIndex("seat", models.Index(fields=["room"], name="s")),\n'
        'migrations.AddConstraint("seat", models.UniqueConstraint(fields=["room"], name="u")),'
    ),
}


@pytest.mark.parametrize("body", FINE.values(), ids=FINE)
def test_lint_leaves_alone(lint: Lint, body: str) -> None:
    """What is safe is no finding at all."""
    assert [one.rule for one in lint(body, above="from migrator.operations import *")] == []


@pytest.mark.parametrize(
    "adding",
    [
        'migrations.AddField("room", "floor", models.IntegerField(null=True))',
        'migrations.CreateModel("Seat", [("id", models.BigAutoField(primary_key=True))])',
        'migrations.RunSQL("ALTER TABLE shop_room ADD COLUMN floor integer", "")',
    ],
)
def test_what_comes_does_not_wait_for_what_goes(lint: Lint, adding: str) -> None:
    """In a step of the end, whatever code needs is too late; what goes there is fine."""
    body = f'phase = "contract"\noperations = [migrations.RemoveField("room", "size"), {adding}]'

    assert [one.rule for one in lint(body)] == ["phases-mixed"]


def test_field_that_replaces_another_is_known_to_what_follows(workbench: Workbench) -> None:
    """Lint goes on with what the operations leave."""
    workbench.write(ROOM)
    ours = "from migrator.operations import *"
    workbench.write('BeginColumnChange("room", "size", "width", models.BigIntegerField()),', above=ours)
    workbench.write('migrations.AlterField("room", "width", models.BigIntegerField()),')

    assert [one.rule for one in workbench.look().findings] == ["column-not-null"]


def test_not_null_that_is_proved_is_left_alone(workbench: Workbench) -> None:
    """A CHECK that was validated before spares reading the rows; one that wasn't, doesn't."""
    check = 'models.CheckConstraint(condition=models.Q(code__isnull=False), name="has_code")'
    required = 'migrations.AlterField("room", "code", models.CharField(max_length=40)),'
    workbench.write(ROOM)
    workbench.write(f'AddConstraintNotValid("room", {check}),')
    early = workbench.write(required)
    del workbench.written[early]
    workbench.write('ValidateConstraint("room", "has_code"),')

    workbench.write(required, name="0004_required")

    assert [one.rule for one in workbench.look().findings] == []


def test_not_null_under_a_check_that_is_not_validated_is_found(workbench: Workbench) -> None:
    """PostgreSQL believes only what was looked at."""
    check = 'models.CheckConstraint(condition=models.Q(code__isnull=False), name="has_code")'
    workbench.write(ROOM)
    workbench.write(f'AddConstraintNotValid("room", {check}),')

    workbench.write('migrations.AlterField("room", "code", models.CharField(max_length=40)),')

    assert [one.rule for one in workbench.look().findings] == ["column-not-null"]


def test_tables_of_the_same_release_are_in_nobodys_use(workbench: Workbench) -> None:
    """What comes out together with its table locks nobody out; alone, it does."""
    first = workbench.write(ROOM)
    second = workbench.write('migrations.AddIndex("room", models.Index(fields=["name"], name="n")),')

    assert [one.rule for one in workbench.look(second).findings] == ["index-not-concurrent"]
    assert workbench.look(first, second, release=[first, second]).findings == []


def test_two_last_migrations_are_told(workbench: Workbench) -> None:
    """Each names the other, and the one before them names none."""
    first = workbench.write(ROOM)
    left, right = workbench.write("", name="0002_left"), workbench.write("", name="0002_right")
    workbench.written[right].dependencies = [first]

    found = workbench.look(first, left, right).findings

    assert [(one.rule, one.key.name) for one in found] == [
        ("several-leaves", "0002_left"),
        ("several-leaves", "0002_right"),
    ]


def test_an_index_is_not_built_under_the_lock_of_what_came_before(lint: Lint) -> None:
    """Alone it keeps writers out; behind a new column readers, too."""
    column = 'migrations.AddField("room", "floor", models.IntegerField(null=True)),'
    index = 'migrations.AddIndex("room", models.Index(fields=["name"], name="n")),'

    assert "index-under-lock" in {one.rule for one in lint(f"{column}\n{index}")}
    assert "index-under-lock" not in {one.rule for one in lint(index.replace('name="n"', 'name="m"'))}


def test_old_rows_are_looked_at_after_the_lock_is_gone(lint: Lint) -> None:
    """NOT VALID and VALIDATE in one transaction are as one."""
    check = 'models.CheckConstraint(condition=models.Q(size=1), name="b")'
    body = f'AddConstraintNotValid("room", {check}),\nValidateConstraint("room", "b"),'

    assert [one.rule for one in lint(body)] == ["validated-at-once"]
    assert lint(f"atomic = False\noperations = [{body}]") == []


def test_a_renamed_table_is_the_same_table(workbench: Workbench) -> None:
    """An index on a table that was renamed on the way names it as it is called then."""
    workbench.write(ROOM)
    workbench.write('migrations.RenameModel("Room", "Hall"),')
    workbench.write('migrations.AddIndex("hall", models.Index(fields=["name"], name="n")),')

    (found,) = workbench.look().findings

    assert found.table == "shop_hall"
    assert found.burden.mode is LockMode.SHARE


def test_each_operation_of_a_wrapper_is_found_at_its_own_line(lint: Lint) -> None:
    """An index within SeparateDatabaseAndState stands where it is written."""
    body = """
    migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.AddField("room", "floor", models.IntegerField(null=True)),
            migrations.AddIndex("room", models.Index(fields=["name"], name="n")),
        ],
    ),
    """

    (found,) = [one for one in lint(body) if one.rule == "index-not-concurrent"]

    assert "AddIndex" in found.path.read_text().splitlines()[found.line - 1]


EASED = {
    "index": ('AddIndex("room", models.Index(fields=["name"], name="n"))', "index-not-concurrent"),
    "index dropped": ('RemoveIndex("room", "n")', "index-drop-not-concurrent"),
    "check": (
        'AddConstraint("room", models.CheckConstraint(condition=models.Q(size=1), name="b"))',
        "check-validating",
    ),
    "unique": (
        'AddConstraint("room", models.UniqueConstraint(fields=["name"], name="u"))',
        "unique-building",
    ),
    "unique together": ('AlterUniqueTogether("room", {("name", "size")})', "unique-building"),
    "column with an index": (
        'AddField("room", "x", models.IntegerField(null=True, db_index=True))',
        "index-not-concurrent",
    ),
    "unique column": (
        'AddField("room", "x", models.IntegerField(null=True, unique=True))',
        "unique-building",
    ),
    "not null": ('AlterField("room", "code", models.CharField(max_length=40))', "column-not-null"),
    "becomes unique": (
        'AlterField("room", "name", models.CharField(max_length=40, unique=True))',
        "unique-building",
    ),
    "becomes the key": (
        'AlterField("room", "name", models.CharField(max_length=40, primary_key=True))',
        "primary-key-building",
    ),
    "wider key": (
        'AlterField("owner", "id", models.AutoField(primary_key=True))',
        "column-type",
    ),
    "other value in each row": (
        'AddField("room", "x", models.FloatField(db_default=Random()))',
        "column-volatile-default",
    ),
}
NOT_EASED = {
    "not null and longer": ('AlterField("room", "code", models.CharField(max_length=50))', "column-not-null"),
    "required": ('AddField("room", "x", models.IntegerField(default=1, unique=True))', "column-required"),
    "exclusion": (
        'AddConstraint("room", ExclusionConstraint(name="x", expressions=[("size", "=")]))',
        "exclusion-building",
    ),
    "wider, and no key": ('AlterField("room", "size", models.BigIntegerField(default=0))', "column-type"),
    "counted up": ('AddField("room", "x", models.BigAutoField(primary_key=True))', "column-computed"),
    "SQL": ('RunSQL("CREATE INDEX n ON shop_room (name)", "")', "index-not-concurrent"),
}


@pytest.mark.parametrize(("body", "rule"), EASED.values(), ids=EASED)
def test_what_a_run_sends_in_parts_is_only_told(workbench: Workbench, body: str, rule: str) -> None:
    """Where the policy lets a run do so, it is no error, and a column that is dropped stays one."""
    workbench.write(ROOM)
    workbench.write(f'migrations.{body},\nmigrations.RemoveField("room", "size"),')

    plainly, eased = workbench.look(), workbench.look(eases=True)

    assert {rule, "column-dropped"} <= {one.rule for one in plainly.findings}
    assert [one.severity for one in eased.findings if one.rule == rule] == [Severity.INFO]
    assert "column-dropped" in {one.rule for one in eased.at_least(Severity.ERROR)}


@pytest.mark.parametrize(("body", "rule"), NOT_EASED.values(), ids=NOT_EASED)
def test_what_a_run_sends_as_it_stands_weighs_as_ever(workbench: Workbench, body: str, rule: str) -> None:
    """Also beside something that is sent in parts."""
    workbench.write(ROOM)
    workbench.write(f"{'' if body.startswith('Ex') else 'migrations.'}{body},")

    assert rule in {one.rule for one in workbench.look(eases=True).at_least(Severity.ERROR)}
