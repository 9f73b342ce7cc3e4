"""
What a baseline found there, or a person said was there: undoing it takes the line out, and nothing else.

A revert undoes what a run of ours did. Every store asks here, so that none of them drops what it never made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from accord.seam.types import (
    AppliedStep,
    Direction,
    Language,
    Origin,
    Statement,
    Step,
    StepKey,
    StepOutcome,
)

LEFT = Statement(
    text="Leaves everything where it is: it was found there, or recorded on a person's word.",
    language=Language.PYTHON,
    opaque=True,
)
"""What a store shows in the place of what it won't send."""


def was_found(step: Step, applied: Mapping[StepKey, AppliedStep]) -> bool:
    """
    Return whether the effect of a step stood there before it was recorded, as far as anybody knows.

    Args:
        step: The step. A squashed one was found if any of those that it stands for was: what belongs to
            which of them can't be told apart any more.
        applied: The ledgers of all stores, or of its own.
    """
    lines = (applied.get(key) for key in (step.key, *step.replaces))
    return any(line is not None and line.how is not Origin.APPLIED for line in lines)


def found_among(steps: Iterable[Step], applied: Mapping[StepKey, AppliedStep]) -> frozenset[StepKey]:
    """Return the keys of the steps whose effect was found, as :func:`was_found` tells."""
    return frozenset(step.key for step in steps if was_found(step, applied))


def showing_left(
    rendered: Iterable[tuple[Step, Sequence[Statement]]], found: Collection[StepKey]
) -> Iterator[tuple[Step, Sequence[Statement]]]:
    """
    Yield rendered steps, those that are left where they are without their statements.

    Args:
        rendered: Steps with what they would send, were they ours.
        found: Keys of those whose effect was found.
    """
    for step, statements in rendered:
        yield step, [LEFT] if step.key in found else statements


def left_alone(step: Step) -> StepOutcome:
    """Return the outcome of a revert that took the line of a found step out, and left the rest."""
    detail = f"left, because it was found there: all that {step.key.name} describes"
    return StepOutcome(key=step.key, direction=Direction.REVERT, detail=detail)
