"""
The identity of a process: whether it is gone can be told for certain on the same machine.

A process id alone can be reused; together with the time the process started, the machine's
boot and its process-id namespace (containers) it can't.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
from functools import cache
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STATE, _STARTED = 0, 19  # fields of /proc/PID/stat, counted after the command's name


def identity() -> str:
    """
    Write who this process is.

    Returns:
        JSON text with `host`, `machine`, `pid` and `started`. `machine` and `started` are
        empty where the system doesn't report it; then no other process can call this one dead.
    """
    pid = os.getpid()
    began = str(started(pid) or "")
    return json.dumps({"host": _host(), "machine": _machine(), "pid": pid, "started": began}, sort_keys=True)


def is_dead(owner: str) -> bool:
    """
    Return whether a process is certainly gone.

    Args:
        owner: What :func:`identity` gave in that process.

    Returns:
        True only when it ran on this machine, in our process-id namespace, and has ended.
        False whenever that can't be known.
    """
    fields = _parse(owner)
    machine, began, pid = fields.get("machine"), fields.get("started"), fields.get("pid")
    if not machine or machine != _machine() or not began or not isinstance(pid, int):
        return False
    with contextlib.suppress(PermissionError):
        return str(started(pid) or "") != began
    return False


def describe(owner: str) -> str:
    """Describe in words which process an identity means."""
    fields = _parse(owner)
    return f"process {fields.get('pid', '?')} on {fields.get('host', 'an unknown host')}"


def started(pid: int) -> int | None:
    """
    Read when a process started, in clock ticks since boot, which setting the clock does not move.

    Args:
        pid: Number of the process.

    Returns:
        None when it is gone, or a zombie without a thread that still works.

    Raises:
        PermissionError: There is one, and the system hides it from this user.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        _require_gone(pid)
        return None
    state, began = fields_of(stat)
    # A dead process waits as a zombie for its parent; one whose other threads still
    # work, and hold its port and its files, looks like a zombie too.
    return None if state in "ZX" and threads <= 1 else began


def fields_of(stat: str) -> tuple[str, int]:
    """
    Read state and start time from the content of `/proc/PID/stat`.

    Raises:
        ValueError: It was cut short.
    """
    # The command's name may hold spaces and brackets: the fields are counted behind its last bracket.
    after_name = stat.rpartition(")")[2].split()
    if len(after_name) <= _STARTED:
        raise ValueError("cut short")
    return after_name[_STATE], int(after_name[_STARTED])


def boot() -> str:
    """
    Return the id of this boot of this machine.

    Raises:
        OSError: The system doesn't report it.
    """
    return BOOT_ID.read_text(encoding="ascii").strip()


def _require_gone(pid: int) -> None:
    """Check that what /proc doesn't show isn't there; `hidepid` hides other users' processes."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        raise PermissionError(errno.EACCES, "hidden", f"/proc/{pid}")


def _parse(owner: str) -> dict[str, object]:
    try:
        fields = json.loads(owner)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


@cache
def _host() -> str:
    return socket.gethostname()


@cache
def _machine() -> str:
    """Return this boot of this machine and this process-id namespace; empty where /proc has neither."""
    try:
        return f"{boot()}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
