"""What a plan would drop with what it holds; undoing it needs a person's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accord.errors import StoreUnavailable
from accord.seam.losses import CountsLosses, Loss
from accord.seam.stores import Store, by_store, shown_of
from accord.seam.types import Shown
from accord.words import counted
from migrator.engine.plan import Plan
from migrator.errors import DataWouldGo

_SHOWN = 5


def losses(stores: Mapping[str, Store], plan: Plan, shown: Shown = ()) -> Sequence[Loss]:
    """
    Ask the stores of a plan what its steps would drop that holds data.

    Args:
        stores: The stores by alias.
        plan: The plan.
        shown: What its steps would send, where the caller has it.

    Returns:
        What may hold data, in the order of the plan.

    Raises:
        StoreUnavailable: A store can't be asked.
    """
    position = {step.key: number for number, step in enumerate(plan.steps)}
    found = [
        loss
        for alias, steps in by_store(plan.steps).items()
        if isinstance(store := stores[alias], CountsLosses)
        for loss in store.losses(steps, plan.direction, shown_of(store, alias, shown))
        if loss.may_hold_data
    ]
    return sorted(found, key=lambda loss: position[loss.key])


def losses_if_asked(stores: Mapping[str, Store], plan: Plan, shown: Shown = ()) -> Sequence[Loss] | None:
    """Return what a plan would drop; None where a store is away, so that nobody can tell."""
    try:
        return losses(stores, plan, shown)
    except StoreUnavailable:
        return None


def refuse_losses(stores: Mapping[str, Store], plan: Plan) -> None:
    """
    Check that a revert drops nothing that holds data.

    Raises:
        DataWouldGo: It does, or nobody could count.
        StoreUnavailable: A store can't be asked.
    """
    found = losses(stores, plan)
    if not found:
        return
    lines = [loss.words for loss in found[:_SHOWN]]
    if more := len(found) - _SHOWN:
        lines += [f"{counted(more, 'more thing')}"] if more > 0 else []
    raise DataWouldGo(
        f"Undoing {counted(len(plan), 'step')} drops what holds data, and nothing was undone: "
        f"{'; '.join(lines)}.",
        hint="See all of it with --plan. If it may go, add --even-with-data.",
    )
