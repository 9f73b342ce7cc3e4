"""Trying again: how long to pause is decided here, purely; who waits, and on which dice, is handed in."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """
    Pauses that grow, spread so that rivals don't come back at the same moment.

    Attributes:
        first: Seconds of the first pause, before it is spread.
        factor: What each pause is multiplied by to get the next.
        most: Seconds that no pause exceeds before it is spread.
        spread: Share of a pause by which it may be shorter or longer.
    """

    first: float
    factor: float = 2.0
    most: float = 60.0
    spread: float = 0.5

    def pause(self, attempt: int, chance: float) -> float:
        """
        Return the seconds to wait after a failed attempt.

        Args:
            attempt: Its number, from 0.
            chance: A number from 0 to 1, which decides where in the spread the pause lies.
        """
        # A power of a large attempt is no float any more; from 64 on, every sane pause is `most`.
        grown = min(self.first * self.factor ** min(attempt, 64), self.most)
        return grown * (1 + self.spread * (2 * chance - 1))


def again(
    act: Callable[[], _Result],
    *,
    when: Callable[[Exception], bool],
    retries: int,
    backoff: Backoff,
    sleep: Callable[[float], None],
    chance: Callable[[], float] = random.random,
) -> _Result:
    """
    Call a function, and call it again when it fails in a way that passes.

    Args:
        act: What to do; it has to be safe to repeat.
        when: Decides whether an error is one that passes.
        retries: How often it is repeated at most.
        backoff: How long to pause in between.
        sleep: Waits.
        chance: Returns numbers from 0 to 1.

    Returns:
        What `act` returned.

    Raises:
        Exception: What `act` raised, once it doesn't pass or the retries are used up.
    """
    for attempt in range(retries):
        try:
            return act()
        except Exception as exc:
            if not when(exc):
                raise
        sleep(backoff.pause(attempt, chance()))
    return act()
