"""Verdicts: what the stores said when they were asked what they still hold of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gdpr.states import RequestState


@dataclass(frozen=True, kw_only=True)
class EntryResidue:
    """
    What one entry still holds.

    Attributes:
        entry: Its id.
        store: Alias of its store.
        residue: What an erasure should have removed and didn't.
        kept: What stays on a legal ground.
        until: Until when that stays, where a term says it.
        newer: What has a key of the person that somebody else may have by now, and came after the fence.
    """

    entry: str
    store: str
    residue: int
    kept: int
    newer: int = 0
    until: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """
    What all stores said.

    Attributes:
        readings: One for each entry, in the order of the map.
        servers: Which servers answered, by alias.
        at: When the last one had answered.
    """

    readings: Sequence[EntryResidue]
    servers: dict[str, str]
    at: datetime

    @cached_property
    def residue(self) -> int:
        """Everything that is left and shouldn't be."""
        return sum(reading.residue for reading in self.readings)

    @cached_property
    def kept(self) -> int:
        """Everything that stays on a legal ground."""
        return sum(reading.kept for reading in self.readings)

    @cached_property
    def newer(self) -> int:
        """Everything of which a person has to say whose it is."""
        return sum(reading.newer for reading in self.readings)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left, and nothing to be asked about."""
        return not self.residue and not self.newer

    @property
    def doubtful(self) -> Sequence[str]:
        """Ids of the entries that hold something of which a person has to say whose it is."""
        return [reading.entry for reading in self.readings if reading.newer]

    @property
    def leftovers(self) -> Sequence[str]:
        """Ids of the entries that hold something that they shouldn't."""
        return [reading.entry for reading in self.readings if reading.residue]

    @property
    def counters(self) -> dict[str, int]:
        """The numbers that the audit trail keeps."""
        return {"residue": self.residue, "retained": self.kept, "entries": len(self.readings)}

    @property
    def target(self) -> RequestState:
        """What it makes of a request when nothing is left."""
        return RequestState.COMPLETED_WITH_RETENTION if self.kept else RequestState.COMPLETED


Verdicts = Mapping[int, Verdict]
"""By request."""
