"""Looking, from a connection beside ours, at who keeps us waiting: while we wait, we can't ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import Self

from accord import db
from accord.locks.blockers import Ask, Wait, occupied, question, wait_of

Beside = Callable[[], AbstractContextManager[Ask]]
"""Opens a connection of its own, in the thread that calls it."""
_EVERY = 0.1
_READY = 2.0
_IDLE, _RARE = 10, 1.0
"""After so many looks that saw it at work, it is looked at once in so many seconds."""
_OFTEN, _SHARE, _SELDOM = 0.002, 4.0, 0.05
"""Room is looked for so often; for a fifth of the time at most; and less often, the longer there was none."""


def _ignored(_: Wait) -> None:
    """Tell nobody."""


class Watch:
    """
    A thread that looks at a session while the body goes on. It can fail, and then nothing is known.

    Args:
        beside: Opens the connection.
        pid: Gives the session's process; None while there is none.
        after: Seconds until the first look; the connection is opened no earlier, unless room is looked for.
        every: Seconds between two looks.
        tell: Called, in the thread, with what is newly seen.
    """

    def __init__(
        self,
        beside: Beside,
        pid: Callable[[], int | None],
        *,
        after: float = 0.0,
        every: float = _EVERY,
        tell: Callable[[Wait], None] = _ignored,
    ) -> None:
        self._beside = beside
        self._pid = pid
        self._after = after
        self._every = every
        self._tell = tell
        self._ended = threading.Event()
        self._turned = threading.Event()
        self._room = threading.Event()
        self._idle = 0
        self._awaited: tuple[Wait, float] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="locks", daemon=True)
        self.seen: Wait | None = None
        """What was seen last of it waiting."""

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and wait for the thread: its connection is closed then."""
        self._ended.set()
        self._turned.set()
        self._thread.join(_READY)

    @contextmanager
    def for_room(self) -> Iterator[threading.Event | None]:
        """
        Look, while the body stays out of the queue, whether what was last waited for could be had at once.

        Yields:
            What is set once nobody was in the way; None where it isn't known what is waited for.
        """
        self._room.clear()
        self._idle = 0
        self._awaited = (self.seen, time.monotonic()) if self.seen and self.seen.oid else None
        self._turned.set()
        if self._pid() is not None:
            self._ready.wait(_READY)
        try:
            yield self._room if self._awaited else None
        finally:
            self._awaited = None

    def _run(self) -> None:
        # Whatever goes wrong here, the step is none the worse for it.
        with suppress(Exception):
            self._turned.wait(self._after)
            while self._pid() is None and not self._ended.is_set():
                # Where the session isn't open yet, it isn't known either how another one is opened.
                self._turned.clear()
                self._turned.wait(self._every)
            if not self._ended.is_set():
                with self._beside() as ask:
                    self._look_on(ask)
        self._ready.set()
        # Who is told may have opened one, too: the journal writes from here.
        db.close_own()

    def _look_on(self, ask: Ask) -> None:
        self._ready.set()
        while not self._ended.is_set():
            self._turned.clear()
            pause = self._look_for_room(ask, *awaited) if (awaited := self._awaited) else self._look(ask)
            self._turned.wait(pause)

    def _look(self, ask: Ask) -> float:
        pid = self._pid()
        found = wait_of(ask(question(pid))) if pid is not None else None
        self._idle = 0 if found else self._idle + 1
        if found is not None:
            self.seen = found
            self._tell(found)
        return self._every if self._idle < _IDLE else max(self._every, _RARE)

    def _look_for_room(self, ask: Ask, wait: Wait, since: float) -> float:
        began = time.monotonic()
        if not ask(occupied(wait, self._pid())):
            self._room.set()
        ended = time.monotonic()
        return max(_OFTEN, _SHARE * (ended - began), _SELDOM * (ended - since))
