"""What the operating system refused, told as one of the suite's own errors."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from accord.embedded.errors import EmbeddedDataUnusable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EEXIST, errno.EISDIR})

FULL_DISK_WORDS = ("no space left on device", "disk quota exceeded", "not enough free disk space")
"""How the servers themselves say in their logs that the disk is full, in lower case."""


@contextlib.contextmanager
def translated(store: str, folder: Path, *, variable: str = "ACCORD_HOME") -> Iterator[None]:
    """
    Raise what the operating system refuses inside the block as `EmbeddedDataUnusable`.

    Args:
        store: Name of the embedded server.
        folder: Where its files are; named when the system's error names no file.
        variable: The environment variable by which they can be put elsewhere.
    """
    try:
        yield
    except OSError as exc:
        if exc.errno not in _FULL | _FORBIDDEN | _IN_THE_WAY:
            raise
        raise data_unusable(store, folder, exc, variable=variable) from exc


def data_unusable(
    store: str, folder: Path, exc: OSError, *, variable: str = "ACCORD_HOME"
) -> EmbeddedDataUnusable:
    """
    Return the error that names the data folder, why it can't be used, and what to do.

    Args:
        store: Name of the embedded server.
        folder: Its data folder.
        exc: What the system answered.
        variable: The environment variable by which it can be put elsewhere.

    Returns:
        The error to raise from `exc`.
    """
    place = Path(os.fsdecode(exc.filename)) if exc.filename else folder
    reason = (exc.strerror or type(exc).__name__).lower()
    return EmbeddedDataUnusable(
        f"{store}: {place} can't be used: {reason}{_owner_words(exc, place)}.",
        hint=_hint(exc, store, folder, variable),
    )


def full_disk(store: str, folder: Path) -> EmbeddedDataUnusable:
    """Return the error for a file system that has no room left."""
    return data_unusable(store, folder, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)))


def require_space(store: str, folder: Path, needed: int) -> None:
    """
    Refuse to start a server where it would run out of space at once.

    Args:
        store: Name of the embedded server.
        folder: An existing folder on the file system that will hold the data.
        needed: Bytes the server writes in its first seconds.

    Raises:
        EmbeddedDataUnusable: Less than that is free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        error = full_disk(store, folder)
        error.message += f" {free // 2**20} MB are free, {needed // 2**20} MB are needed to start."
        raise EmbeddedDataUnusable(error.message, hint=error.hint)


def require_owner(store: str, data: Path, owner: int) -> None:
    """
    Refuse data of another account: a server would fail half-way, or leave files that its owner can't read.

    Args:
        store: Name of the embedded server.
        data: Its data folder, which need not exist.
        owner: The account that the server would run as.

    Raises:
        EmbeddedDataUnusable: The folder belongs to another account.
    """
    if not data.exists():
        return
    found = data.stat().st_uid
    if found != owner:
        raise EmbeddedDataUnusable(
            f"{store}: {data} belongs to {user_name(found)}, and the server would run as {user_name(owner)}.",
            hint=_hint(PermissionError(), store, data, "ACCORD_HOME"),
        )


def _owner_words(exc: OSError, place: Path) -> str:
    """Name both users when the rights are what is wrong."""
    if exc.errno not in _FORBIDDEN or exc.errno == errno.EROFS:
        return ""
    with contextlib.suppress(OSError):
        nearest = next(path for path in (place, *place.parents) if path.exists())
        owner = nearest.stat().st_uid
        if owner != os.geteuid():
            return (
                f" ({nearest} belongs to {user_name(owner)}, this command runs as {user_name(os.geteuid())})"
            )
    return ""


def _hint(exc: OSError, store: str, folder: Path, variable: str) -> str:
    if exc.errno in _FULL:
        return (
            f"Free some space on the file system of {folder}, "
            f"or point {variable} at a folder on a larger one, then run the command again."
        )
    if exc.errno in _IN_THE_WAY:
        return (
            f"Something else stands where a folder should be: move it away, or point {variable} elsewhere "
            f"({folder})."
        )
    return (
        f"Run the command as the owner of {folder}, give the folder to yourself, "
        f"or point {variable} at a folder that you may write to. "
        f"`manage.py embedded reset {store}`, run by its owner, removes the data."
    )


def user_name(uid: int) -> str:
    """Name a user for people; numbers without a name stay numbers."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
