"""
Stopping when an operator or the system asks for it: between two steps, or at once.

Python runs a signal's handler when the main thread is back in Python; while it waits inside of a
database driver that may be an hour later, and several signals have become one. The signals are
therefore read from a pipe by a thread (:func:`signal.set_wakeup_fd`), which answers at once and,
on the second one, cancels what the databases are doing.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_AT_ONCE = 2
"""The signal that no longer waits for the end of a step."""

Cancel = Callable[[], None]
"""Ends the statement that a connection waits for; may be called by another thread."""

_cancels: list[Cancel] = []
_wishes: list[Callable[[], bool]] = []


def wished() -> bool:
    """Return whether an operator or the system asked this process to stop, for whoever waits in a step."""
    return any(wish() for wish in _wishes)


@contextmanager
def cancellable(cancel: Cancel) -> Iterator[None]:
    """
    Let a second signal end what goes on in the body, although Python itself can't be reached.

    Args:
        cancel: Ends the statement that the body waits for. Django's own connections need none.
    """
    _cancels.append(cancel)
    try:
        yield
    finally:
        _cancels.remove(cancel)


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """
    Record the first SIGINT or SIGTERM as a request to stop; a second one interrupts at once.

    Yields:
        A function that returns whether to stop.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may set handlers; a caller in another one stops the run itself.
        yield lambda: False
        return
    signals = _Signals()
    # The handlers count by what is read, so that the reading begins before them and ends after them.
    with signals.read_at_once():
        before = {number: signal.signal(number, signals.handle) for number in _SIGNALS}
        _wishes.append(signals.wished)
        try:
            yield signals.wished
        finally:
            _wishes.remove(signals.wished)
            for number, handler in before.items():
                signal.signal(number, handler)


class _Signals:
    """Counts the signals that came, whichever thread hears of them first."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        for end in (self._reading, self._writing):
            os.set_blocking(end, False)
        # One that comes while another one is handled is counted by the same thread.
        self._lock = threading.RLock()
        self._count = 0
        self._ended = threading.Event()
        self._wrappers: list[BaseDatabaseWrapper] = []

    def wished(self) -> bool:
        """Return whether to stop."""
        return self._count > 0

    def handle(self, _signum: int, _frame: FrameType | None) -> None:
        """
        Interrupt the main thread, back in Python, once the second signal has come.

        Raises:
            KeyboardInterrupt: It has.
        """
        self._take()
        if self._count >= _AT_ONCE:
            raise KeyboardInterrupt

    @contextmanager
    def read_at_once(self) -> Iterator[None]:
        """Answer signals while the main thread waits in a driver."""
        # Connections belong to threads; those of this one are noted for the one that reads.
        self._wrappers.extend(connections.all(initialized_only=True))
        connection_created.connect(self._note, weak=False)
        former = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        thread = threading.Thread(target=self._watch, name="signals", daemon=True)
        thread.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(former)
            connection_created.disconnect(self._note)
            self._ended.set()
            # Its end is seen by the thread that reads, whoever took the last signal out.
            os.close(self._writing)
            thread.join()
            os.close(self._reading)

    def _note(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        if connection not in self._wrappers:
            self._wrappers.append(connection)

    def _watch(self) -> None:
        while not self._ended.is_set():
            _wait_for(self._reading)
            self._take()

    def _take(self) -> None:
        """Count what came since the last time, and answer it."""
        with self._lock:
            came = sum(number in _SIGNALS for number in _read(self._reading))
            before, self._count = self._count, self._count + came
            if before == 0 and self._count:
                sys.stderr.write("\nStopping after this step; once more stops at once.\n")
                sys.stderr.flush()
            if before < _AT_ONCE <= self._count:
                sys.stderr.write("\nStopping at once.\n")
                sys.stderr.flush()
                self._cancel_everything()

    def _cancel_everything(self) -> None:
        for cancel in [*_cancels, *(_cancel_of(wrapper) for wrapper in self._wrappers)]:
            # Nothing goes on there, or the connection is gone: the interruption is all that is left to do.
            with suppress(Exception):
                cancel()


def _cancel_of(wrapper: BaseDatabaseWrapper) -> Cancel:
    """Return what cancels a statement of Django's connection; drivers of PostgreSQL can be asked to."""
    found: Cancel = getattr(wrapper.connection, "cancel", _nothing)
    return found


def _nothing() -> None:
    """Cancel nothing: drivers written in Python are interrupted by the handler itself."""


def _wait_for(descriptor: int) -> None:
    select.select([descriptor], [], [])


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""
