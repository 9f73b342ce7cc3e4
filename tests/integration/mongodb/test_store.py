"""The store on a real server: apply, revert, refuse, explain."""

from __future__ import annotations

import pytest

from accord.errors import IrreversibleStep, StaleFence
from accord.types import Lease
from tests.conformance.harness_mongo import MongoHarness

pytestmark = pytest.mark.integration


def lease(fence: int = 1) -> Lease:
    return Lease(scope="test", owner="test", run_id=f"run-{fence}", fence=fence)


def test_all_steps_apply_and_are_recorded(mongo_harness: MongoHarness) -> None:
    """Every step leaves its effect and one entry with its checksum."""
    store = mongo_harness.store()

    outcomes = [store.apply(step, lease()) for step in store.steps()]

    assert [outcome.changed for outcome in outcomes] == [2, 303, 301]
    assert set(store.applied()) == {step.key for step in store.steps()}
    assert all(applied.applied_at for applied in store.applied().values())


def test_two_steps_revert_to_nothing(mongo_harness: MongoHarness) -> None:
    """After reverting the reversible steps the database is as empty as before."""
    store = mongo_harness.store()
    before = mongo_harness.observe()
    first, second, _ = store.steps()
    store.apply(first, lease())
    store.apply(second, lease())

    store.revert(second, lease())
    store.revert(first, lease())

    assert mongo_harness.observe() == before
    assert store.applied() == {}


def test_irreversible_step_stays(mongo_harness: MongoHarness) -> None:
    """A step without a way back is refused before anything is touched."""
    store = mongo_harness.store()
    for step in store.steps():
        store.apply(step, lease())
    before = mongo_harness.observe()

    with pytest.raises(IrreversibleStep):
        store.revert(store.steps()[2], lease())

    assert mongo_harness.observe() == before


def test_stale_fence_changes_nothing(mongo_harness: MongoHarness) -> None:
    """A holder with a lower fence than the ledger has seen is refused."""
    store = mongo_harness.store()
    first, second, _ = store.steps()
    store.apply(first, lease(5))
    before = mongo_harness.observe()

    with pytest.raises(StaleFence):
        store.apply(second, lease(4))

    assert mongo_harness.observe() == before
    assert set(store.applied()) == {first.key}
