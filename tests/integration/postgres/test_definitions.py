"""Tables are compared by PostgreSQL's own definitions: no false alarm on what Django makes."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2
import pytest

from accord.seam.differences import DifferenceKind
from accord.seam.types import Presence, Probe
from accord.testing import make_lease
from tests.conformance.harness_relational import RelationalHarness

pytestmark = pytest.mark.integration

MODELS = """
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    initial = True
    dependencies = [(APP, "PREVIOUS")]
    operations = [
        migrations.CreateModel("Place", [
            ("id", models.BigAutoField(primary_key=True)),
            ("code", models.CharField(max_length=20, unique=True)),
        ]),
        migrations.CreateModel("Thing", [
            ("id", models.AutoField(primary_key=True)),
            ("n", models.PositiveIntegerField(db_default=3)),
            ("d", models.DateTimeField(null=True)),
            ("name", models.CharField(max_length=50, db_index=True)),
            ("cells", ArrayField(ArrayField(models.IntegerField()))),
            ("twice", models.GeneratedField(
                expression=F("n") * 2, output_field=models.IntegerField(), db_persist=True)),
            ("place", models.ForeignKey("Place", models.CASCADE)),
            ("places", models.ManyToManyField("Place", related_name="+")),
        ], options={
            "unique_together": {("n", "name")},
            "indexes": [
                models.Index(fields=["-d", "n"], name="thing_newest"),
                models.Index(fields=["n"], include=["d"], name="thing_cover"),
                models.Index(fields=["n"], name="thing_part", condition=Q(n__gt=10)),
                models.Index(Lower("name"), name="thing_lower"),
            ],
            "constraints": [
                models.CheckConstraint(condition=Q(n__gt=0), name="thing_positive"),
                models.UniqueConstraint(fields=["name"], include=["n"], name="thing_name_once"),
                models.UniqueConstraint(fields=["d"], nulls_distinct=False, name="thing_d_once"),
            ],
        }),
        migrations.RenameField("Place", "code", "sign"),
        migrations.AddField("Place", "rank", models.IntegerField(default=0)),
    ]
"""


@pytest.fixture
def harness(relational_harness: RelationalHarness) -> RelationalHarness:
    """Give a store in which models of every kind are migrated."""
    text = MODELS.replace("APP", repr(relational_harness.app)).replace(
        "PREVIOUS", relational_harness.step_names[-1]
    )
    relational_harness.write_revision("0009_every_kind", text)
    store = relational_harness.store()
    for step in store.steps():
        if step.key.app == relational_harness.app:
            store.apply(step, make_lease())
    return relational_harness


def looked(harness: RelationalHarness) -> Probe:
    """Compare everything, and return the answer for the models of every kind."""
    store = harness.store()
    steps = [step for step in store.steps() if step.key.app == harness.app]
    [probe] = [found for found in store.probe(steps) if found.key.name == "0009_every_kind"]
    return probe


@pytest.fixture
def change(harness: RelationalHarness) -> Callable[[str], Probe]:
    """Give a change by hand: SQL in which {t} is the table, and what is found after it."""

    def do(sql: str) -> Probe:
        connection = psycopg2.connect(harness.url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.format(t=f"{harness.app}_thing", p=f"{harness.app}_place"))
        connection.close()
        return looked(harness)

    return do


def test_what_django_made_is_no_difference(harness: RelationalHarness) -> None:
    """Generated and nested array columns, covering and partial indexes, renamed fields, dropped defaults."""
    assert looked(harness) == Probe(key=looked(harness).key, presence=Presence.DONE, stands=True)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "ALTER TABLE {t} DROP CONSTRAINT thing_positive, ADD CONSTRAINT thing_positive CHECK (n > 5)",
            "n > 5",
        ),
        ("DROP INDEX thing_part; CREATE INDEX thing_part ON {t} (n)", "declared as"),
        ("DROP INDEX thing_newest; CREATE INDEX thing_newest ON {t} (d, n)", "d DESC"),
        ("DROP INDEX thing_lower; CREATE INDEX thing_lower ON {t} (upper(name))", "upper"),
        ("DROP INDEX thing_cover; CREATE INDEX thing_cover ON {t} USING brin (n)", "brin"),
        ("ALTER TABLE {t} ALTER n DROP DEFAULT", "has no default"),
        ("ALTER TABLE {t} ALTER id DROP IDENTITY", "has no default"),
        ("ALTER TABLE {t} DROP CONSTRAINT thing_d_once, ADD CONSTRAINT thing_d_once UNIQUE (d)", "NULLS NOT"),
        ("ALTER TABLE {p} DROP CONSTRAINT {p}_code_key", "no unique constraint"),
        ('ALTER TABLE {t} ALTER name TYPE varchar(50) COLLATE "C"', "COLLATE"),
    ],
)
def test_change_by_hand_is_found(change: Callable[[str], Probe], sql: str, said: str) -> None:
    """Each has the name and the columns that were declared, and is another thing."""
    found = change(sql)

    assert found.presence in (Presence.CONFLICTING, Presence.PARTIAL), found
    assert any(said in one.text for one in found.findings), found.findings


def test_index_made_by_hand_is_told_and_nothing_is_judged_by_it(change: Callable[[str], Probe]) -> None:
    """A DBA may add one; whoever looks for drift is told."""
    found = change("CREATE INDEX by_hand ON {t} (d)")

    assert found.presence is Presence.DONE
    assert [one.kind for one in found.findings if "by_hand" in one.text] == [DifferenceKind.EXTRA]


def test_serial_column_of_an_older_django_is_no_difference(change: Callable[[str], Probe]) -> None:
    """Identity columns came with Django 4.1; tables that are older count by sequences."""
    found = change(
        "ALTER TABLE {t} ALTER id DROP IDENTITY; CREATE SEQUENCE old_ids;"
        "ALTER TABLE {t} ALTER id SET DEFAULT nextval('old_ids')"
    )

    assert found.presence is Presence.DONE


def test_looking_leaves_nothing_behind(harness: RelationalHarness) -> None:
    """No schema of ours is there afterwards."""
    looked(harness)

    connection = psycopg2.connect(harness.url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'accord%'")
        assert cursor.fetchall() == []
    connection.close()
