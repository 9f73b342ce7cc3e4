"""Where an error comes from: the nearest line that a person of the project wrote, never a library's."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Collection
from pathlib import Path

import accord

_SUITE = ("accord", "gdpr", "migrator", "mongo_migrations", "searchindex")
_ROOT = Path(next(iter(accord.__path__))).parent
_FOREIGN = tuple(
    f"{folder}/"
    for folder in {
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *(str(_ROOT / package) for package in _SUITE),
    }
)


def nearest(error: BaseException, own: Collection[str]) -> traceback.FrameSummary | None:
    """
    Return the last line of certain files that was run; else the last one of the project's code.

    Args:
        error: What was raised.
        own: The files: a migration's, or all revisions'.

    Returns:
        None where neither was run: a library failed on what it was handed.
    """
    frames = traceback.extract_tb(error.__traceback__)
    near = [frame for frame in frames if frame.filename in own]
    near = near or [frame for frame in frames if not frame.filename.startswith((*_FOREIGN, "<"))]
    return near[-1] if near else None
