"""
Scrubbing: having a store write over, or give back, the space of what was deleted, as far as it can.

No engine promises that bytes are gone; each act hastens what the engine would do in its own time. What a
right, a lock or the engine refuses is told, and stops nothing else. docs/explanation/what-stays.md
says what each act ends.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ScrubAct(enum.StrEnum):
    """What a store was asked to do."""

    REWRITE = "rewrite"
    """Write a table and its indexes anew (VACUUM FULL), with new statistics."""
    VACUUM = "vacuum"
    """Free the space of dead rows, with new statistics; their bytes stay until something is written there."""
    CHECKPOINT = "checkpoint"
    """Write everything to the data files; older log may be used again."""
    SWITCH_LOG = "switch log"
    """Begin a new file of the write-ahead log, so that the old one may be archived and used again."""
    COMPACT = "compact"
    """Give free blocks of a collection back."""
    MERGE = "merge"
    """Write segments with many deleted documents anew, without these."""
    FLUSH = "flush"
    """Write everything to segments; older log goes."""


class Refusal(enum.StrEnum):
    """Why something was not done."""

    NONE = ""
    LOCK = "locked"
    """Somebody held what it needs for longer than it may wait."""
    RIGHT = "no right"
    """Our user may not do it."""
    ENGINE = "refused"
    """The engine doesn't do it here."""


@dataclass(frozen=True, kw_only=True)
class Scrubbed:
    """
    One act.

    Attributes:
        act: What was asked for.
        target: Table, collection or index; empty for the server.
        refusal: Why it was not done; empty where it was.
    """

    act: ScrubAct
    target: str = ""
    refusal: Refusal = Refusal.NONE
