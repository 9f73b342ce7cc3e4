"""What stands in a store and no step declares: whole tables, collections and indexes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from accord.seam.types import Step

OWN = ("accord_", "accord-")
"""What the names of the suite's own tables, collections and indexes begin with."""


@dataclass(frozen=True, kw_only=True)
class Undeclared:
    """
    One thing.

    Attributes:
        what: What it is, for people: a table, a collection, an index.
        name: Its name in the store.
        of: Table or collection of an index; empty for what stands alone.
    """

    what: str
    name: str
    of: str = ""

    @property
    def thing(self) -> str:
        """What patterns that ignore it are held against."""
        return f"{self.of}.{self.name}" if self.of else self.name

    @property
    def text(self) -> str:
        """The same in a sentence."""
        place = f" of {self.of}" if self.of else ""
        return f"The {self.what} {self.name}{place} is there, and no step declares it."


@runtime_checkable
class TellsUndeclared(Protocol):
    """A store that can name what stands in it and none of its steps declares."""

    @property
    def product(self) -> str:
        """Which product it is: stores of one product may share a database, and so the names in it."""
        ...

    def taken(self) -> Collection[str]:
        """Return names that it takes without a step: its ledger's, and those in code. No server is asked."""
        ...

    def undeclared(self, steps: Sequence[Step]) -> Iterator[Undeclared]:
        """
        Name what stands, and neither these steps declare nor the server or an extension of it made.

        Args:
            steps: All steps of the store that are applied, or begun, in order.

        Raises:
            StoreUnavailable: The server can't be reached.
        """
        ...
