"""
Which steps of an erasure may be worked on now. Pure.

Within one store steps go one after the other, because rows refer to each other; stores don't
wait for each other, so that one that is down stops no other. The second pass over copies
comes when everything else is done, since a late indexer may have read what was still there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gdpr.states import StepState

Stop = Callable[[], bool]
"""Asked between two batches and between two phases; true makes work rest where it is."""
_SETTLED = frozenset({StepState.DONE, StepState.MANUAL})


def never() -> bool:
    """Return false, so that work goes on."""
    return False


@dataclass(frozen=True, kw_only=True)
class StepView:
    """
    A step as the schedule sees it.

    Attributes:
        entry: Id of its entry.
        store: Alias of its store.
        again: Whether it belongs to the second pass.
        state: Where it stands.
        due: Whether the time to wait after a failure is over.
        abandoned: Whether the process that is between two batches of it is gone, fell silent, or is this one.
        next_attempt_at: Until when it waits.
    """

    entry: str
    store: str
    again: bool
    state: StepState
    due: bool = True
    abandoned: bool = False
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """
    How a request stands, told from its steps.

    Attributes:
        claimable: Steps that a worker may take now, in order.
        held: Whether a hold on an entry keeps something back.
        busy: Whether another worker is at it.
        waiting: Whether a step waits for its next attempt.
        stuck: Whether a person has to act.
        finished: Whether everything is done.
        next_attempt_at: When the first waiting step is due.
    """

    claimable: Sequence[StepView]
    held: bool
    busy: bool
    waiting: bool
    stuck: bool
    finished: bool
    next_attempt_at: datetime | None


def outlook(steps: Iterable[StepView], held_entries: Collection[str]) -> Outlook:
    """
    Judge the steps of a request, in the order of the plan.

    Args:
        steps: All that are not done; others do no harm.
        held_entries: Ids of entries that a legal hold keeps.
    """
    listed = list(steps)
    claimable, held = _claimable(listed, held_entries)
    waits = [step for step in listed if step.state is StepState.RETRY_WAIT]
    times = [step.next_attempt_at for step in waits if step.next_attempt_at is not None]
    return Outlook(
        claimable=claimable,
        held=held,
        busy=any(step.state is StepState.RUNNING and not step.abandoned for step in listed),
        waiting=bool(waits),
        stuck=any(step.state in (StepState.FAILED, StepState.MANUAL) for step in listed),
        finished=all(step.state is StepState.DONE for step in listed),
        next_attempt_at=min(times, default=None),
    )


def _claimable(steps: Sequence[StepView], held_entries: Collection[str]) -> tuple[list[StepView], bool]:
    closed: set[tuple[str, bool]] = set()
    first_pass_done = all(step.state in _SETTLED for step in steps if not step.again)
    found: list[StepView] = []
    held = False
    for step in steps:
        lane = (step.store, step.again)
        if step.state in _SETTLED or lane in closed:
            continue
        closed.add(lane)
        if step.entry in held_entries:
            held = True
        elif _is_free(step) and (first_pass_done or not step.again):
            found.append(step)
    return found, held


def _is_free(step: StepView) -> bool:
    if step.state is StepState.RUNNING:
        return step.abandoned
    return step.state is StepState.PENDING or (step.state is StepState.RETRY_WAIT and step.due)
