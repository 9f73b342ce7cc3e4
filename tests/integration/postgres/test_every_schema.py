# ruff: noqa: E501 - tables of models and statements are read line by line
"""No false alarm on any schema that Django makes, and none missing where a table was changed by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.db import connections, transaction

from accord.seam.types import Presence, Probe
from accord.testing import make_lease
from tests.conformance.harness_relational import RelationalHarness

pytestmark = pytest.mark.integration

MODELS = """
import uuid

import django.contrib.postgres.constraints as pg_constraints
import django.contrib.postgres.fields as pg_fields
import django.contrib.postgres.indexes as pg_indexes
import django.contrib.postgres.operations as pg
import django.contrib.postgres.search as pg_search
from django.core.serializers.json import DjangoJSONEncoder
from django.db import migrations, models
from django.db.models import Deferrable, F, Func, Q, Value
from django.db.models.functions import Coalesce, Collate, Concat, Lower, Now, Upper

LONG = "a_constraint_whose_name_is_much_longer_than_postgresql_allows_and_is_cut"


class Migration(migrations.Migration):
    initial = True
    dependencies = [(APP, "PREVIOUS")]
    operations = [
        pg.BtreeGistExtension(),
        pg.TrigramExtension(),
        pg.HStoreExtension(),
        pg.CITextExtension(),
        pg.CreateCollation(APP + "_nocase", provider="libc", locale="C"),
        migrations.RunSQL("CREATE SCHEMA IF NOT EXISTS elsewhere", migrations.RunSQL.noop),
        migrations.CreateModel("Plain", [
            ("id", models.SmallAutoField(primary_key=True)),
            ("big", models.BigIntegerField()), ("bin", models.BinaryField()),
            ("yes", models.BooleanField(default=True)), ("maybe", models.BooleanField(null=True)),
            ("char", models.CharField(max_length=5)), ("free", models.CharField()),
            ("day", models.DateField(auto_now=True)), ("moment", models.DateTimeField(auto_now_add=True)),
            ("price", models.DecimalField(max_digits=9, decimal_places=2)),
                        ("length", models.DurationField()), ("mail", models.EmailField()),
            ("file", models.FileField()), ("path", models.FilePathField()), ("float", models.FloatField()),
            ("ip", models.GenericIPAddressField(null=True)), ("json", models.JSONField(encoder=DjangoJSONEncoder)),
            ("small", models.PositiveSmallIntegerField()), ("pbig", models.PositiveBigIntegerField()),
            ("slug", models.SlugField()), ("noslug", models.SlugField(db_index=False)),
            ("text", models.TextField(unique=True)), ("time", models.TimeField()),
            ("url", models.URLField(db_index=True)), ("uuid", models.UUIDField(default=uuid.uuid4)),
            ("colated", models.CharField(max_length=9, db_collation="C", db_index=True)),
            ("own", models.TextField(db_collation=APP + "_nocase", unique=True)),
            ("odd", models.IntegerField(db_column="Odd Column%")),
            ("commented", models.IntegerField(db_comment="Seen by people.")),
            ("space", models.IntegerField(db_index=True, db_tablespace="pg_default")),
        ], options={"db_table": APP + " With Blanks", "db_table_comment": "A table."}),
        migrations.CreateModel("Arrays", [
            ("id", models.UUIDField(primary_key=True, default=uuid.uuid4)),
            ("one", pg_fields.ArrayField(models.CharField(max_length=7), size=3)),
            ("two", pg_fields.ArrayField(pg_fields.ArrayField(models.DecimalField(max_digits=4, decimal_places=1)))),
            ("store", pg_fields.HStoreField(default=dict)),
            ("range", pg_fields.DateTimeRangeField(null=True)), ("ints", pg_fields.BigIntegerRangeField()),
            ("nums", pg_fields.DecimalRangeField()), ("days", pg_fields.DateRangeField(null=True)),
            ("ci", models.CharField(max_length=9, db_collation="C")),
            ("vector", pg_search.SearchVectorField(null=True)),
        ], options={
            "indexes": [
                pg_indexes.GinIndex(fields=["vector"], name=APP + "_gin", fastupdate=False),
                pg_indexes.GinIndex(fields=["one", "two"], name=APP + "_gin2"),
                pg_indexes.GistIndex(fields=["range"], name=APP + "_gist", fillfactor=70),
                pg_indexes.BrinIndex(fields=["days"], name=APP + "_brin", pages_per_range=16, autosummarize=True),
                pg_indexes.HashIndex(fields=["ci"], name=APP + "_hash"),
                pg_indexes.SpGistIndex(fields=["ints"], name=APP + "_spgist"),
                pg_indexes.BTreeIndex(fields=["ci"], name=APP + "_btree", deduplicate_items=False),
                pg_indexes.GinIndex(fields=["ci"], opclasses=["gin_trgm_ops"], name=APP + "_trgm"),
                models.Index(fields=["ci"], name=APP + "_opclass", opclasses=["varchar_pattern_ops"]),
            ],
            "constraints": [
                pg_constraints.ExclusionConstraint(
                    name=APP + "_overlap", expressions=[("range", "&&"), ("ci", "=")],
                    condition=Q(range__isnull=False), deferrable=Deferrable.DEFERRED),
                pg_constraints.ExclusionConstraint(
                    name=APP + "_overlap2", expressions=[("days", "&&")], include=["ci"]),
            ],
        }),
        migrations.CreateModel("Ruled", [
            ("id", models.BigAutoField(primary_key=True)),
            ("a", models.IntegerField(db_default=1)), ("b", models.IntegerField(null=True)),
            ("name", models.CharField(max_length=40, db_default="x")),
            ("at", models.DateTimeField(db_default=Now())),
            ("word", models.CharField(max_length=40, db_default=Upper(Value("y")))),
            ("js", models.JSONField(db_default=Value({"a": 1}, models.JSONField()))), ("flag", models.BooleanField(db_default=False)),
            ("sum", models.GeneratedField(expression=F("a") + Coalesce(F("b"), 0),
                                          output_field=models.BigIntegerField(), db_persist=True, db_index=True)),
            ("low", models.GeneratedField(expression=Lower("name"), output_field=models.CharField(max_length=40),
                                          db_persist=True, unique=True)),
            ("state", models.CharField(max_length=2, choices=[("a", "A")], default="a")),
        ], options={
            "unique_together": {("a", "b"), ("b", "name")},
            "indexes": [
                models.Index(F("a").desc(nulls_last=True), Lower("name").asc(), name=APP + "_expr"),
                models.Index(Collate("name", "C"), name=APP + "_coll"),
                models.Index(fields=["a"], include=["b", "name"], condition=Q(b__gt=3) | Q(name="q"),
                             name=APP + "_cover", db_tablespace="pg_default"),
                models.Index(Func(F("a"), F("b"), function="GREATEST"), name=APP + "_func"),
                models.Index(fields=["-at", "a"], name=APP + "_desc"),
            ],
            "constraints": [
                models.CheckConstraint(condition=Q(a__gte=0) & ~Q(b=7), name=APP + "_check"),
                models.CheckConstraint(condition=Q(name__startswith="x") | Q(a__in=[1, 2, 3]), name=APP + "_check2"),
                models.CheckConstraint(condition=Q(at__gt="2000-01-01T00:00:00Z"), name=APP + "_check3"),
                models.CheckConstraint(condition=Q(js__has_key="a") & Q(name__contains="100%"), name=APP + "_check4"),
                models.CheckConstraint(condition=Q(a__range=(0, 9)), name=LONG),
                models.UniqueConstraint(fields=["a", "name"], name=APP + "_u1", deferrable=Deferrable.IMMEDIATE),
                models.UniqueConstraint(fields=["a", "at"], name=APP + "_u2", nulls_distinct=False),
                models.UniqueConstraint(fields=["b"], name=APP + "_u3", condition=Q(flag=True), include=["a"]),
                models.UniqueConstraint(Lower("name"), F("b").desc(), name=APP + "_u4"),
                models.UniqueConstraint(fields=["word"], name=APP + "_u5", opclasses=["varchar_pattern_ops"]),
                models.UniqueConstraint(Lower("word"), name=APP + "_u6", condition=Q(a=1), nulls_distinct=False),
            ],
        }),
        migrations.CreateModel("Node", [
            ("id", models.AutoField(primary_key=True)),
            ("parent", models.ForeignKey("self", models.SET_NULL, null=True)),
            ("ruled", models.ForeignKey("Ruled", models.CASCADE, db_constraint=False, db_index=False)),
            ("plain", models.OneToOneField("Plain", models.PROTECT, null=True)),
            ("text", models.ForeignKey("Plain", models.CASCADE, to_field="text", related_name="+")),
            ("friends", models.ManyToManyField("self")),
            ("links", models.ManyToManyField("Arrays", db_table=APP + "_own_links", db_constraint=False)),
        ], options={"order_with_respect_to": "parent"}),
        migrations.CreateModel("Through", [
            ("id", models.BigAutoField(primary_key=True)),
            ("node", models.ForeignKey("Node", models.CASCADE)),
            ("other", models.ForeignKey("Ruled", models.CASCADE)),
        ]),
        migrations.AddField("Node", "via", models.ManyToManyField("Ruled", through="Through", related_name="+")),
        migrations.CreateModel("Child", [
            ("node_ptr", models.OneToOneField("Node", models.CASCADE, parent_link=True, primary_key=True,
                                              auto_created=True, serialize=False)),
            ("more", models.IntegerField()),
        ], bases=(APP + ".node",)),
        migrations.CreateModel("Seen", [], options={"proxy": True, "indexes": []}, bases=(APP + ".node",)),
        migrations.CreateModel("View", [("id", models.IntegerField(primary_key=True))],
                               options={"managed": False, "db_table": APP + "_a_view"}),
        migrations.CreateModel("ToView", [
            ("id", models.BigAutoField(primary_key=True)),
            ("view", models.ForeignKey("View", models.DO_NOTHING, db_constraint=False)),
        ]),
        migrations.CreateModel("Away", [
            ("id", models.BigAutoField(primary_key=True)), ("code", models.CharField(max_length=9, unique=True)),
            ("node", models.ForeignKey("Node", models.CASCADE)),
        ], options={"db_table": 'elsewhere"."' + APP + "_away"}),
        migrations.CreateModel("ToAway", [
            ("id", models.BigAutoField(primary_key=True)),
            ("away", models.ForeignKey("Away", models.CASCADE)),
        ]),
        migrations.CreateModel("Pair", [
            ("pk", models.CompositePrimaryKey("a", "b", blank=True, editable=False, primary_key=True, serialize=False)),
            ("a", models.IntegerField()), ("b", models.IntegerField()),
        ]),
        migrations.CreateModel("ATableWhoseNameIsSoLongThatPostgresqlWouldHaveToCutItSomewhereInIt", [
            ("id", models.BigAutoField(primary_key=True)),
            ("a_column_whose_name_is_also_long_enough_to_be_cut_in_indexes_x", models.CharField(max_length=9, unique=True)),
            ("nodes", models.ManyToManyField("Node")),
        ]),
    ]
