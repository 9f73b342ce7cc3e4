"""
Ending a command that only looks, at once: it has nothing to finish.

The answer is read from a pipe by a thread, as in :mod:`accord.stopping`: while the main thread waits inside
of a driver, Python calls no handler. As process 1 of a container, a program without a handler isn't ended by
SIGTERM at all.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from accord.errors import ExitCode

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ends_at_once(last_words: Callable[[], None]) -> Iterator[None]:
    """
    Let the first SIGINT or SIGTERM end the process, whatever the body waits for.

    Args:
        last_words: Called by another thread before the process leaves with :attr:`ExitCode.PARTIAL`.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may set handlers; who calls from another one ends the process itself.
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    thread = threading.Thread(target=_watch, args=(reading, last_words), name="signals", daemon=True)
    thread.start()
    former = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(former)
        os.close(writing)
        thread.join()
        os.close(reading)


def _watch(reading: int, last_words: Callable[[], None]) -> None:
    """Read signals until one of ours comes, or the other end is closed."""
    while came := os.read(reading, 64):
        if any(number in _SIGNALS for number in came):
            try:
                last_words()
            finally:
                os._exit(int(ExitCode.PARTIAL))
