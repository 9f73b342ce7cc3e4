"""Where a migration failed: its own line, or one of the project's; never a frame of a library."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

import accord
import migrator
from accord.seam.types import Step

_FOREIGN = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {str(Path(next(iter(package.__path__)))) for package in (accord, migrator)}
)


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
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == str(step.source.path)]
    near = own or [frame for frame in frames if not frame.filename.startswith((*_FOREIGN, "<"))]
    return f"{near[-1].filename}, line {near[-1].lineno}" if near else str(step.source.path)
