"""The baseline: adopting what stands in a store already, after looking that it does. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from accord.errors import BaselineMismatch
from accord.types import Presence, Probe
from accord.words import counted
from migrator.engine.plan import Plan

_WRONG = (Presence.ABSENT, Presence.PARTIAL, Presence.CONFLICTING)


def refuse_mismatch(probes: Sequence[Probe], plan: Plan) -> None:
    """
    Make sure that a baseline would record only what is there.

    The suite's own tables are let off: they can't stand in a system that never ran it.

    Args:
        probes: What was found, for the steps of the plan.
        plan: What the baseline would record.

    Raises:
        BaselineMismatch: Something is missing, incomplete or different; names what.
    """
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
