"""Migrations that can't be one transaction: refused, half applied, undone, forgotten."""

from __future__ import annotations

import pytest

from accord.errors import AccordError, IrreversibleStep
from accord.seam.types import Direction, Origin
from accord.testing import make_lease
from tests.conformance.harness_relational import RelationalHarness

pytestmark = pytest.mark.integration

NAME = "0004_half"
_ADD = 'migrations.AddField("artist", "b", models.IntegerField(null=True))'
_INSERT = 'migrations.RunSQL("insert into made_here values (1)", "delete from made_here")'
_NEVER = 'migrations.RunSQL("select 1/0", "")'
_AT_ONCE = 'migrations.RunSQL("create table made_there (i int); select 1/0", "")'
_ONE_BY_ONE = 'migrations.RunSQL(["create table made_there (i int)", "select 1/0"], "")'
_COMMITTED = 'migrations.RunSQL("create table made_there (i int); commit; select 1/0", "")'
_INDEX = (
    "concurrently.AddIndexConcurrently("
    '"artist", models.Index(fields=["name"], name="APP_x", opclasses=["nonsense"]))'
)
_PYTHON = "migrations.RunPython(lambda apps, editor: 1 / 0, migrations.RunPython.noop)"


def write(harness: RelationalHarness, *operations: str) -> None:
    harness.write_revision(
        NAME,
        "import django.contrib.postgres.operations as concurrently\n"
        "from django.db import migrations, models\n\n\n"
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("APP", "0001_artists")]\n'
        f"    atomic = False\n    operations = [{', '.join(operations)}]\n",
    )


def begin(harness: RelationalHarness, *operations: str) -> None:
    """Apply the first step, and the one of these operations as far as it goes."""
    for name in harness.step_names[1:]:
        harness.remove(name) if (harness.revisions / f"{name}.py").exists() else None
    harness.store().apply(harness.step("0001_artists"), make_lease())
    harness.execute("create table if not exists made_here (i int)")
    write(harness, *operations)
    with pytest.raises(AccordError):
        harness.store().apply(harness.step(NAME), make_lease())


def columns(harness: RelationalHarness) -> list[str]:
    rows = harness._query(
        "select column_name from information_schema.columns where table_name = %s", [f"{harness.app}_artist"]
    )
    return [name for (name,) in rows]


def test_half_applied_migration_is_undone_as_far_as_it_went(relational_harness: RelationalHarness) -> None:
    """The last substep first; afterwards it is simply not applied."""
    harness = relational_harness
    begin(harness, _ADD, _INSERT, _NEVER)
    begun = harness.store().recorded().begun[harness.key(NAME)]

    harness.store().revert(harness.step(NAME), make_lease())

    assert (begun.direction, begun.done) == (Direction.APPLY, 2)
    assert "b" not in columns(harness)
    assert harness._query("select * from made_here") == []
    assert harness.store().recorded().begun == {}


def test_what_stands_of_it_decides_whether_it_can_be_undone(relational_harness: RelationalHarness) -> None:
    """A later operation that has no way back never ran; one that did refuses, and changes nothing."""
    harness = relational_harness
    no_way_back = 'migrations.RunSQL("select 1")'
    begin(harness, _ADD, _NEVER, no_way_back)
    harness.store().revert(harness.step(NAME), make_lease())
    begin(harness, no_way_back, _ADD, _NEVER)

    with pytest.raises(IrreversibleStep):
        harness.store().revert(harness.step(NAME), make_lease())

    assert "b" in columns(harness)
    assert harness.store().recorded().begun[harness.key(NAME)].done == 2


@pytest.mark.parametrize("first", [_NEVER, _AT_ONCE, _INDEX, _ADD.replace('"b"', '"id"')])
def test_refused_first_operation_leaves_a_pending_migration(
    relational_harness: RelationalHarness, first: str
) -> None:
    """What is sent at once and refused changed nothing, in a transaction or outside of one."""
    begin(relational_harness, first, _ADD)

    assert relational_harness.store().recorded().begun == {}
    assert "made_there" not in relational_harness.tables()


@pytest.mark.parametrize("first", [_ONE_BY_ONE, _COMMITTED, _PYTHON])
def test_what_may_have_done_a_part_stays_begun(relational_harness: RelationalHarness, first: str) -> None:
    """Several statements without a transaction, and Python."""
    begin(relational_harness, first, _ADD)

    assert relational_harness.store().recorded().begun[relational_harness.key(NAME)].done == 0


def test_begun_migration_is_forgotten_with_its_file_and_without(
    relational_harness: RelationalHarness,
) -> None:
    """Its own line goes; what is applied stays applied, and so do the objects."""
    harness = relational_harness
    for is_there in (True, False):
        begin(harness, _ADD.replace('"b"', f'"b{is_there:d}"'), _NEVER)
        step = harness.step(NAME)
        if not is_there:
            harness.remove(NAME)

        harness.store().forget(step, make_lease())

        assert harness.store().recorded().begun == {}
        assert f"b{is_there:d}" in columns(harness)
    assert {key.name for key in harness.store().applied() if key.app == harness.app} == {"0001_artists"}


def test_recorded_and_adopted_migrations_are_told_apart(relational_harness: RelationalHarness) -> None:
    """Also by a store that reads after Django's own command wrote."""
    harness = relational_harness
    harness.store().record(harness.step("0001_artists"), make_lease(), Origin.RECORDED)
    harness.store().record(harness.step("0002_plays"), make_lease(), Origin.ADOPTED)
    found = harness.store().applied()

    assert [found[harness.key(name)].how for name in harness.step_names[:2]] == [
        Origin.RECORDED,
        Origin.ADOPTED,
    ]
    assert harness.store().recorded().begun == {}
