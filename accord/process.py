"""
The identity of a process: whether it is gone can be told for certain on the same machine.

A process id alone can be reused; together with the time the process started, the machine's
boot and its process-id namespace (containers) it can't.
"""

from __future__ import annotations

import json
import os
import socket
from functools import cache
from pathlib import Path


def identity() -> str:
    """
    Write who this process is.

    Returns:
        JSON text with `host`, `machine`, `pid` and `started`. `machine` and `started` are
        empty where the system doesn't tell; then nobody can call the process dead.
    """
    pid = os.getpid()
    return json.dumps(
        {"host": _host(), "machine": _machine(), "pid": pid, "started": _started(pid)}, sort_keys=True
    )


def is_dead(owner: str) -> bool:
    """
    Tell whether a process is certainly gone.

    Args:
        owner: What :func:`identity` gave in that process.

    Returns:
        True only when it ran on this machine, in our process-id namespace, and has ended.
        False whenever that can't be known.
    """
    fields = _parse(owner)
    machine, started, pid = fields.get("machine"), fields.get("started"), fields.get("pid")
    if not machine or machine != _machine() or not started or not isinstance(pid, int):
        return False
    return _started(pid) != started


def describe(owner: str) -> str:
    """Say in words which process an identity means."""
    fields = _parse(owner)
    return f"process {fields.get('pid', '?')} on {fields.get('host', 'an unknown host')}"


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
    """Name this boot of this machine and this process-id namespace; empty where /proc doesn't tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return f"{boot}/{namespace}"


def _started(pid: int) -> str:
    """Give the start time of a process in clock ticks since boot; empty when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The command's name may hold spaces and brackets: the fields are counted behind its last bracket.
    after_name = stat.rpartition(")")[2].split()
    state, started = after_name[0], after_name[19]
    return "" if state in "ZX" else started
