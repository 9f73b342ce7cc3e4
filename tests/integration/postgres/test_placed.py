"""Tables that a model places in a schema which the search path doesn't lead to, in every look and verb."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from accord.errors import ConflictingState
from accord.seam.differences import texts
from accord.seam.foretelling import Outlook
from accord.seam.types import Direction, Lease
from tests.conformance.harness_relational import RelationalHarness

pytestmark = pytest.mark.integration

LEASE = Lease(scope="test", owner="me", run_id="run", fence=1)
HEAD = """
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [{needs}]
    operations = [{operation}]
"""
TABLE = """migrations.CreateModel("Thing", [
    ("id", models.BigAutoField(primary_key=True)), ("n", models.IntegerField()), ("m", models.IntegerField()),
    ("others", models.ManyToManyField("self")),
], options={"db_table": 'placed"."thing'})"""
INDEX = 'models.Index(fields=["n"], name="thing_n")'
BUILD = f'AddIndexConcurrently("thing", {INDEX})'


def revision(number: int, operation: str, *, atomic: bool = True) -> str:
    needs = f'("APP", "{number - 1:04}_next")' if number > 1 else ""
    return HEAD.format(atomic=atomic, needs=needs, operation=operation)


@pytest.fixture
def things(
    tmp_path: Path, new_database: Callable[[], str], django_db_blocker: DjangoDbBlocker
) -> Iterator[RelationalHarness]:
    """Give a placed table with a row, an index to build there, and names in the way that aren't."""
    texts = {"0001_next": revision(1, TABLE), "0002_next": revision(2, BUILD, atomic=False)}
    with django_db_blocker.unblock():
        harness = RelationalHarness(tmp_path, new_database(), texts=texts)
        harness.execute(
            "CREATE SCHEMA placed; CREATE TABLE thing (n integer); CREATE INDEX thing_n ON thing (n)"
        )
        harness.store().apply(harness.step("0001_next"), LEASE)
        harness.execute("INSERT INTO placed.thing (n, m) VALUES (1, 1)")
        yield harness
        harness.close()


def index(harness: RelationalHarness, schema: str = "placed") -> list[tuple[object, ...]]:
    with connections[harness.alias].cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid "
            "WHERE c.relname = 'thing_n' AND c.relnamespace = %s::regnamespace",
            [schema],
        )
        return list(cursor.fetchall())


def test_concurrent_index_is_built_adopted_mended_and_taken_away(things: RelationalHarness) -> None:
    """Only the index beside the table counts; the one of the same name in another schema is left alone."""
    strange, store, step = index(things, "public"), things.store(), things.step("0002_next")

    store.apply(step, LEASE)
    [built] = index(things)
    store.revert(step, LEASE)
    gone = index(things)
    things.execute("CREATE INDEX thing_n ON placed.thing (n)")
    by_hand = index(things)
    store.apply(step, LEASE)

    assert built[1] is True
    assert gone == []
    assert index(things) == by_hand
    assert "0002_next" in things.recorded()
    assert index(things, "public") == strange

    store.revert(step, LEASE)
    things.execute("CREATE INDEX thing_n ON placed.thing (n)")
    things.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'placed.thing_n'::regclass")
    store.apply(step, LEASE)
    [mended] = index(things)
    assert mended[1] is True

    store.revert(step, LEASE)
    things.execute("CREATE INDEX thing_n ON placed.thing (m)")
    with pytest.raises(ConflictingState, match="another definition"):
        store.apply(step, LEASE)


@contextmanager
def without_schemas(harness: RelationalHarness) -> Iterator[None]:
    """Let the store's session go on without the right to make a schema."""
    role = f"reader_{uuid.uuid4().hex[:8]}"
    harness.execute(
        f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA placed TO {role};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA placed, public TO {role}; SET ROLE {role}"
    )
    try:
        yield
    finally:
        harness.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("way", [nullcontext, without_schemas], ids=["by definitions", "by names"])
def test_comparison_finds_the_table_and_what_is_amiss(
    things: RelationalHarness, way: Callable[..., AbstractContextManager[None]]
) -> None:
    """Also for an account that may make no schema to compare with, where names and columns are compared."""
    things.write_revision("0003_next", revision(3, 'migrations.RemoveField("thing", "m")'))
    store = things.store()
    steps = [things.step(f"000{number}_next") for number in (1, 2, 3)]
    for step in steps[1:]:
        store.apply(step, LEASE)
    with way(things):
        whole = [found.findings for found in store.probe(steps)]
    things.execute(
        "ALTER TABLE placed.thing ALTER n TYPE bigint, ADD m integer; DROP INDEX placed.thing_n;"
        "DROP TABLE placed.thing_others"
    )
    with way(things):
        told = [" ".join(texts(found.findings)) for found in store.probe(steps)]

    assert whole == [(), (), ()]
    assert "n is bigint, declared as integer" in told[0]
    assert "of the field others is missing" in told[0]
    assert "thing_n" in told[1]
    assert "m is still there" in told[2]


def test_looks_before_a_run_ask_the_table_where_it_stands(things: RelationalHarness) -> None:
    """Rows that a step would refuse, names that are taken there, and what a revert takes with it."""
    things.write_revision(
        "0002_next",
        revision(
            2,
            f'migrations.AddIndex("thing", {INDEX}),'
            'migrations.AlterField("thing", "n", models.IntegerField(unique=True))',
        ),
    )
    things.execute("INSERT INTO placed.thing (n, m) VALUES (1, 1)")
    store, step = things.store(), things.step("0002_next")

    [twice] = [each for each in store.foretell([step], Direction.APPLY) if each.outlook is Outlook.REFUSED]
    things.execute("CREATE INDEX thing_n ON placed.thing (m)")
    refused = [each for each in store.foretell([step], Direction.APPLY) if each.outlook is Outlook.REFUSED]
    lost = list(store.losses([things.step("0001_next")], Direction.REVERT))

    assert twice.rows
    assert any("thing_n is there already" in each.text for each in refused)
    assert ("table placed.thing", 2) in [(each.what, each.count.number) for each in lost]
