"""The ledger of a store of revisions: the one thing that the machine asks of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from accord.errors import StaleFence
from accord.revisions.entry import StepEntry
from accord.seam.types import Lease, StepKey

Work = Callable[[StepEntry, Any], StepEntry]
"""
Something done together with a ledger write.

It is called with the entry and the store's own transaction (None where there is none), again if the
server asks for a retry, and returns the entry to write.
"""


def nothing_else(entry: StepEntry, _: Any) -> StepEntry:
    """Return the entry as it is: no work beside the write."""
    return entry


class RevisionLedger(Protocol):
    """
    One entry for each step, beside the data, and the highest fencing token seen.

    Every write carries the lease's token, and is refused once the ledger has seen a later one.
    """

    @property
    def transactional(self) -> bool:
        """Return whether work and its ledger write can be one transaction."""
        ...

    def entries(self) -> Iterable[StepEntry]:
        """Read every entry; what operations put away may be left out. Nothing is created."""
        ...

    def entry(self, key: StepKey, lease: Lease) -> StepEntry | None:
        """
        Read what is recorded of a step.

        Raises:
            StaleFence: The ledger has seen a later token than the lease's.
        """
        ...

    def commit(self, entry: StepEntry, lease: Lease, work: Work = nothing_else) -> StepEntry:
        """
        Do some work and write the entry that it makes of this one: both or neither.

        Without transactions the work comes first, so it must bear being repeated. The write of an
        applied step carries the time: the server's own, where it reports one.

        Returns:
            The entry as it was written.

        Raises:
            StaleFence: The ledger has seen a later token. Nothing was changed.
            LeaseLost: The lease was lost. Nothing was changed.
        """
        ...

    def strike(self, key: StepKey, lease: Lease) -> None:
        """
        Remove the entry of a step.

        Raises:
            StaleFence: The ledger has seen a later token. Nothing was changed.
        """
        ...


def overtaken(store: str, lease: Lease) -> StaleFence:
    """Return the error for a holder that was overtaken before it took the ledger out."""
    return StaleFence(
        f"The ledger of “{store}” has seen a later run than {lease.run_id or lease.owner}; nothing of it was "
        "taken out.",
        hint="Another run took over. Let it end, then look with showmigrations_all.",
    )


def stale(key: StepKey, lease: Lease) -> StaleFence:
    """Return the error for a holder that was overtaken."""
    return StaleFence(
        f"The ledger of “{key.store}” has seen a later run than {lease.run_id or lease.owner}; "
        f"{key} was not written.",
        hint="Another run took over. Let it end, then look with showmigrations_all.",
    )
