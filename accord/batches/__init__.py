"""
Work in batches: how large they are, what they are made of, and where they run.

A loop in one process is :func:`work_through`. What has to outlive a process, or is to run on several
machines, is a :class:`Work` (docs/adr/0056-one-engine-of-batches.md shows one in ten lines).
"""

from __future__ import annotations

from accord.batches.pressure import Pressure
from accord.batches.sizes import Clock, Sizes, TooMuchAtOnce, work_through
from accord.batches.work import Bounds, Cursor, Done, Portion, Work

__all__ = [
    "Bounds",
    "Clock",
    "Cursor",
    "Done",
    "Portion",
    "Pressure",
    "Sizes",
    "TooMuchAtOnce",
    "Work",
    "work_through",
]
