"""Revisions that were begun or whose file is gone: what is refused, and what can be forgotten."""

from __future__ import annotations

import pytest

from accord.errors import StaleFence, StepFailed
from accord.seam.types import Direction, Origin, Step
from accord.testing import make_lease
from tests.conformance.harness_alembic import AlembicHarness
from tests.integration.alembic.test_store import CONCURRENT

pytestmark = pytest.mark.integration
FIRST, SECOND, HALF = "0001_earnings", "0002_amounts", "0004_concurrent"


@pytest.fixture(params=["its URL", "env.py alone"])
def harness(request: pytest.FixtureRequest, alembic_harness: AlembicHarness) -> AlembicHarness:
    """Give a history whose database is known to the store, or to env.py alone."""
    if request.param == "env.py alone":
        url = alembic_harness.url.replace("postgresql://", "postgresql+psycopg2://").replace("%", "%%")
        (alembic_harness.folder / "alembic.ini").write_text(
            f"[alembic]\nscript_location = %(here)s\npath_separator = os\nsqlalchemy.url = {url}\n"
        )
        alembic_harness.options["URL"] = ""
    return alembic_harness


def apply(harness: AlembicHarness, *names: str) -> list[Step]:
    steps = [harness.step(name) for name in names]
    for step in steps:
        harness.store().apply(step, make_lease(5))
    return steps


def test_head_without_a_file_is_forgotten_and_what_lies_below_stays(harness: AlembicHarness) -> None:
    """Alembic's own table says the same; a holder that was overtaken changes nothing."""
    _, second = apply(harness, FIRST, SECOND)
    for name in ("0003_final", SECOND):
        harness.remove(name)
    before = harness.observe()

    with pytest.raises(StaleFence):
        harness.store().forget(second, make_lease(4))
    assert harness.heads() == {SECOND}
    harness.store().forget(second, make_lease(5))

    assert harness.heads() == {FIRST}
    assert set(harness.ledger_entries()) == {FIRST}
    assert harness.observe() == before


def test_begun_revision_is_not_undone_blindly_and_can_be_forgotten(harness: AlembicHarness) -> None:
    """Nobody knows how far it came, so the refusal names the two ways on."""
    apply(harness, FIRST)
    harness.write_revision(HALF, CONCURRENT.format(then="SELECT 1/0"))
    step = harness.step(HALF)
    with pytest.raises(StepFailed):
        harness.store().apply(step, make_lease(5))
    assert harness.store().recorded().begun[step.key].direction is Direction.APPLY

    with pytest.raises(StepFailed) as refused:
        harness.store().revert(step, make_lease(5))
    harness.store().forget(step, make_lease(5))

    assert f"migrate_all --forget {step.key}" in refused.value.hint
    assert harness.store().recorded().begun == {}
    assert harness.heads() == {FIRST}


def test_ledger_of_an_earlier_version_is_read_and_grows(harness: AlembicHarness) -> None:
    """Its table lacks the word that tells adopted revisions from applied ones."""
    apply(harness, FIRST)
    harness.rows("ALTER TABLE accord_ledger_alembic DROP COLUMN how")

    assert harness.store().applied()[harness.key(FIRST)].how is Origin.APPLIED
    harness.store().record(harness.step(SECOND), make_lease(6), Origin.ADOPTED)

    found = harness.store().applied()
    assert [found[harness.key(name)].how for name in (FIRST, SECOND)] == [Origin.APPLIED, Origin.ADOPTED]
