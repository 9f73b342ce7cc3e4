"""Free TCP ports on the loopback address."""

from __future__ import annotations

import contextlib
import random
import socket
import time

HOST = "127.0.0.1"
"""The only address an embedded server ever listens on."""

# Below what Linux hands out for outgoing connections (32768 and up by default):
# a port that is remembered while its server sleeps isn't taken by accident.
_FIRST, _LAST = 20000, 32000
_TRIES = 200
_POLL_SECONDS = 0.05


def choose() -> int:
    """Choose a port that no process listens on now, at random so that two checkouts rarely meet."""
    dice = random.SystemRandom()
    for _ in range(_TRIES):
        port = dice.randint(_FIRST, _LAST)
        if is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # As the servers do it: an old connection in TIME_WAIT doesn't count as taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Return whether a process accepts connections on the port."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def await_answer(port: int, *, wait: float) -> bool:
    """Wait until a process accepts connections on the port, and return whether one does."""
    deadline = time.monotonic() + wait
    while not answers(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def await_free(port: int, *, wait: float) -> bool:
    """Wait until a port is free, for a killed server's children need a moment to follow it."""
    deadline = time.monotonic() + wait
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
