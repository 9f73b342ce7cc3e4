"""The ledger's tables, made by many at once, and read where they are not."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.db.migrations.operations.base import Operation

from accord.errors import (
    ChecksumMismatch,
    ConflictingState,
    LedgerNotUnderstood,
    StaleFence,
    StepFailed,
)
from accord.testing import make_lease
from migrator.relational.entries import LedgerEntry
from migrator.relational.ledger import Ledger
from tests.conformance.harness_relational import DocumentsHarness, RelationalHarness

pytestmark = pytest.mark.integration

RIVALS = 10


@pytest.fixture(params=["relational_harness", "documents_harness"])
def harness(request: pytest.FixtureRequest) -> Iterator[RelationalHarness]:
    """Give the store on each of the servers."""
    return request.getfixturevalue(request.param)


def test_ten_first_writers_make_the_tables_once(harness: RelationalHarness) -> None:
    """Nobody fails because somebody else was faster."""
    connections[harness.alias].ensure_connection()  # one client of MongoDB's for all threads

    def make(number: int) -> bool:
        try:
            ledger = Ledger(harness.alias)
            ledger.ensure()
            with ledger.transaction():
                ledger.claim(make_lease(number + 1))
        except StaleFence:
            return False
        finally:
            connections[harness.alias].close()
        return True

    with ThreadPoolExecutor(RIVALS) as pool:
        claimed = list(pool.map(make, range(RIVALS)))

    assert claimed[-1], "the highest token is never refused"
    assert {"accord_ledger", "accord_fence", "django_migrations"} <= harness.tables()
    with pytest.raises(StaleFence), Ledger(harness.alias).transaction():
        Ledger(harness.alias).claim(make_lease(RIVALS - 1))


def test_row_of_a_later_run_is_not_overwritten(harness: RelationalHarness) -> None:
    """A run that was overtaken can't even note its progress."""
    step = harness.step(harness.step_names[0])
    harness.store().record(step, make_lease(9))

    with pytest.raises(StaleFence):
        harness.store().record(step, make_lease(8))

    [entry] = harness.ledger_entries().values()
    assert entry["fence"] == 9


def test_unfinished_step_is_not_applied(harness: RelationalHarness) -> None:
    """A step that a run began and did not end counts as not applied."""
    harness.write_revision(
        "0002_plays",
        "from django.db import migrations\n\n\ndef fail(apps, editor):\n    raise ValueError\n\n\n"
        "class Migration(migrations.Migration):\n    atomic = False\n"
        "    dependencies = [('APP', '0001_artists')]\n"
        "    operations = [migrations.AlterModelOptions('artist', {}), migrations.RunPython(fail)]\n",
    )
    store = harness.store()
    store.apply(harness.step("0001_artists"), make_lease(1))

    with pytest.raises(Exception, match="0002_plays failed"):
        store.apply(harness.step("0002_plays"), make_lease(1))

    assert {key.name for key in harness.store().applied()} == {"0001_artists"}
    entry = harness.ledger_entries()[f"{harness.app}.0002_plays"]
    assert (entry["state"], entry["position"]) == ("applying", 1)


def test_edited_half_of_a_step_stops_the_rerun(harness: RelationalHarness) -> None:
    """What is done must stay as it was; what comes after it may be corrected."""
    test_unfinished_step_is_not_applied(harness)
    broken = (harness.folder / harness.app / "migrations" / "0002_plays.py").read_text()

    harness.write_revision(
        "0002_plays", broken.replace("AlterModelOptions('artist'", "AlterModelOptions('track'")
    )
    with pytest.raises(Exception, match="what is done of it was edited"):
        harness.store().apply(harness.step("0002_plays"), make_lease(1))

    harness.write_revision("0002_plays", broken.replace("    raise ValueError\n", "    pass\n"))
    harness.store().apply(harness.step("0002_plays"), make_lease(1))
    assert "0002_plays" in harness.recorded()


HALF = """from django.db import migrations, models


def keep(apps, editor):
    note = 1


def fail(apps, editor):
    raise ValueError


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("APP", "0001_artists")]
    operations = [
        migrations.CreateModel("Extra", [("id", models.BigIntegerField(primary_key=True, db_column="_id"))]),
        migrations.AddField("artist", "late", models.IntegerField(null=True)),
        migrations.RunPython(keep, migrations.RunPython.noop),
        migrations.RunPython(lambda apps, editor: 1, migrations.RunPython.noop),
        migrations.RunPython(fail, migrations.RunPython.noop),
    ]
"""
MENDED = HALF.replace("    raise ValueError", "    pass")


