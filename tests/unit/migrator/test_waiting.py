"""Waiting for another process: how often it looks, and what it doesn't take for the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from accord.clock import now
from accord.errors import DriftError, StoreUnavailable
from accord.seam.types import Direction
from accord.testing import make_step
from migrator.engine.plan import Plan
from migrator.engine.waiting import Pauses, until_applied


class Hours:
    """A clock that goes on by what is slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return now()

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def plan(*keys: str) -> Plan:
    return Plan(direction=Direction.APPLY, steps=tuple(make_step(key) for key in keys), parents={})


def looking(*found: Plan | Exception) -> Any:
    """Make looks that find one thing after the other, and the last one for ever."""
    rest: Iterator[Plan | Exception] = iter(found)
    last = found[-1]

    def look() -> Plan:
        came = next(rest, last)
        if isinstance(came, Exception):
            raise came
        return came

    return look


def test_stores_away_and_drift_on_the_way_are_waited_for() -> None:
    """Each is told once, as long as it stays the same."""
    clock, told = Hours(), list[str]()
    away, drift = StoreUnavailable("It is away.", hint=""), DriftError("They disagree.", hint="")

    until_applied(looking(away, away, drift, plan("mem:a.0001_a"), plan()), 60, clock=clock, tell=told.append)

    assert [("away" in line, "disagree" in line, "1 step" in line) for line in told] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


@pytest.mark.parametrize("error", [StoreUnavailable("Away.", hint=""), DriftError("Drift.", hint="")])
def test_what_stands_at_the_end_is_raised(error: Exception) -> None:
    """A store that can't be read is never taken for one where everything is applied."""
    clock = Hours()
    with pytest.raises(type(error)):
        until_applied(looking(error), 10, clock=clock, tell=lambda _: None)

    assert clock.monotonic() == pytest.approx(10)


def test_pauses_grow_to_their_longest_and_never_pass_the_end() -> None:
    """A minute takes a few looks, not hundreds."""
    pauses = Pauses(first=1, longest=4)
    for looks, whole in [(1, 1), (2, 2), (3, 4), (9, 4), (10_000, 4)]:
        assert whole / 2 <= pauses.after(looks, 100) <= whole
    assert pauses.after(9, 0.5) == 0.5
