"""Telling, before a run, whom its steps will have to wait for."""

from __future__ import annotations

from collections.abc import Mapping

from accord.events import Reporter
from accord.seam.occupants import NamesOccupants
from accord.seam.stores import Store, by_store
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
            for sentence in store.occupants(steps):
                report(RunNoted(note=f"{alias}: {sentence}"))
