"""
The contract of an operation: one instruction of a revision, a frozen value with verbs.

What it sends is data. A store renders the same data for display, so that applying, explaining, a dry run
and the digest come from one text. Every verb that writes may be repeated: the process may die between any
two lines.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from accord.revisions.entry import Facts
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Statement

C = TypeVar("C")
"""What the operations of a store work with."""


class Operation(ABC, Generic[C]):
    """One instruction of a revision."""

    needs_transactions = False
    """Does it only work where the server has transactions?"""
    needs_saved = False
    """Does undoing put back what the ledger kept, so that a step that was only recorded can't be undone?"""

    @property
    def irreversible(self) -> str:
        """Why it can't be undone; empty when it can."""
        return ""

    @property
    def title(self) -> str:
        """What it is, in a few words; also how the ledger knows it again."""
        return type(self).__name__

    def capture(self, context: C) -> Facts:
        """
        Read what stands before the operation first acts, and return what undoing needs.

        Raises:
            ConflictingState: What it would make exists with another definition.
        """
        return {}

    @abstractmethod
    def apply(self, context: C) -> int:
        """
        Bring the effect about, from nothing, from a part of it, or from all of it.

        Returns:
            How many documents or objects it changed and has not counted in the ledger itself.

        Raises:
            ConflictingState: What it would make is there, and different.
        """

    @abstractmethod
    def revert(self, context: C) -> int:
        """Undo the effect, whole or in part; return a number as :meth:`apply` does."""

    holder = ""
    """What it drops is called, such as “collection”; empty where it drops nothing that holds documents."""

    def drops(self, saved: Facts, place: Any, direction: Direction) -> Sequence[str]:
        """
        Return the names of what it would drop together with documents.

        Args:
            saved: What it put away, which tells what it made and what it found.
            place: What it reads names by, if the store has such a thing.
            direction: Which way.
        """
        return ()

    def renames(self, direction: Direction) -> tuple[str, str] | None:
        """Return the name before and after, if it renames what holds documents."""
        return None

    def left_something(self, context: C, *, begun: bool) -> bool:
        """
        Check whether something of it may stand that it made, though it was never recorded as done.

        Asked before a begun step is undone, and after the operation was refused: where nothing stands, it
        counts as never begun. What can't be looked at may stand.

        Args:
            context: What it would act with.
            begun: The ledger says that it began.
        """
        return begun

    @property
    def looks_at(self) -> frozenset[str]:
        """Objects that :meth:`foretell` looks at: where an earlier step makes one, nobody can look yet."""
        return frozenset()

    def touches(self, context: C) -> Collection[str] | None:
        """Return what it makes or changes, in the words of :attr:`looks_at`; None for anything."""
        return None

    def foretell(self, context: C, direction: Direction) -> Iterator[Foretold]:
        """
        Look at the server for what would refuse or burden it. Nothing is changed there.

        Raises:
            ConflictingState, StepFailed: It would be refused, for this reason.
        """
        yield from ()


def digest(statements: Iterable[Statement]) -> str:
    """Hash what an operation would send, to notice that a half applied revision was edited."""
    text = "\n".join(statement.text for statement in statements)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def irreversible(operations: Iterable[Operation[Any]]) -> str:
    """Return why a revision of these operations can't be undone; empty when it can."""
    return next((operation.irreversible for operation in operations if operation.irreversible), "")
