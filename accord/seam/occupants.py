"""Who has the tables of a plan open for long, named before a run waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from accord.seam.types import Step


@runtime_checkable
class NamesOccupants(Protocol):
    """A store that can tell whom steps will have to wait for."""

    def occupants(self, steps: Sequence[Step]) -> Sequence[str]:
        """
        Name the transactions that have been open for long on what steps change; one sentence each.

        Args:
            steps: Steps of this store that are about to be taken.

        Returns:
            Nothing personal; empty also where the server doesn't let us see.

        Raises:
            StoreUnavailable: The store can't be reached.
        """
        ...
