"""What every package of the suite that opens a MongoDB tells its driver, beside any client's own options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_USUAL_LOOK = 0.5  # seconds; the drivers' specification names it
_BRIEF_LOOK = 0.01


@contextmanager
def briefly() -> Iterator[None]:
    """
    Allow clients that are made and closed inside to end at once.

    The driver's threads look twice a second whether they should end, and a process waits for
    them when it leaves: longer than the only question of a run with nothing to do takes. A later
    driver that does not read this number only brings that wait back.
    """
    from pymongo import common

    common.MIN_HEARTBEAT_INTERVAL = _BRIEF_LOOK
    try:
        yield
    finally:
        common.MIN_HEARTBEAT_INTERVAL = _USUAL_LOOK
