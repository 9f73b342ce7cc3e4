"""Python programs that a test runs to their end, forked from a process that has the libraries already."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from tests.children import die_with_parent

SERVER = Path(__file__).with_name("fork_server.py")
# These are read when Python itself starts, which a fork doesn't do.
_HEEDED = frozenset(("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"))
_OF_A_PROGRAM = ("DJANGO_SETTINGS_MODULE", "PYTHONPATH")
_LOCK = threading.Lock()

Finished = subprocess.CompletedProcess[str]


def run_python(
    arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float | None = None
) -> Finished:
    """
    Run a Python program to its end, whatever that is, with nothing to read.

    Args:
        arguments: Of Python: a script, or `-c` or `-m`, and what the program is given.
        env: All its environment variables.
        cwd: The folder in which it starts.
        timeout: Seconds after which it is killed.

    Returns:
        Its exit code and what it wrote, as `subprocess.run` does.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was killed.
    """
    if not can_fork(arguments, env):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        here, there = socket.socketpair()
        with here:
            with there:
                question = {"arguments": list(arguments), "environment": dict(env), "folder": str(cwd)}
                _ask(json.dumps(question).encode(), [out.fileno(), err.fileno(), there.fileno()])
            code = _exit_code(here, timeout)
        if code is None:
            raise subprocess.TimeoutExpired(list(arguments), timeout or 0, _text(out), _text(err))
        return subprocess.CompletedProcess(arguments, code, _text(out), _text(err))


def can_fork(arguments: Sequence[str], env: Mapping[str, str]) -> bool:
    """Tell whether a fork can stand for a new Python: not if something is said to Python itself."""
    said = {name for name in env if name.startswith("PYTHON") and env[name] != os.environ.get(name)}
    plain = arguments[0] in ("-c", "-m") or not arguments[0].startswith("-")
    return said <= _HEEDED and plain and _is_or_may_be_started()


def _is_or_may_be_started() -> bool:
    """Tell whether there is a server; it would end with the thread that starts it."""
    return bool(_server.cache_info().currsize) or threading.current_thread() is threading.main_thread()


def _ask(question: bytes, files: list[int]) -> None:
    with _LOCK:
        socket.send_fds(_server(), [question], files)


@cache
def _server() -> socket.socket:
    """Start the process that forks; it ends with this one, or when this one closes the socket."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**21)
    with there:
        process = subprocess.Popen(
            [sys.executable, str(SERVER), str(there.fileno())],
            # Settings and paths are those of each program.
            env={name: value for name, value in os.environ.items() if name not in _OF_A_PROGRAM},
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - a killed test run must leave no process
        )

    def end() -> None:
        here.close()
        process.wait()

    atexit.register(end)
    return here


def _exit_code(answer: socket.socket, timeout: float | None) -> int | None:
    """Wait for the end of the program; when that takes too long, it is killed, and there is no code."""
    answer.settimeout(timeout)
    with answer.makefile("rb") as lines:
        pid = int(lines.readline())
        try:
            return int(lines.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            return None


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
