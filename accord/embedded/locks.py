"""A lock between processes that the system drops when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from accord.embedded.errors import EmbeddedStartFailed

_POLL_SECONDS = 0.02


@contextlib.contextmanager
def hold(path: Path, *, store: str, wait: float) -> Iterator[int]:
    """
    Hold an exclusive lock on a file for the length of the block.

    The lock belongs to the open file, not to the process: a child that inherits
    the descriptor keeps it held after its parent was killed, which
    :mod:`accord.embedded.process` relies on.

    Args:
        path: The lock file; it is created and never removed, for a removed lock file lets two in.
        store: Who is locked, for the error.
        wait: Seconds to wait for another holder.

    Yields:
        The descriptor that holds the lock.

    Raises:
        EmbeddedStartFailed: The other holder did not finish in time.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, path, store=store, wait=wait)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, *, store: str, wait: float) -> None:
    deadline = time.monotonic() + wait
    while not _try(descriptor):
        if time.monotonic() > deadline:
            raise EmbeddedStartFailed(
                f"{store}: another command has been working on this server for more than {wait:.0f} seconds "
                f"({path}).",
                hint="Wait for it, or end it, and run the command again.",
            )
        time.sleep(_POLL_SECONDS)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
