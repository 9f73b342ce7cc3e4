"""What would be dropped together with what it holds: told with numbers before anything is undone."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from accord.seam.types import Direction, Shown, Step, StepKey
from accord.words import counted


class Held(enum.StrEnum):
    """What a thing holds that goes with it."""

    ROWS = "rows"
    VALUES = "values"
    """Values of a column that aren't NULL."""
    DOCUMENTS = "documents"


LOOK_SECONDS = 5.0
"""How long one count may take; after that the server's own estimate has to do."""


@dataclass(frozen=True)
class HowMany:
    """
    A number of rows or documents.

    Attributes:
        number: How many; None where nobody could count them.
        is_estimate: Whether it is what the server remembers, because counting took too long.
    """

    number: int | None
    is_estimate: bool = False


@dataclass(frozen=True, kw_only=True)
class Loss:
    """
    One thing that a step would drop.

    Attributes:
        key: The step.
        what: The thing, such as `table shop_order` or `collection plays`.
        held: What it holds.
        count: How many.
    """

    key: StepKey
    what: str
    held: Held
    count: HowMany

    @property
    def may_hold_data(self) -> bool:
        """Return whether anything may go with it; what nobody could count may."""
        return self.count.number != 0 or self.count.is_estimate

    @property
    def words(self) -> str:
        """Return the thing and what it holds, for people."""
        if self.count.number is None:
            return f"{self.what}: its {self.held} could not be counted"
        about = "about " if self.count.is_estimate else ""
        return f"{self.what}: {about}{counted(self.count.number, self.held.removesuffix('s'))}"


@runtime_checkable
class CountsLosses(Protocol):
    """A class of stores that can count what steps would drop."""

    def losses(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Loss]:
        """
        Yield what steps would drop with what it holds now. Nothing is changed.

        What was found there or adopted is not dropped by a revert, and isn't counted.

        Args:
            steps: The steps in their order.
            direction: Which way they would go.
            shown: What :class:`accord.seam.stores.Explains` gave of these steps, where the caller has it.
        """
        ...
