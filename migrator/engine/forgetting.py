"""Forgetting: which line of a ledger may be struck without acting, and what names the way for the others."""

from __future__ import annotations

from pathlib import Path

from accord.errors import UnknownTarget, UsageError
from accord.seam.types import Direction, Source, Step, StepKey
from migrator.engine.plan import Plan
from migrator.engine.situation import Situation

_NO_FILE = Path("(no file)")


def plan_forgetting(text: str, situation: Situation) -> Plan:
    """
    Plan to strike lines of a ledger: a step that was begun, an applied one whose file is gone, or an app.

    Args:
        text: The step, as `store:app.name`; or an app that isn't installed here, as `store:app`.
        situation: Files and ledgers.

    Returns:
        A plan of that step alone, or of the app's.

    Raises:
        UnknownTarget: No ledger holds it.
        UsageError: It is applied and its file is there, so that there are better ways.
    """
    if of_app := [key for key in sorted(situation.absent) if f"{key.store}:{key.app}" == text]:
        gone = tuple(without_file(key) for key in reversed(of_app))
        return Plan(direction=Direction.REVERT, steps=gone, parents=dict.fromkeys(of_app, frozenset()))
    key = _line(text, situation)
    if key not in situation.begun:
        _refuse_ordinary(key, situation)
    step = next((step for step in situation.steps if step.key == key), None) or without_file(key)
    return Plan(direction=Direction.REVERT, steps=(step,), parents={key: frozenset()})


def without_file(key: StepKey) -> Step:
    """Return what stands for a step that no file declares."""
    return Step(key=key, source=Source(path=_NO_FILE, content=b""), title="file is gone")


def _line(text: str, situation: Situation) -> StepKey:
    lines = {str(key): key for key in (*situation.applied, *situation.begun)}
    if text in lines:
        return lines[text]
    known = ", ".join(sorted(map(str, situation.begun))) or "none was begun"
    raise UnknownTarget(
        f"No ledger holds “{text}”.", hint=f"Write it as store:app.name. Begun and not ended: {known}."
    )


def _refuse_ordinary(key: StepKey, situation: Situation) -> None:
    replacing = [step.key for step in situation.steps if key in step.replaces]
    if replacing and key not in situation.on_disk:
        raise UsageError(
            f"{key} stands for a part of {replacing[0]}, which is applied by it.",
            hint="Leave it: it does no harm.",
        )
    if key in situation.on_disk:
        raise UsageError(
            f"{key} is applied, and its file is there: nothing has to be forgotten.",
            hint=f"Undo it: migrate_all --revert --step {key}. If its effect is gone already and it is "
            f"Django's: migrate_all --revert --fake --step {key}.",
        )
