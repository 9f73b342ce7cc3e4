"""What a store asks of those who load it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pressure:
    """
    What a store asks of those who load it.

    Attributes:
        seconds: How long to leave it alone; 0 when it is well.
        why: What is wrong with it, in a few words, for who waits.
    """

    seconds: float = 0.0
    why: str = ""
