"""Trying for locks: each try stands in the queue briefly, and between two of them nothing of ours is open."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from accord import stopping
from accord.errors import Interrupted, LockNotFree
from accord.events import Reporter, StepWaited
from accord.locks.blockers import Wait
from accord.locks.patience import Behind, Patience, is_kept_out
from accord.locks.watching import Beside, Watch
from accord.seam.types import Lease, StepKey
from accord.words import duration

_Result = TypeVar("_Result")
_SLICE = 0.1
"""Seconds after which a pause asks whether it is to end."""
_BRIEF = 0.002
"""The same, where a table may be free at any moment, and for a moment."""
_LEAST = 0.25
"""Part of a pause that is spent in any case."""
_TELL_EVERY = 10.0
_SOON = 0.5
"""Seconds after which a wait is looked at; a statement that goes on working costs no connection before."""
_UNSEEN = "who holds it couldn't be seen"


def _nothing() -> None:
    """Leave everything as it is."""


def _unasked(_: str) -> None:
    """Ask nobody."""


def _never() -> bool:
    """Say that nothing of it stands."""
    return False


@dataclass(kw_only=True)
class Tries:
    """
    The tries of one step.

    Attributes:
        key: The step, or what else is tried.
        patience: How long.
        lease: The right to write; checked between tries.
        report: Hears what is waited for.
        beside: Opens a connection from which our session can be looked at.
        pid: Gives the process of our session.
        beckon: Stands in the queue of a table for a lock behind which no reader or writer waits, and lets it
            go again; raises what the driver raises when it isn't free.
        clock: Seconds that pass.
        sleep: Waits.
        chance: Gives numbers from 0 to 1.
    """

    key: StepKey | str
    patience: Patience
    lease: Lease
    report: Reporter
    beside: Beside
    pid: Callable[[], int | None]
    beckon: Callable[[str], None] = _unasked
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def through(
        self,
        act: Callable[[float | None], _Result],
        *,
        behind: Behind = Behind.EVERYBODY,
        afresh: Callable[[], None] = _nothing,
        stands: Callable[[], bool] = _never,
        goes_on: bool = False,
    ) -> _Result:
        """
        Do something that takes locks; again, while somebody is in its way.

        Args:
            act: Does it all, or leaves nothing that doing it again would not put right. Gets the seconds that
                it may stand in a queue: 0 for ever, None for what the server's settings say.
            behind: Who waits behind it meanwhile.
            afresh: Called before it is done again.
            stands: Asked after a failure whether a part of it stands after all; then it isn't done again.
            goes_on: Each time does what the one before left, so that of its time the wait alone counts.

        Returns:
            What `act` returned.

        Raises:
            LockNotFree: Somebody was in the way until the budget was used up.
            Interrupted: A person asked to stop meanwhile.
            LeaseError: The lease was lost meanwhile.
        """
        if self.patience.is_off:
            return act(None)
        began, attempt = self.clock(), 0
        alone = behind is Behind.EVERYBODY
        with self._brief_watch() if alone else self._long_watch(began) as watch:
            while True:
                seconds = self.patience.timeout(attempt) if alone else 0.0
                tried = self.clock()
                try:
                    self._stand_beside(watch)
                    return act(seconds)
                except Exception as exc:
                    if not is_kept_out(exc):
                        raise
                    if stands():
                        raise self._not_free(self.clock() - began, attempt + 1, watch, _IN_PARTS) from exc
                    if goes_on:
                        began += max(self.clock() - tried - seconds, 0.0)
                    pause = self._pause_after(exc, attempt, began, watch)
                self._stay_out(pause, watch)
                afresh()
                attempt += 1

    def once(self, act: Callable[[float | None], _Result], *, behind: Behind = Behind.EVERYBODY) -> _Result:
        """
        Do something that may leave a part of itself when it fails, so that it isn't done again here.

        Args:
            act: As in :meth:`through`.
            behind: Who waits behind it meanwhile.

        Returns:
            What `act` returned.

        Raises:
            LockNotFree: Somebody was in the way.
        """
        if self.patience.is_off:
            return act(None)
        began = self.clock()
        with self._long_watch(began) as watch:
            try:
                return act(self.patience.once if behind is Behind.EVERYBODY else 0.0)
            except Exception as exc:
                if not is_kept_out(exc):
                    raise
                raise self._not_free(self.clock() - began, 1, watch, _IN_PARTS) from exc

    def _brief_watch(self) -> Watch:
        """Look at short tries; a queue that one soon gets through costs no connection of its own."""
        half = self.patience.timeout(0) / 2
        return Watch(self.beside, self.pid, after=half, every=half)

    def _long_watch(self, began: float) -> Watch:
        after = min(_SOON, self.patience.once / 4)
        return Watch(self.beside, self.pid, after=after, tell=self._telling(began))

    def _pause_after(self, error: Exception, attempt: int, began: float, watch: Watch) -> float:
        """Decide how long to stay out of the queue, and tell it; raise when the budget is used up."""
        spent = self.clock() - began
        pause = self.patience.pause(attempt, spent, self.chance())
        if pause is None:
            raise self._not_free(spent, attempt + 1, watch, _AGAIN) from error
        left = max(self.patience.budget - spent, 0.0)
        self._tell(watch.seen, spent=spent, left=left, tries=attempt + 1)
        return pause

    def _stand_beside(self, watch: Watch) -> None:
        """
        Wait for those whom a short try never outlasts, where the application doesn't wait behind us.

        An autovacuum gives a table up to who has waited for a second (`deadlock_timeout`); maintenance, an
        index that is being built, another migration end by themselves. Behind a lock that goes with reading
        and writing nobody notices that second.
        """
        relation = watch.seen.relation if watch.seen else ""
        if not relation:
            return
        try:
            self.beckon(relation)
        except Exception as exc:
            # An index, a table that is gone, a role that may not: then there is the try itself.
            if is_kept_out(exc):
                raise

    def _stay_out(self, seconds: float, watch: Watch) -> None:
        """
        Pause, in slices, so that who asks to stop is heard; then look whether the lease is ours.

        Once nobody is in the way any more, there is nothing to stay out for. A part of each pause is spent
        all the same: who comes again as soon as we stand there must not be kept waiting again and again.
        """
        until = self.clock() + seconds
        with watch.for_room() as room:
            while (left := until - self.clock()) > 0:
                self._refuse_stopped()
                if room is not None and room.is_set() and left <= seconds * (1 - _LEAST):
                    break
                self.sleep(min(left, _SLICE if room is None else _BRIEF))
        self._refuse_stopped()
        self.lease.check()

    def _refuse_stopped(self) -> None:
        if stopping.wished():
            raise Interrupted(
                f"Stopped on request while {self.key} waited for a lock; it was rolled back.",
                hint="Run the same command again to continue.",
            )

    def _telling(self, began: float) -> Callable[[Wait], None]:
        """Return what tells, of somebody who stands in a queue for long, whom they wait for."""
        told: dict[str, float] = {}

        def tell(wait: Wait) -> None:
            now = self.clock()
            pids = str([blocker.pid for blocker in wait.blockers])
            if now - told.get(pids, -_TELL_EVERY) >= _TELL_EVERY:
                told[pids] = now
                self._tell(wait, spent=now - began, left=None, tries=1)

        return tell

    def _tell(self, wait: Wait | None, *, spent: float, left: float | None, tries: int) -> None:
        what, who = (wait.what, wait.who) if wait else ("a lock", "")
        self.report(StepWaited(key=str(self.key), what=what, who=who, spent=spent, left=left, tries=tries))

    def _not_free(self, spent: float, tries: int, watch: Watch, hint: str) -> LockNotFree:
        wait = watch.seen
        what = wait.what if wait else "a lock"
        who = (wait.who if wait else "") or _UNSEEN
        waited = f"{duration(spent)}, {'1 try' if tries == 1 else f'{tries} tries'}"
        return LockNotFree(f"{self.key} did not get {what} ({waited}): {who}.", hint=hint)


_LONGER = "How long a step waits: docs/reference/policy.md#locks."
_AGAIN = (
    "Nothing of it stands, and the table is free for the application. Wait for that session or end it, then "
    f"run the same command again. {_LONGER}"
)
_IN_PARTS = (
    "It isn't one transaction: a part of it may stand, and it wasn't tried again by itself. Wait for that "
    f"session or end it, then run the same command again. {_LONGER}"
)
