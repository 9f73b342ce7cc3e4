"""Asking every store of a plan what would become of its steps; what is foretold to fail doesn't start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from accord.errors import StoreUnavailable
from accord.events import Reporter
from accord.seam.foretelling import Foretells, Foretold, GlancesFirst, no_look, refused
from accord.seam.stores import Store, by_store, shown_of
from accord.seam.types import Shown, StepKey
from accord.words import counted
from migrator.engine.events import RunNoted
from migrator.engine.plan import Plan
from migrator.engine.request import Request
from migrator.errors import ForetoldToFail
from migrator.governance.policy import Reaction

_SHOWN = 3


def foretold(
    stores: Mapping[str, Store], plan: Plan, shown: Shown = ()
) -> Mapping[StepKey, Sequence[Foretold]]:
    """
    Ask the stores of a plan about every step of it. Nothing is changed.

    Args:
        stores: The stores by alias.
        plan: The plan.
        shown: What its steps would send, where the caller has it.

    Returns:
        What is foretold of each step; of a store that is away or can't be asked, that nobody knows.
    """
    found: dict[StepKey, list[Foretold]] = {}
    for alias in by_store(plan.steps):
        for item in _of_store(stores[alias], plan, alias, shown):
            found.setdefault(item.key, []).append(item)
    return found


def _of_store(store: Store, plan: Plan, alias: str, shown: Shown) -> Iterator[Foretold]:
    steps = by_store(plan.steps)[alias]
    if not isinstance(store, Foretells):
        yield from no_look(steps)
        return
    try:
        # Read to its end here: where a store goes away in the middle, what it told stands nowhere yet.
        yield from list(store.foretell(steps, plan.direction, shown_of(store, alias, shown)))
    except StoreUnavailable as exc:
        yield from no_look(steps, f"Nobody could look: {exc.message}")


def refuse_foretold(
    stores: Mapping[str, Store], request: Request, plan: Plan, policy: Reaction, report: Reporter
) -> None:
    """
    Check that nothing of a plan is foretold to fail, before its first step.

    Args:
        stores: The stores by alias.
        request: What is wanted; what acts on ledgers alone meets no data.
        plan: The plan.
        policy: What the environment does about it.
        report: Told of it where the environment only warns.

    Raises:
        ForetoldToFail: Something is, and the environment refuses it.
    """
    if policy is Reaction.OFF or not request.meets_data:
        return
    failing = list(_failing(stores, plan))
    if not failing:
        return
    if policy is Reaction.WARN:
        for item in failing:
            report(RunNoted(note=f"Foretold to fail: {sentence(item)}"))
        return
    raise _error(failing)


def _failing(stores: Mapping[str, Store], plan: Plan) -> Iterator[Foretold]:
    for steps in by_store(plan.steps).values():
        store = stores[steps[0].key.store]
        if not isinstance(store, Foretells):
            continue
        if isinstance(store, GlancesFirst) and not store.could_refuse(steps, plan.direction):
            continue
        yield from refused(store.foretell(steps, plan.direction))


def sentence(item: Foretold) -> str:
    """Return what is foretold, with step, object and sample, as one line."""
    sample = f" For example: {'; '.join(item.sample)}." if item.sample else ""
    return f"{item.key}, {item.what}: {item.text}{sample}{rows_of(item)}"


def rows_of(item: Foretold) -> str:
    """Return which rows it is about, where that is known, as a further sentence."""
    return (
        f" Rows: {'; '.join(item.keys)}{' …' if (item.rows or 0) > len(item.keys) else ''}."
        if item.keys
        else ""
    )


def _error(failing: Sequence[Foretold]) -> ForetoldToFail:
    more = len(failing) - _SHOWN
    lines = [sentence(item) for item in failing[:_SHOWN]]
    lines += [f"And {counted(more, 'more thing')}."] if more > 0 else []
    return ForetoldToFail(
        f"{counted(len({item.key for item in failing}), 'step')} would fail, and nothing was started. "
        + " ".join(lines),
        hint=f"{failing[0].hint} All of it: migrate_all --dry-run".lstrip(),
    )
