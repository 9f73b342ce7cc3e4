"""The baseline: adopting what stands in a store already, after looking that it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from accord.errors import UsageError
from accord.seam.stores import Probes, Store, by_store
from accord.seam.types import Presence, Probe, Step
from accord.words import counted
from migrator.engine.plan import Plan
from migrator.errors import BaselineMismatch

_WRONG = (Presence.ABSENT, Presence.PARTIAL, Presence.CONFLICTING)


def look(stores: Mapping[str, Store], plan: Plan) -> Sequence[Probe]:
    """
    Look in the stores, and make sure that a baseline would record only what is there.

    The suite's own tables are let off: they can't stand in a system that never ran it.

    Args:
        stores: The stores by alias.
        plan: What the baseline would record.

    Returns:
        What was found, for each step of the plan.

    Raises:
        UsageError: A store can't be asked.
        BaselineMismatch: Something is missing, incomplete or different; names what.
    """
    probes = looked_at(stores, plan.steps)
    _refuse_mismatch(probes, plan)
    return probes


def looked_at(stores: Mapping[str, Store], steps: Sequence[Step]) -> Sequence[Probe]:
    """
    Look in the stores for the effects of steps, and return what was found, whatever it is.

    Raises:
        UsageError: A store can't be asked.
    """
    found = {probe.key: probe for probe in _probed(stores, steps)}
    # Of what a store says nothing about, nothing is known to be there.
    return [found.get(step.key) or Probe(key=step.key, presence=Presence.ABSENT) for step in steps]


def _probed(stores: Mapping[str, Store], wanted: Sequence[Step]) -> Iterator[Probe]:
    for alias, steps in by_store(wanted).items():
        store = stores[alias]
        if not isinstance(store, Probes):
            raise UsageError(
                f"The store “{alias}” can't be asked what stands in it.",
                hint="Name the stores that can, with --store.",
            )
        yield from store.probe(steps)


def _refuse_mismatch(probes: Sequence[Probe], plan: Plan) -> None:
    foundation = {step.key for step in plan.steps if step.foundation}
    wrong = [probe for probe in probes if probe.presence in _WRONG and probe.key not in foundation]
    if wrong:
        findings = "; ".join(f"{probe.key} is {_found(probe)}" for probe in wrong[:10])
        raise BaselineMismatch(
            f"The stores don't hold what {counted(len(wrong), 'step')} would record: {findings}.",
            hint="Name the last step that stands with --to, or bring the store to that state first.",
        )


def _found(probe: Probe) -> str:
    return (
        f"{probe.presence.value} ({', '.join(probe.findings[:3])})"
        if probe.findings
        else probe.presence.value
    )
