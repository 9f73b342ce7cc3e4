"""How far a job has come, how quick it is, and when it may end: decided from numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accord.batch_models import SliceState


@dataclass(frozen=True, kw_only=True)
class Progress:
    """
    Where a job stands.

    Attributes:
        slices: How many there are in each state.
        rows: Rows that are done.
        bytes: Bytes that were moved.
        worked: Seconds that all workers together spent in batches.
        total: Rows that were expected when it began; None where nobody knew.
        active: Slices that somebody has a lease of.
    """

    slices: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    bytes: int = 0
    worked: float = 0.0
    total: int | None = None
    active: int = 0

    @property
    def count(self) -> int:
        """Return how many slices there are."""
        return sum(self.slices.values())

    @property
    def done(self) -> int:
        """Return how many of them are done."""
        return self.slices.get(SliceState.DONE, 0)

    @property
    def open(self) -> int:
        """Return how many of them are neither done nor given up."""
        return self.slices.get(SliceState.WAITING, 0) + self.slices.get(SliceState.RUNNING, 0)

    @property
    def speed(self) -> float:
        """Return rows a second, of those who work at the moment."""
        return self.active * self.rows / self.worked if self.worked else 0.0

    @property
    def expected(self) -> float | None:
        """Return how many rows it will have been: as counted, else by the slices that are done."""
        if self.total is not None:
            return max(float(self.total), self.rows)
        # What slices under way have done counts towards a whole slice, not beyond one.
        return self.rows / self.done * self.count if self.done else None

    @property
    def seconds_left(self) -> float | None:
        """Return how long it may still take; None where that can't be told."""
        if self.done == self.count:
            return 0.0
        if not self.speed or self.expected is None:
            return None
        return max(self.expected - self.rows, 0.0) / self.speed
