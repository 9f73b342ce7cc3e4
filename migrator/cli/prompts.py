"""Questions to a person, asked before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from accord.cli.printable import say_aside
from accord.cli.questions import require_yes
from accord.seam.types import Direction
from accord.words import counted
from migrator.engine.plan import Plan
from migrator.models import RunKind


def confirmation(kind: RunKind, *, interactive: bool) -> Callable[[Plan], None] | None:
    """
    Choose the question that a run needs.

    Args:
        kind: What the run does.
        interactive: False with `--noinput`.

    Returns:
        None where nothing is asked: going forward, as Django's `migrate` does, or without input.
    """
    if not interactive or kind is RunKind.APPLY:
        return None
    return partial(_ask, kind)


def _ask(kind: RunKind, plan: Plan) -> None:
    """
    Ask whether a plan shall run.

    Raises:
        NotConfirmed: The answer was not yes, or there is no terminal to answer at.
    """
    verb = "undone" if plan.direction is Direction.REVERT else "recorded"
    if kind is RunKind.FORGET:
        verb = "struck from its ledger, and what stands of it stays"
    lines = [f"  {step.key}  {step.title}" for step in plan.steps]
    say_aside("\n".join([f"{counted(len(plan), 'step')} will be {verb}:", *lines, ""]))
    require_yes("Continue?")
