"""
Servers as processes: start one so that it is never lost, know it again, end it.

A process is known by its number, its start time and the boot it belongs to, so
a number that the system gave to another process is never taken for ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from accord.process import BOOT_ID, boot, fields_of, started

_POLL_SECONDS = 0.02
_RECORD_LINES = 2  # /proc/PID/stat and the boot's id

# The server is the grandchild: it outlives the command and never becomes its zombie.
# Descriptor 0 comes in as the lock; a shell gives background jobs an empty standard
# input, so the lock moves to 3 first.
_DETACH = 'exec 3<&0; "$@" 3<&3 &'
# The process writes down who it is before it becomes the server, and holds the lock
# until then: the command may be killed at any line, and still either no server runs
# or its record is there when the next command gets the lock.
_RECORD = f'cat /proc/$$/stat {BOOT_ID} >&1 && exec "$@" </dev/null >&2 3<&-'


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """One process of one boot of this machine."""

    pid: int
    started: int
    boot: str

    def alive(self) -> bool:
        """Return whether this very process still runs; a zombie doesn't."""
        with contextlib.suppress(PermissionError):
            return started(self.pid) == self.started and boot() == self.boot
        return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the process is still the one that was recorded."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def await_end(self, wait: float) -> bool:
        """Wait until the process is gone, and say whether it is."""
        deadline = time.monotonic() + wait
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True


@dataclass(frozen=True, kw_only=True)
class Account:
    """A system user that a server runs as, when it refuses to run as root."""

    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Launch:
    """
    How a server is started.

    Attributes:
        command: Program and arguments.
        environment: The whole environment; nothing is inherited.
        folder: Working directory.
        log: File that standard output and error are written to.
        record: File that the process writes its identity to.
        account: Another user to run as, or None for the caller's own.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    record: Path
    account: Account | None = None


def spawn(launch: Launch, lock: int) -> ProcessIdentity:
    """
    Start a server in a session of its own, detached from the caller.

    Args:
        launch: What to start.
        lock: Descriptor of the held lock; the child keeps it until it has recorded itself.

    Returns:
        Who the server is.
    """
    launch.record.unlink(missing_ok=True)
    record = os.open(launch.record, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    log = os.open(launch.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        _run_detached(launch, lock=lock, record=record, log=log)
    finally:
        os.close(record)
        os.close(log)
    return _await_identity(launch.record)


def _run_detached(launch: Launch, *, lock: int, record: int, log: int) -> None:
    account = launch.account
    subprocess.run(  # the shells get constants; the command travels as arguments
        ["/bin/sh", "-c", _DETACH, "sh", "/bin/sh", "-c", _RECORD, "sh", *launch.command],
        stdin=lock,
        stdout=record,
        stderr=log,
        env=dict(launch.environment),
        cwd=launch.folder,
        start_new_session=True,
        umask=0o077,
        check=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def _await_identity(record: Path) -> ProcessIdentity:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if identity := read_identity(record):
            return identity
        time.sleep(_POLL_SECONDS)
    raise ChildProcessError(f"The process did not write down who it is: {record}")


def read_identity(record: Path) -> ProcessIdentity | None:
    """
    Read who a recorded process was.

    Returns:
        None where nothing was recorded, or not completely.
    """
    try:
        text = record.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    stat, _, rest = text.partition("\n")
    try:
        if text.count("\n") != _RECORD_LINES:
            return None  # still being written
        return ProcessIdentity(pid=int(stat.partition(" ")[0]), started=fields_of(stat)[1], boot=rest.strip())
    except ValueError:
        return None  # cut short


def log_tail(log: Path, lines: int = 15) -> str:
    """
    Read the last lines of a log, for an error message.

    Args:
        log: The file; a missing one reads as empty.
        lines: How many lines at most.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(line.rstrip()[:300] for line in text.splitlines()[-lines:])
