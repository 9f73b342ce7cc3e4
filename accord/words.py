"""Small pieces of sentences for display."""

from __future__ import annotations

from datetime import timedelta

_MINUTE = 60


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: `1 step`, `1,204 steps`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float | None) -> str:
    """Write a duration for display; a dash where it isn't known."""
    if seconds is None:
        return "-"
    return f"{seconds:.2f} s" if seconds < _MINUTE else str(timedelta(seconds=round(seconds)))
