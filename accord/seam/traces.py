"""What the suite keeps in a store for itself, and taking that out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from accord.seam.types import Lease


@dataclass(frozen=True, kw_only=True)
class Trace:
    """
    Something that the suite keeps in a store for itself.

    Attributes:
        what: What it is, in the store's own words: `table accord_ledger`.
        number: How many of its parts there are.
        unit: One of them: `row`.
        evidence: True where it is evidence of who did what, or what holds evidence together.
    """

    what: str
    number: int
    unit: str
    evidence: bool = False


@runtime_checkable
class LeavesTraces(Protocol):
    """A store that knows what the suite keeps in it, and can take that out. What steps made is no trace."""

    def traces(self) -> Sequence[Trace]:
        """
        Look what is there. Nothing is created.

        Raises:
            StoreUnavailable: The store can't be reached.
        """
        ...

    def take_out(self, lease: Lease, *, evidence: bool) -> None:
        """
        Take it out. Idempotent, also after a kill at any point.

        Args:
            lease: The right to write.
            evidence: Take the evidence, too; otherwise it stays, with all that it needs.

        Raises:
            StaleFence: The store has seen a later fencing token. Nothing was changed.
            StoreUnavailable: The store can't be reached.
        """
        ...
