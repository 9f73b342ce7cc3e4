"""Telling, before a run, whom its steps will have to wait for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from accord.events import Reporter
from accord.seam.occupants import NamesOccupants
from accord.seam.stores import Store, by_store
from accord.seam.types import Step
from migrator.engine.events import RunNoted
from migrator.engine.plan import Plan
from migrator.engine.request import Request


def name_occupants(stores: Mapping[str, Store], request: Request, plan: Plan, report: Reporter) -> None:
    """
    Name who has had the tables of a plan open for long. A person may end that; the run begins all the same.

    Args:
        stores: The stores by alias.
        request: What is wanted; what acts on ledgers alone waits for nobody.
        plan: The plan.
        report: Told of each.

    Raises:
        StoreUnavailable: A store went away.
    """
    if not request.meets_data:
        return
    for alias, steps in by_store(plan.steps).items():
        store = stores[alias]
        if isinstance(store, NamesOccupants):
            for sentence in _sentences(store, steps):
                report(RunNoted(note=f"{alias}: {sentence}"))


def _sentences(store: NamesOccupants, steps: Sequence[Step]) -> Iterator[str]:
    # Loaded where it is asked for: the parser takes its time.
    from migrator.lint.touched import touched

    found = touched(cast("Store", store), steps)
    yield from store.occupants(found.tables)
    yield from (
        f"{words}: which tables it is about isn't known; nobody looked who has them open."
        for words in found.unknown
    )