def half(harness: RelationalHarness) -> None:
    """Apply four of five operations."""
    for name in harness.step_names[1:]:
        harness.remove(name)
    harness.write_revision("0002_plays", HALF)
    harness.store().apply(harness.step("0001_artists"), make_lease(1))
    with pytest.raises(StepFailed):
        harness.store().apply(harness.step("0002_plays"), make_lease(1))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("models.IntegerField(null=True)", "models.BigIntegerField(null=True)"),
        ("note = 1", "note = 2"),
        ("editor: 1", "editor: 2"),
        ('"Extra", [', '"Extra", [("more", models.IntegerField()), '),
    ],
)
def test_whatever_was_edited_of_the_half_that_is_done_stops_the_rerun(
    harness: RelationalHarness, was: str, now: str
) -> None:
    """A type, the code of a function, a field: not only what a description of the operation tells."""
    half(harness)
    harness.write_revision("0002_plays", MENDED.replace(was, now))
    with pytest.raises(ChecksumMismatch, match="what is done of it was edited"):
        harness.store().apply(harness.step("0002_plays"), make_lease(1))

    harness.write_revision("0002_plays", MENDED.replace("note = 1", "note = 1  # a remark"))
    harness.store().apply(harness.step("0002_plays"), make_lease(1))
    assert "0002_plays" in harness.recorded()


def test_half_that_an_earlier_version_noted_is_taken_up(harness: RelationalHarness) -> None:
    """Its digest is one of descriptions; what those don't tell can't be missed by it."""
    half(harness)
    told = "".join(f"{operation.describe()}\0" for operation in operations(harness)[:4])
    entries = LedgerEntry._default_manager.using(harness.alias).filter(name="0002_plays")
    assert len(entries.get().done) == 64
    entries.update(done=hashlib.sha256(told.encode()).hexdigest())

    harness.write_revision("0002_plays", MENDED.replace('"Extra", [', '"Other", ['))
    with pytest.raises(ChecksumMismatch):
        harness.store().apply(harness.step("0002_plays"), make_lease(1))
    harness.write_revision("0002_plays", MENDED)
    harness.store().apply(harness.step("0002_plays"), make_lease(1))


def operations(harness: RelationalHarness) -> list[Operation]:
    module = importlib.import_module(f"{harness.app}.migrations.0002_plays")
    return list(module.Migration.operations)


def test_half_that_somebody_undid_by_hand_is_neither_completed_nor_undone(harness: RelationalHarness) -> None:
    """What is done has to stand; the remedy of the message makes all of it once."""
    half(harness)
    harness.write_revision("0002_plays", MENDED)
    drop(harness, f"{harness.app}_extra")

    for act in (harness.store().apply, harness.store().revert):
        with pytest.raises(ConflictingState, match=f"{harness.app}_extra is missing") as refused:
            act(harness.step("0002_plays"), make_lease(1))
        assert f"--forget {harness.key('0002_plays')} " in refused.value.hint

    if not isinstance(harness, DocumentsHarness):
        harness.execute(f"ALTER TABLE {harness.app}_artist DROP late")
    harness.store().forget(harness.step("0002_plays"), make_lease(1))
    harness.store().apply(harness.step("0002_plays"), make_lease(1))
    assert f"{harness.app}_extra" in harness.tables()


def test_column_that_is_missing_of_the_half_is_named(relational_harness: RelationalHarness) -> None:
    """What belongs to others of the table is not judged: a column of an earlier migration that is gone."""
    harness = relational_harness
    half(harness)
    harness.write_revision("0002_plays", MENDED)
    harness.execute(f"ALTER TABLE {harness.app}_artist DROP country")
    harness.execute(f"ALTER TABLE {harness.app}_artist DROP late")

    with pytest.raises(ConflictingState, match=f"stand: The column {harness.app}_artist.late is missing.$"):
        harness.store().apply(harness.step("0002_plays"), make_lease(1))

    harness.execute(f"ALTER TABLE {harness.app}_artist ADD late integer")
    harness.store().apply(harness.step("0002_plays"), make_lease(1))
    assert "0002_plays" in harness.recorded()


def drop(harness: RelationalHarness, table: str) -> None:
    """Drop a table or a collection by hand."""
    if isinstance(harness, DocumentsHarness):
        with harness._client() as client:
            client.get_default_database().drop_collection(table)
    else:
        harness.execute(f"DROP TABLE {table}")


def test_state_of_a_newer_version_stops(harness: RelationalHarness) -> None:
    """A word that this version doesn't know is neither applied nor not applied."""
    step = harness.step(harness.step_names[0])
    harness.store().record(step, make_lease(9))
    LedgerEntry._default_manager.using(harness.alias).update(state="pondering")

    for question in (harness.store().applied, harness.store().recorded):
        with pytest.raises(LedgerNotUnderstood, match=f"{step.key.name} that it is “pondering”"):
            question()