"""
CHANGES = '''
import django.contrib.postgres.operations as pg
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """What later changes leave behind."""

    dependencies = [(APP, "0009_every_kind")]
    operations = [
        migrations.AddField("Plain", "late", models.IntegerField(default=4)),
        migrations.AlterField("Plain", "char", models.TextField(db_index=True)),
        migrations.AlterField("Plain", "slug", models.CharField(max_length=70, unique=True)),
        migrations.AlterField("Plain", "id", models.BigAutoField(primary_key=True)),
        migrations.AlterField("Plain", "float", models.IntegerField(null=True)),
        migrations.AlterField("Ruled", "a", models.PositiveIntegerField(db_default=2)),
        migrations.RenameField("Plain", "small", "tiny"),
        migrations.RenameModel("Arrays", "Lists"),
        migrations.AlterModelTable("Through", APP + "_between"),
        migrations.AlterUniqueTogether("Ruled", {("a", "b")}),
        migrations.RenameIndex("Ruled", new_name=APP + "_desc_new", old_name=APP + "_desc"),
        migrations.RemoveConstraint("Ruled", APP + "_check3"),
        migrations.RemoveField("Plain", "noslug"),
        migrations.RemoveField("Node", "friends"),
        migrations.DeleteModel("Seen"),
        pg.AddConstraintNotValid("Ruled", models.CheckConstraint(condition=Q(a__lt=99), name=APP + "_later")),
        pg.AddConstraintNotValid("Ruled", models.CheckConstraint(condition=Q(a__lt=98), name=APP + "_checked")),
        pg.ValidateConstraint("Ruled", APP + "_checked"),
    ]
'''


@pytest.fixture
def harness(relational_harness: RelationalHarness) -> RelationalHarness:
    """Give a store in which one migration made everything that Django can make."""
    app = repr(relational_harness.app)
    before = relational_harness.step_names[-1]
    relational_harness.write_revision(
        "0009_every_kind", MODELS.replace("APP", app).replace("PREVIOUS", before)
    )
    relational_harness.write_revision("0010_changes", CHANGES.replace("APP", app))
    store = relational_harness.store()
    for step in store.steps():
        if step.key.app == relational_harness.app:
            store.apply(step, make_lease())
    return relational_harness


def looked(harness: RelationalHarness) -> Mapping[str, Probe]:
    """Compare everything; give the answers for the two migrations."""
    store = harness.store()
    steps = [step for step in store.steps() if step.key.app == harness.app]
    answers = {found.key.name: found for found in store.probe(steps)}
    return {name: answers[name] for name in ("0009_every_kind", "0010_changes")}


def test_nothing_that_django_makes_is_a_difference(harness: RelationalHarness) -> None:
    """Fields, indexes, constraints, inheritance, links, other schemas, long names, and what changes leave."""
    found = looked(harness)

    assert {name: probe.findings for name, probe in found.items()} == dict.fromkeys(found, ())
    assert {probe.presence for probe in found.values()} == {Presence.DONE}


STALE = """
from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    dependencies = [(APP, "PREVIOUS")]
    operations = [
        migrations.CreateModel("Old", [
            ("id", models.BigAutoField(primary_key=True)), ("n", models.IntegerField()),
            ("twice", models.GeneratedField(expression=F("n") * 2, output_field=models.IntegerField(), db_persist=True)),
        ], options={"indexes": [models.Index(fields=["n"], name="old_n")]}),
        migrations.RunSQL("SELECT 1", migrations.RunSQL.noop),
        migrations.RenameField("Old", "n", "number"),
    ]
