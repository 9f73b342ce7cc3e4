"""Looking, from a connection beside ours, at who keeps us waiting: while we wait, we can't ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Self

from accord import db
from accord.locks.blockers import Sample, Wait, wait_of

Beside = Callable[[], AbstractContextManager[Sample]]
"""Opens a connection of its own, in the thread that calls it."""
_EVERY = 0.1
_READY = 2.0


def _ignored(_: Wait) -> None:
    """Tell nobody."""


class Watch:
    """
    A thread that looks at a session while the body goes on. It can fail, and then nothing is known.

    Args:
        beside: Opens the connection.
        pid: Gives the session's process; None while there is none.
        after: Seconds until the first look; the connection is opened no earlier.
        tell: Called, in the thread, with what is newly seen.
    """

    def __init__(
        self,
        beside: Beside,
        pid: Callable[[], int | None],
        *,
        after: float = 0.0,
        tell: Callable[[Wait], None] = _ignored,
    ) -> None:
        self._beside = beside
        self._pid = pid
        self._after = after
        self._tell = tell
        self._ended = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="locks", daemon=True)
        self.seen: Wait | None = None
        """What was seen last of it waiting."""

    def __enter__(self) -> Self:
        """Begin; what is to be seen from the first moment on waits until the connection stands."""
        self._thread.start()
        if not self._after:
            self._ready.wait(_READY)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and wait for the thread: its connection is closed then."""
        self._ended.set()
        self._thread.join(_READY)

    def _run(self) -> None:
        # Whatever goes wrong here, the step is none the worse for it.
        with suppress(Exception):
            if not self._ended.wait(self._after):
                with self._beside() as sample:
                    self._look_on(sample)
        self._ready.set()
        # Who is told may have opened one, too: the journal writes from here.
        db.close_own()

    def _look_on(self, sample: Sample) -> None:
        self._ready.set()
        while not self._ended.is_set():
            pid = self._pid()
            found = wait_of(sample(pid)) if pid is not None else None
            if found is not None:
                self.seen = found
                self._tell(found)
            self._ended.wait(_EVERY)
