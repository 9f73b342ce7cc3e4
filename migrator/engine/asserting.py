"""Assertions of the steps' authors: asked before a step and after it, and again whenever a person wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from accord.seam.assertions import Asserts, Broken, Moment, refuse_broken
from accord.seam.stores import Store, read_ledger
from accord.seam.types import Step, StepKey, StepOutcome


def hold_before(store: Store, step: Step) -> None:
    """
    Check what a step wants to find; a step that was begun has found it already.

    Raises:
        AssertionBroken: Something does not hold. The step is pending, as it was.
    """
    if not isinstance(store, Asserts) or not store.assertions(step, Moment.BEFORE):
        return
    if step.key not in read_ledger(store).begun:
        refuse_broken(store.broken(step, Moment.BEFORE), "Nothing of it was sent: it is pending, as before.")


def hold_after(store: Store, step: Step, outcome: StepOutcome) -> None:
    """
    Check what a step promises, unless its store did within the step's transaction.

    Raises:
        AssertionBroken: Something does not hold. The step stands, and is recorded as applied.
    """
    if outcome.already or outcome.verified or not isinstance(store, Asserts):
        return
    if store.assertions(step, Moment.AFTER):
        words = "It stands all the same, and is recorded as applied."
        refuse_broken(store.broken(step, Moment.AFTER), words)


@dataclass(frozen=True, kw_only=True)
class PromisesAsked:
    """
    What asking again came to.

    Attributes:
        asked: How many assertions of which applied step were asked.
        broken: Those that don't hold.
    """

    asked: Mapping[StepKey, int]
    broken: tuple[Broken, ...]


def verify(stores: Mapping[str, Store], steps: Sequence[Step]) -> PromisesAsked:
    """
    Ask what applied steps promised. Nothing is changed.

    Args:
        stores: The stores by alias.
        steps: Applied steps, in any order.

    Raises:
        StoreUnavailable: A store can't be reached.
    """
    asked = {step.key: len(found) for step in steps if (found := _promises(stores, step))}
    return PromisesAsked(asked=asked, broken=tuple(_broken(stores, steps, asked)))


def _promises(stores: Mapping[str, Store], step: Step) -> Sequence[object]:
    store = stores[step.key.store]
    return store.assertions(step, Moment.AFTER) if isinstance(store, Asserts) else ()


def _broken(
    stores: Mapping[str, Store], steps: Sequence[Step], asked: Mapping[StepKey, int]
) -> Iterator[Broken]:
    for step in steps:
        store = stores[step.key.store]
        if step.key in asked and isinstance(store, Asserts):
            yield from store.broken(step, Moment.AFTER)
