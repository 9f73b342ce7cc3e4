"""A revision file that isn't Python."""

from __future__ import annotations

from pathlib import Path

from accord.errors import RevisionUnreadable


def unparsed(path: Path | str, exc: SyntaxError) -> RevisionUnreadable:
    """
    Make the error for a file that can't be parsed.

    Args:
        path: The file that was read; it may import another one that is to blame.
        exc: What Python says. It knows no line where a byte has no place in any.
    """
    line = f", line {exc.lineno}" if exc.lineno else ""
    return RevisionUnreadable(
        f"{exc.filename or path}{line}: {exc.msg}.", hint="Correct the file and run again."
    )
