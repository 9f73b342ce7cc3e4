"""Steps of an earlier day, of which no file is left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from accord.seam.types import Step, StepKey


@runtime_checkable
class KeepsTexts(Protocol):
    """A store whose ledger keeps the text of each step, so that an earlier one needs no file."""

    def with_past(self, declared: Collection[StepKey]) -> Sequence[Step]:
        """
        Return the steps, those that the ledger keeps among them. Asked after both were read.

        Args:
            declared: Keys of all that files of any store declare, or stand for.
        """
        ...
