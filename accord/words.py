"""Small pieces of sentences that people read."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: `1 step`, `1,204 steps`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
