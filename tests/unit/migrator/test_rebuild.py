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


class Probed(MemoryStore):
    """A store in memory that can be asked what stands."""

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        for step in steps:
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
