"""
Files of exports: whole or not there, readable by their owner alone, and never over another one.

What is written goes into a file beside it that takes its name once the disk has all of it.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from accord.durable import sync_folder
from gdpr.errors import ExportRefused

PART = ".part"
"""What a file's name ends with while it is being written; what a kill leaves of one may go at any time."""
_OWNER_ONLY = 0o600
_MOST = 1_000


def require_folder(folder: Path) -> None:
    """
    Make the folder of an export where it isn't there.

    Raises:
        ExportRefused: It can't be written to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as exc:
        raise _refused(folder, exc) from exc


def new_file(folder: Path, stem: str, suffix: str, fill: Callable[[IO[bytes]], object]) -> Path:
    """
    Write a file under a name that is still free.

    Args:
        folder: Where to; it is made when it isn't there.
        stem: Of the name; a number follows where it is taken.
        suffix: The rest of the name, without its dot.
        fill: Writes what is to be in it.

    Raises:
        ExportRefused: It can't be written, or the folder is full of such names.
    """
    require_folder(folder)
    unfinished = folder / f".{secrets.token_hex(8)}{PART}"
    try:
        _written(unfinished, fill)
        path = _named(unfinished, folder, stem, suffix)
        sync_folder(folder)
    except OSError as exc:
        raise _refused(folder, exc) from exc
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return path.absolute()


def _written(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())


def _named(unfinished: Path, folder: Path, stem: str, suffix: str) -> Path:
    """Give a whole file its name: a link refuses one that is taken, where a renaming would write over it."""
    for number in range(1, _MOST):
        path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.{suffix}"
        with suppress(FileExistsError):
            os.link(unfinished, path)
            return path
    raise ExportRefused(f"{folder} is full of exports of this second.", hint="Name another folder.")


def _refused(folder: Path, error: OSError) -> ExportRefused:
    return ExportRefused(
        f"The export can't be written to {folder} ({error.strerror}).",
        hint="Name a folder that you may write to with --output.",
    )
