"""Stopping between two steps when an operator or the system asks for it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """
    Record the first SIGINT or SIGTERM as a request to stop; a second one interrupts at once.

    Yields:
        A function that returns whether to stop.
    """
    wish = threading.Event()

    def ask(_signum: int, _frame: FrameType | None) -> None:
        if wish.is_set():
            raise KeyboardInterrupt
        wish.set()
        sys.stderr.write("\nStopping after this step; once more stops at once.\n")

    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may set handlers; a caller in another one stops the run itself.
        yield wish.is_set
        return
    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield wish.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
