"""Time, passed in so that tests own it. Servers' clocks decide leases; this one never does."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

from django.utils import timezone


class Clock(Protocol):
    """What the suite asks of a clock."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only grow, for durations."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return now()

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def now() -> datetime:
    """Return the time of day, in UTC. Django's own function leaves out the zone where `USE_TZ` is off."""
    return datetime.now(tz=UTC)


def aware(moment: datetime) -> datetime:
    """Return a moment with its zone: the project's for one that says none, as `USE_TZ` off means."""
    return (
        moment if timezone.is_aware(moment) else timezone.make_aware(moment, timezone.get_default_timezone())
    )


def local(moment: datetime) -> datetime:
    """Return a moment in the reader's zone, to be shown."""
    return timezone.localtime(aware(moment))
