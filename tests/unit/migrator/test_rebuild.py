"""What a rebuild plans, from files, ledgers and what a store says stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import pytest

from accord.errors import ChecksumMismatch, InconsistentLedger, UnknownStore, UsageError
from accord.seam.registry import Registry
from accord.seam.types import Presence, Probe, Step
from accord.testing import MemoryServer, MemoryStore, make_lease, make_step
from migrator.engine.plan import Plan, Target
from migrator.engine.planning import plan_request
from migrator.engine.rebuild import plan_rebuild
from migrator.engine.request import Request
from migrator.engine.situation import Situation, read_situation

A, B, C = (
    make_step("search:shop.0001_a"),
    make_step("search:shop.0002_b", "search:shop.0001_a"),
    make_step("search:news.0001_c"),
)
NEEDS_B = make_step("mongodb:shop.0001_m", "search:shop.0002_b")


REMOVES = make_step("search:shop.0003_removes", "search:shop.0002_b")
"""Takes something away, and makes nothing: as done where nothing stands as where it ran."""
REMOVES_ALONE = make_step(str(REMOVES.key))


class Probed(MemoryStore):
    """A store in memory that can be asked what stands."""

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        for step in steps:
            if step.key == REMOVES.key:
                yield Probe(key=step.key, presence=Presence.DONE, stands=False)
                continue
            stands = step.key.name in self.server.objects
            yield Probe(key=step.key, presence=Presence.DONE if stands else Presence.ABSENT)


def stores(*, applied: Sequence[Step] = (A, B, C, NEEDS_B), lost: bool = False) -> Mapping[str, MemoryStore]:
    """Make two stores in which these steps are applied; of those of `search`, perhaps nothing stands."""
    found: dict[str, MemoryStore] = {
        "mongodb": Probed("mongodb", [NEEDS_B], server=MemoryServer()),
        "search": Probed("search", [A, B, C], server=MemoryServer()),
    }
    for step in applied:
        found[step.key.store].apply(step, make_lease())
    if lost:
        found["search"].server.objects.clear()
    return found


def situation(found: Mapping[str, MemoryStore]) -> Situation:
    return read_situation(cast("Registry", found))


def planned(found: Mapping[str, MemoryStore], store: str = "search", app: str = "") -> Plan:
    return plan_rebuild(situation(found), Target(stores=(store,), app=app), found)


def names(plan: Plan) -> list[str]:
    return [str(step.key) for step in plan.steps]


def test_empty_ledger_is_filled_although_others_need_its_steps() -> None:
    """Applied steps of other stores are no reason to wait, and stay."""
    found = stores(applied=[NEEDS_B])

    with pytest.raises(InconsistentLedger):
        plan_request(Request(), situation(found), found)

    assert names(planned(found)) == ["search:news.0001_c", "search:shop.0001_a", "search:shop.0002_b"]


def test_restored_ledger_goes_on_from_where_it_was() -> None:
    """What an older backup holds stands, and isn't applied again."""
    assert names(planned(stores(applied=[A, C, NEEDS_B]))) == ["search:shop.0002_b"]


def test_one_app_of_a_store_is_rebuilt_alone() -> None:
    """The other apps of the store wait for nobody."""
    assert names(planned(stores(applied=[NEEDS_B, C]), app="shop")) == [
        "search:shop.0001_a",
        "search:shop.0002_b",
    ]


def test_recorded_steps_of_which_nothing_stands_are_done_again() -> None:
    """A ledger that outlived its objects says nothing of them."""
    assert len(planned(stores(lost=True))) == 3


def removing(*, lost: bool, recorded: Sequence[Step] = (A, B, REMOVES)) -> Mapping[str, MemoryStore]:
    """Make a store with a step that only takes something away."""
    search = Probed("search", [A, B, REMOVES], server=MemoryServer())
    for step in recorded:
        search.apply(step, make_lease())
    if lost:
        search.server.objects.clear()
    return {"search": search}


def test_step_that_only_removed_something_is_no_sign_of_life() -> None:
    """It is done on an empty server, too; where the others stand, the store does."""
    assert names(planned(removing(lost=True))) == [str(A.key), str(B.key), str(REMOVES.key)]
    with pytest.raises(UsageError, match="what 2 of them made stands"):
        planned(removing(lost=False))


def test_store_of_which_only_a_removal_is_recorded_can_not_be_told() -> None:
    """Nothing that it made could be missing: that is said, and nothing is done again."""
    found = removing(lost=True)
    only = {"search": Probed("search", [REMOVES_ALONE], server=MemoryServer())}
    only["search"].apply(REMOVES_ALONE, make_lease())

    with pytest.raises(UsageError, match="can't be told"):
        planned(only)
    assert len(planned(found)) == 3


def test_mixed_step_of_which_only_the_removal_is_done_is_lost() -> None:
    """What it was to make is gone; that something else is gone, too, makes it no half."""

    class Mixed(MemoryStore):
        def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
            yield from (Probe(key=step.key, presence=Presence.PARTIAL, stands=False) for step in steps)

    found = {"search": Mixed("search", [A, B], server=MemoryServer())}
    for step in (A, B):
        found["search"].apply(step, make_lease())

    assert names(planned(found)) == [str(A.key), str(B.key)]


def test_rebuild_killed_while_it_forgot_is_understood() -> None:
    """The oldest entries are left then, and nothing of them stands: everything is planned."""
    assert len(planned(stores(applied=[A, NEEDS_B], lost=True))) == 3


def test_rebuild_killed_while_it_applied_goes_on() -> None:
    """What it applied stands, and the rest is pending."""
    assert names(planned(stores(applied=[C, A, NEEDS_B]))) == ["search:shop.0002_b"]


def test_store_that_stands_is_refused() -> None:
    """Nothing is applied twice by mistake."""
    with pytest.raises(UsageError, match="nothing to rebuild"):
        planned(stores())


def test_unknown_store_is_refused() -> None:
    """The message names those that there are."""
    with pytest.raises(UnknownStore) as caught:
        planned(stores(), store="serch")

    assert "mongodb, search" in (caught.value.hint or "")


def test_other_drift_still_stops() -> None:
    """A rebuild settles what it applies, and nothing else: the neighbour is an edited file."""
    found = stores(applied=[NEEDS_B])
    found["mongodb"].server.ledger[NEEDS_B.key] = next(
        iter(stores(applied=[NEEDS_B])["mongodb"].server.ledger.values())
    )
    edited = make_step("mongodb:shop.0001_m", "search:shop.0002_b", text="other")
    found = {**found, "mongodb": Probed("mongodb", [edited], server=found["mongodb"].server)}

    with pytest.raises(ChecksumMismatch):
        planned(found)
