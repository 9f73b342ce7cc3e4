"""Secrets out of files: only one of this user, that no other user of the machine can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from accord.errors import UsageError

_OTHERS = 0o077
_LONGEST = 1_000


def read(file: Path) -> bytes:
    """
    Read a secret out of a file that only this user can read.

    Args:
        file: Where it is.

    Returns:
        What is in it, without space around it; a thousand bytes at most.

    Raises:
        UsageError: It can't be read, or others can read it.
    """
    try:
        with file.open("rb") as opened:
            # Of the very file that is read, whatever takes its name meanwhile.
            found = os.fstat(opened.fileno())
            secret = opened.read(_LONGEST)
    except OSError as exc:
        raise UsageError(f"{file} can't be read: {exc.strerror}.", hint="Check path and rights.") from exc
    if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS or found.st_uid not in (0, os.getuid()):
        raise UsageError(
            f"{file} is no file of this user alone: others can read it, or it isn't theirs.",
            hint=f"Take the rights of others away: chmod 600 {file}",
        )
    return secret.strip()
