"""
Batch after batch: how much at a time, and until when; one loop for every kind of store.

What a batch is, and how it is recorded so that a kill loses and repeats nothing, is the store's own:
a transaction with the place where it ended, or a count that has to become less.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


class TooMuchAtOnce(Exception):
    """A batch did not get through, and changed nothing; a smaller one may."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """
    How large batches may be, so that transactions stay short on a busy server.

    Attributes:
        first: Size of the first batch.
        most: Size that none exceeds.
        least: Size below which slowness alone makes none smaller.
        slow: Seconds from which on a batch is slow: the next one is half of it.
        quick: Seconds up to which it is quick: the next one is twice as large.
        less: What a size is divided by when a batch did not get through.
        heavy: Bytes from which on a batch is heavy, however quick it was: the next one is half of it.
    """

    first: int
    most: int
    least: int = 10
    slow: float = 0.5
    quick: float = 0.2
    less: int = 4
    heavy: int = 16 * 1024 * 1024

    def following(self, size: int, seconds: float, weight: int = 0) -> int:
        """
        Return the size of the next batch.

        Args:
            size: Of the last one.
            seconds: That it took.
            weight: Bytes that it moved, where that is known.
        """
        if weight > self.heavy:
            return max(size // 2, 1)
        if seconds > self.slow:
            return min(size, max(size // 2, self.least))
        is_light = weight * 2 <= self.heavy
        return min(size * 2, self.most) if seconds < self.quick and is_light else size

    def smaller(self, size: int) -> int:
        """Return the size to try after a batch of this size did not get through."""
        return max(size // self.less, 1)


def work_through(
    batch: Callable[[int], bool],
    sizes: Sizes,
    *,
    stop: Callable[[], bool] = lambda: False,
    clock: Clock = time.monotonic,
) -> bool:
    """
    Do batch after batch.

    Args:
        batch: Does one of this size at most, and returns whether anything is left. It is done, or nothing of
            it is, and each leaves less to do than the one before, or raises.
        sizes: How large batches may be.
        stop: Asked before each one; true leaves the rest.
        clock: Seconds that pass.

    Returns:
        Whether nothing is left.

    Raises:
        TooMuchAtOnce: Not even a batch of one got through.
    """
    size = sizes.first
    while not stop():
        started = clock()
        try:
            if not batch(size):
                return True
        except TooMuchAtOnce:
            if size == 1:
                raise
            size = sizes.smaller(size)
            continue
        size = sizes.following(size, clock() - started)
    return False
