"""Whether a process is certainly gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from accord import process


def owner(pid: int) -> str:
    """Write the identity that a process of this machine would give."""
    return json.dumps({**json.loads(process.identity()), "pid": pid, "started": str(process.started(pid))})


def test_living_process_is_not_dead() -> None:
    """Neither our own, nor one beside it."""
    assert not process.is_dead(process.identity())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        assert not process.is_dead(owner(other.pid))


def test_ended_process_is_dead_as_a_zombie_too() -> None:
    """Before its parent has heard of it, and afterwards."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        known = owner(other.pid)
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert process.is_dead(known)
    assert process.is_dead(known)


def test_reused_number_is_another_process() -> None:
    """The same number with another start time."""
    assert process.is_dead(json.dumps({**json.loads(process.identity()), "started": "1"}))


@pytest.mark.parametrize("change", [{"machine": ""}, {"machine": "another"}, {"started": ""}, {"pid": "x"}])
def test_unknown_is_never_called_dead(change: dict[str, object]) -> None:
    """Another machine, another namespace, or a system that doesn't tell."""
    assert not process.is_dead(json.dumps({**json.loads(process.identity()), "started": "1", **change}))
    assert not process.is_dead("no JSON")


def test_hidden_process_is_never_called_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /proc hides the processes of others, one that can still be signalled is there."""
    known = process.identity()
    monkeypatch.setattr(process, "Path", lambda path: Path("/nowhere") / str(path).lstrip("/"))

    assert not process.is_dead(known)


def test_leader_that_ended_before_its_threads_is_alive() -> None:
    """Its threads still write, and hold what it held."""
    program = """
import ctypes, sys, threading
threading.Thread(target=sys.stdin.readline).start()
sys.stdout.write("ready\\n"); sys.stdout.flush()
ctypes.CDLL(None).pthread_exit(None)
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        known = owner(other.pid)
        assert other.stdout is not None
        other.stdout.readline()
        stat = Path(f"/proc/{other.pid}/stat")
        while process.fields_of(stat.read_text())[0] != "Z":
            pass
        assert not process.is_dead(known)
        other.kill()
