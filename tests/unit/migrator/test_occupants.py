"""Whom steps will wait for is told before the first of them does."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from accord.seam.types import Direction
from accord.testing import MemoryServer, MemoryStore, RecordingReporter, make_step
from migrator.engine.events import RunNoted
from migrator.engine.occupants import name_occupants
from migrator.engine.plan import Plan
from migrator.engine.request import Request
from migrator.models import RunKind

STEP, OTHER = make_step("mem:shop.0001_a"), make_step("mute:shop.0001_a")


class Occupied(MemoryStore):
    """A store that somebody holds open."""

    def occupants(self, tables: Collection[str]) -> Sequence[str]:
        return ["held open by pid 7"]


def told(request: Request) -> list[str]:
    """Give what is told before a run of two stores, of which one knows."""
    heard = RecordingReporter()
    stores = {
        "mem": Occupied("mem", (STEP,), server=MemoryServer()),
        "mute": MemoryStore("mute", (OTHER,), server=MemoryServer()),
    }
    plan = Plan(direction=Direction.APPLY, steps=(STEP, OTHER), parents={})
    name_occupants(stores, request, plan, heard)
    return [event.note for event in heard.of(RunNoted)]


def test_each_store_that_knows_is_asked_about_its_own_steps() -> None:
    """And what acts on ledgers alone waits for nobody."""
    assert told(Request()) == ["mem: held open by pid 7"]
    assert told(Request(kind=RunKind.REVERT)) == ["mem: held open by pid 7"]
    assert told(Request(kind=RunKind.BASELINE)) == []
