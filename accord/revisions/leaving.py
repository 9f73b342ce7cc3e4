"""Taking the ledger of a store of revisions out again; an adapter may have it, and need not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from accord.seam.traces import Trace
from accord.seam.types import Lease


class LeavingLedger(Protocol):
    """A ledger that knows what there is of itself."""

    def traces(self) -> Sequence[Trace]:
        """Look what there is of the ledger itself. Nothing is created."""
        ...

    def take_out(self, lease: Lease) -> None:
        """
        Take the ledger out. Idempotent.

        Raises:
            StaleFence: The ledger has seen a later token than the lease's. Nothing was changed.
        """
        ...


class LeavesLedger(ABC):
    """The part of a store of revisions that is asked when the suite goes; a ledger is no evidence."""

    @abstractmethod
    def connected_ledger(self) -> LeavingLedger:
        """Return the ledger. See :class:`accord.revisions.store.RevisionStore`."""

    @abstractmethod
    def translated(self) -> AbstractContextManager[None]:
        """Translate what the driver raises into errors of the suite."""

    def traces(self) -> Sequence[Trace]:
        """Look what the suite keeps there. See :class:`accord.seam.traces.LeavesTraces`."""
        with self.translated():
            return self.connected_ledger().traces()

    def take_out(self, lease: Lease, *, evidence: bool) -> None:
        """Take out the ledger. See :class:`accord.seam.traces.LeavesTraces`."""
        lease.check()
        with self.translated():
            self.connected_ledger().take_out(lease)
