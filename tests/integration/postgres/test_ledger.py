"""The ledger's tables, made by many at once, and read where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from accord.errors import LedgerNotUnderstood, StaleFence
from accord.testing import make_lease
from migrator.relational.entries import LedgerEntry
from migrator.relational.ledger import Ledger
from tests.conformance.harness_relational import RelationalHarness

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


def test_state_of_a_newer_version_stops(harness: RelationalHarness) -> None:
    """A word that this version doesn't know is neither applied nor not applied."""
    step = harness.step(harness.step_names[0])
    harness.store().record(step, make_lease(9))
    LedgerEntry._default_manager.using(harness.alias).update(state="pondering")

    for question in (harness.store().applied, harness.store().recorded):
        with pytest.raises(LedgerNotUnderstood, match=f"{step.key.name} that it is “pondering”"):
            question()
