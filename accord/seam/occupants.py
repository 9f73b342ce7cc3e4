"""Who has the tables of a plan open for long, named before a run waits for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class NamesOccupants(Protocol):
    """A store that can tell whom steps will have to wait for."""

    def occupants(self, tables: Collection[str]) -> Sequence[str]:
        """
        Name the transactions that have been open for long on tables; one sentence each.

        Args:
            tables: What steps of this store are about that are about to be taken; some may not be there.

        Returns:
            Nothing personal; empty also where the server doesn't let us see.

        Raises:
            StoreUnavailable: The store can't be reached.
        """
        ...
