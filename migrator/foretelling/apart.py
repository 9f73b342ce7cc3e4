"""A statement that is sent in a transaction of its own, as a part of an operation."""

from __future__ import annotations

from dataclasses import dataclass

from accord.seam.types import Statement


@dataclass(frozen=True)
class Apart(Statement):
    """
    A statement of a part.

    Attributes:
        sure: Its names come and go with its step, and no row could refuse it: nothing is asked about it.
    """

    sure: bool = False


def is_sure(statement: Statement) -> bool:
    """Return whether nothing has to be asked about a statement."""
    return isinstance(statement, Apart) and statement.sure
