"""What may be wrong with an audit trail, and in which words that is said."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ProblemKind(enum.StrEnum):
    """What is wrong, and what it means."""

    EDITED = "edited"
    """The event is not what its hash was made of."""
    UNCHAINED = "unchained"
    """The event does not continue the one before: that one was replaced, or this one was moved."""
    MISSING = "missing"
    """An event is gone from the middle."""
    CUT_OFF = "cut_off"
    """Events are gone from the end: a signed head, or the database's own memory of one, counts more."""
    REWRITTEN = "rewritten"
    """The trail fits together, and is another one than was signed."""
    FORGED_HEAD = "forged_head"
    """A head bears a signature that was not made for it, or by a key that this project does not trust."""
    HEADS_MISSING = "heads_missing"
    """A place that heads were written to holds none of this database."""
    HEADS_SHORTENED = "heads_shortened"
    """A place holds heads, and not the newest one that was written to it."""
    HEADS_FOREIGN = "heads_foreign"
    """A place holds heads of another database."""
    MARK = "mark"
    """The mark that heads are bound to is gone from the database, or this project did not write it."""
    UNSEALED = "unsealed"
    """The event continues the chain, and nobody who had the project's key wrote it."""
    UNWITNESSED = "unwitnessed"
    """A row of evidence is not as any event tells: it was written or changed by hand."""
    GONE = "gone"
    """An event tells of evidence that the database doesn't hold any more."""
    UNPROTECTED = "unprotected"
    """A trigger or constraint that protects evidence is gone, disabled or changed."""


ABOUT_HEADS = frozenset(
    {
        ProblemKind.CUT_OFF,
        ProblemKind.REWRITTEN,
        ProblemKind.HEADS_MISSING,
        ProblemKind.HEADS_SHORTENED,
        ProblemKind.HEADS_FOREIGN,
        ProblemKind.MARK,
        ProblemKind.UNSEALED,
    }
)
"""What a person may have brought about: by moving a file, copying a database, restoring a backup, or by
programs of an earlier version that still ran when the seals came."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """
    One thing that is wrong.

    Attributes:
        kind: What.
        seq: Number of the first event that it concerns; 0 for the trail as a whole.
        text: A sentence for display.
    """

    kind: ProblemKind
    seq: int
    text: str
