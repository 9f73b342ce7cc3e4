"""Where a migration failed: its own line, or one of the project's; never a frame of a library."""

from __future__ import annotations

from accord.places import nearest
from accord.seam.types import Step


def place_in(step: Step, error: Exception) -> str:
    """
    Return where a step's error comes from, as a person finds it.

    Args:
        step: The step.
        error: What it raised.

    Returns:
        File and line of the migration; else of the project's code that it called; else the file alone, where
        a library failed on what the migration declares.
    """
    frame = nearest(error, {str(step.source.path)})
    return f"{frame.filename}, line {frame.lineno}" if frame else str(step.source.path)
