"""Waiting until somebody else has applied everything: what an init container does first."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from accord.clock import Clock
from accord.errors import AccordError, DriftError, StoreUnavailable
from accord.words import counted
from migrator.engine.plan import Plan

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0


@dataclass(frozen=True, kw_only=True)
class Pauses:
    """
    How long to wait between two looks.

    Attributes:
        first: Seconds before the second look.
        longest: Seconds that no pause exceeds.
    """

    first: float = FIRST_PAUSE
    longest: float = LONGEST_PAUSE

    def after(self, looks: int, left: float) -> float:
        """Return the next pause: twice as long each time, by chance less, never past the end."""
        whole = min(self.longest, self.first * 2.0 ** min(looks - 1, 16))
        # Many containers start in one moment, and should not ask in one moment each time.
        return min(whole * random.uniform(0.5, 1), left)  # noqa: S311 - no secret


def until_applied(
    look: Callable[[], Plan],
    seconds: float,
    *,
    clock: Clock,
    tell: Callable[[str], None],
    pauses: Pauses | None = None,
) -> None:
    """
    Look again and again until nothing is pending, or the time is over.

    A store that is away is waited for. So is drift: ledgers are read one after the other while another
    process writes them, and a state between two steps can look like one.

    Args:
        look: Plans what is pending now.
        seconds: How long to wait.
        clock: Time.
        tell: Told what is waited for, each time that it changes.
        pauses: How long to wait between two looks.

    Raises:
        StoreUnavailable: A store is still away when the time is over.
        DriftError: Files and ledgers still disagree then.
    """
    pauses, end, looks, said = pauses or Pauses(), clock.monotonic() + seconds, 0, ""
    while True:
        waits_for, error = _missing(look)
        looks += 1
        left = end - clock.monotonic()
        if not waits_for or (left <= 0 and error is None):
            return
        if left <= 0 and error is not None:
            raise error
        if waits_for != said:
            tell(f"{waits_for} Waiting, {left:.0f} s left.")
            said = waits_for
        clock.sleep(pauses.after(looks, left))


def _missing(look: Callable[[], Plan]) -> tuple[str, AccordError | None]:
    """Say what is missing, in a sentence; nothing where everything is applied."""
    try:
        plan = look()
    except (StoreUnavailable, DriftError) as exc:
        return str(exc), exc
    pending = len(plan.steps) + len(plan.stuck)
    return (f"{counted(pending, 'step')} to apply." if pending else ""), None