"""


def test_expression_over_a_renamed_field_is_no_difference_and_spoils_no_other_model(
    relational_harness: RelationalHarness,
) -> None:
    """The server's expression follows the column, the one in Django's state names the field of before."""
    harness = relational_harness
    text = STALE.replace("APP", repr(harness.app)).replace("PREVIOUS", harness.step_names[-1])
    harness.write_revision("0009_stale", text)
    store = harness.store()
    steps = [step for step in store.steps() if step.key.app == harness.app]
    for step in steps:
        store.apply(step, make_lease())

    found = {probe.key.name: probe for probe in store.probe(steps)}

    assert {name: probe.presence for name, probe in found.items()} == dict.fromkeys(found, Presence.DONE)
    assert found["0009_stale"].unproved == ("Whether SQL of its own ran can't be looked at.",)
    harness.execute(f"ALTER TABLE {harness.app}_artist ALTER title TYPE text")
    assert any(probe.presence is Presence.CONFLICTING for probe in store.probe(steps))


BY_HAND = {
    # column types, collations, defaults, identity, generated expressions
    'ALTER TABLE "{a} With Blanks" ALTER "Odd Column%" TYPE bigint': "is bigint, declared as integer",
    'ALTER TABLE "{a} With Blanks" ALTER yes DROP NOT NULL': "is nullable",
    'ALTER TABLE "{a} With Blanks" ALTER price TYPE numeric(9, 3)': "numeric(9,3)",
    'ALTER TABLE "{a} With Blanks" ALTER own TYPE text COLLATE "C"': "declared as text COLLATE",
    'ALTER TABLE "{a} With Blanks" ALTER id DROP IDENTITY': "has no default",
    'ALTER TABLE "{a} With Blanks" ALTER moment TYPE timestamp': "timestamp without time zone",
    'ALTER TABLE "{a} With Blanks" DROP COLUMN tiny': "tiny is missing",
    "ALTER TABLE {a}_lists ALTER store TYPE text": "declared as hstore",
    "ALTER TABLE {a}_ruled ALTER at SET DEFAULT '2020-01-01'": "declared with the default",
    "ALTER TABLE {a}_ruled ALTER sum DROP EXPRESSION": "declared with the expression",
    "ALTER TABLE {a}_ruled ALTER js SET DEFAULT '{{}}'": '{{"a": 1}}',
    # indexes
    "DROP INDEX {a}_expr; CREATE INDEX {a}_expr ON {a}_ruled (a DESC, lower(name))": "NULLS LAST",
    "DROP INDEX {a}_coll; CREATE INDEX {a}_coll ON {a}_ruled (name)": "COLLATE",
    "DROP INDEX {a}_cover; CREATE INDEX {a}_cover ON {a}_ruled (a) INCLUDE (b) WHERE b > 3 OR name = 'q'": "INCLUDE",
    "DROP INDEX {a}_gist; CREATE INDEX {a}_gist ON {a}_lists USING gist (range)": "fillfactor",
    "DROP INDEX {a}_opclass; CREATE INDEX {a}_opclass ON {a}_lists (ci)": "varchar_pattern_ops",
    "DROP INDEX {a}_u4; CREATE INDEX {a}_u4 ON {a}_ruled (lower(name), b DESC)": "UNIQUE",
    "DROP INDEX {a}_u6": "is missing",
    "ALTER INDEX {a}_u6 RENAME TO other": "is missing",
    # constraints
    "ALTER TABLE {a}_ruled DROP CONSTRAINT {a}_check2": "check {a}_check2 on",
    "ALTER TABLE {a}_ruled DROP CONSTRAINT {a}_u1, ADD CONSTRAINT {a}_u1 UNIQUE (a, name)": "DEFERRABLE",
    "ALTER TABLE {a}_lists DROP CONSTRAINT {a}_overlap2": "{a}_overlap2",
    "ALTER TABLE {a}_ruled DROP CONSTRAINT {a}_check, ADD CONSTRAINT {a}_check "
    "CHECK (a >= 0 AND NOT (b = 7 AND b IS NOT NULL)) NOT VALID": "new rows alone",
    "ALTER TABLE {a}_ruled DROP CONSTRAINT {a}_checked, ADD CONSTRAINT {a}_checked CHECK (a < 98) NOT VALID": "new rows alone",
    "ALTER TABLE {a}_child DROP CONSTRAINT {a}_child_pkey": "no primary key",
    # links, other schemas, what was taken away, extensions
    "DROP TABLE {a}_own_links": "{a}_own_links of the field links is missing",
    "ALTER TABLE elsewhere.{a}_away DROP COLUMN code": "code is missing",
    "ALTER TABLE elsewhere.{a}_away DROP CONSTRAINT {a}_away_code_key": "no unique constraint",
    "DROP TABLE elsewhere.{a}_away CASCADE": "away is missing",
    'ALTER TABLE "{a} With Blanks" ADD noslug varchar(50)': "noslug is still there",
    "CREATE TABLE {a}_node_friends (id int)": "{a}_node_friends is still there",
    "CREATE TABLE {a}_through (id int)": "{a}_through is still there",
    "DROP EXTENSION citext": "extension citext is missing",
}  # fmt: skip


def test_every_change_by_hand_is_found(harness: RelationalHarness) -> None:
    """Each is told in words at a migration that it is about, and keeps that one from being adopted."""
    missed = {}
    for change, said in BY_HAND.items():
        with transaction.atomic(using=harness.alias):
            with connections[harness.alias].cursor() as cursor:
                cursor.execute(change.format(a=harness.app))
            found = looked(harness)
            transaction.set_rollback(True, using=harness.alias)
        told = [one.text for probe in found.values() for one in probe.findings]
        wrong = [probe for probe in found.values() if probe.presence is not Presence.DONE]
        if not wrong or not any(said.format(a=harness.app) in line for line in told):
            missed[change] = told, wrong

    assert missed == {}
