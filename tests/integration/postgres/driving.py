"""A whole run on one store, in the order that the engine's graph gives; stands in for `migrate_all`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter

from accord.events import silent
from accord.seam.types import Direction, Lease, Step, StepKey
from migrator.relational.store import RelationalStore


def in_order(steps: Iterable[Step]) -> Sequence[Step]:
    """Order steps by their dependencies, squashed ones in place of what they replace."""
    found = {step.key: step for step in steps}
    stand_in = {replaced: step.key for step in found.values() for replaced in step.replaces}
    needs: dict[StepKey, set[StepKey]] = {key: set() for key in found if key not in stand_in}
    for step in found.values():
        key = stand_in.get(step.key, step.key)
        needs[key] |= {stand_in.get(needed, needed) for needed in step.dependencies if needed in found} - {
            key
        }
    order = TopologicalSorter({key: sorted(needed) for key, needed in sorted(needs.items())})
    return [found[key] for key in order.static_order()]


def new_lease() -> Lease:
    """Give a lease later than all before."""
    return Lease(scope="test", owner="me", run_id="run", fence=int(time.time() * 1_000_000))


def migrate(store: RelationalStore) -> Sequence[Step]:
    """Apply everything that is not applied, signals included."""
    applied, lease = store.applied(), new_lease()
    steps = [step for step in in_order(store.steps()) if step.key not in applied]
    store.before_run(steps, Direction.APPLY, silent)
    for step in steps:
        store.apply(step, lease)
    store.after_run(steps, Direction.APPLY, silent)
    return steps


def unmigrate(store: RelationalStore, steps: Sequence[Step]) -> None:
    """Revert steps, given in the order in which they were applied."""
    back, lease = list(reversed(steps)), new_lease()
    store.before_run(back, Direction.REVERT, silent)
    for step in back:
        store.revert(step, lease)
    store.after_run(back, Direction.REVERT, silent)
