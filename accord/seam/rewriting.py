"""Which steps a store carries out in another way than its migrations say, so that nobody waits for them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from accord.seam.types import StepKey


class Extent(enum.StrEnum):
    """Which tables are so large that what would lock them for long is sent in parts."""

    LARGE = "large"
    """Those whose rows take :data:`LARGE_BYTES` or more."""
    EVERY = "every"
    """All that stand before the step."""
    OFF = "off"
    """None."""


LARGE_BYTES = 8 * 1024 * 1024
"""Size of a table, without its indexes, from which on it is large; a smaller one is read in no time."""


@dataclass(frozen=True, kw_only=True)
class Rewriting:
    """
    How far a store may go.

    Attributes:
        extent: Of which tables.
        plainly: Steps that are sent as their migrations say all the same, each with the reason.
    """

    extent: Extent = Extent.LARGE
    plainly: Mapping[StepKey, str] = field(default_factory=dict)

    def extent_for(self, key: StepKey) -> Extent:
        """Return of which tables a step may be sent in parts."""
        return Extent.OFF if key in self.plainly else self.extent


@runtime_checkable
class Rewrites(Protocol):
    """A store that can send a step in parts, none of which keeps others waiting for long."""

    def settle(self, rewriting: Rewriting) -> None:
        """Take note of how far it may go from now on. No server is asked."""
        ...


AS_EVER = Rewriting()
"""What holds until somebody says otherwise."""
PLAIN = Rewriting(extent=Extent.OFF)
"""Nothing is sent in parts."""
