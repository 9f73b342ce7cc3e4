"""The part of a database's store that is asked when the suite goes; only then it loads what it needs."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import connections

from accord.events import silent
from accord.seam.traces import Trace
from accord.seam.types import Lease
from migrator.relational import failures
from migrator.relational.loader import DiskLoader
from migrator.relational.taking import takes_part

if TYPE_CHECKING:
    from migrator.relational.leaving import Leaving
    from migrator.relational.ledger import Ledger


class Leaves(ABC):
    """A database that knows what the suite keeps in it."""

    alias: str
    _disk: DiskLoader | None
    _ledger: Ledger

    def traces(self) -> Sequence[Trace]:
        """Look what the suite keeps here. See :class:`accord.seam.traces.LeavesTraces`."""
        with failures.translated_leaving(self.alias):
            return list(self._leaving().traces()) if takes_part(self.alias) else ()

    def take_out(self, lease: Lease, *, evidence: bool) -> None:
        """Take it out. See :class:`accord.seam.traces.LeavesTraces`."""
        lease.check()
        with failures.translated_leaving(self.alias):
            if takes_part(self.alias):
                self._patiently(lease, evidence=evidence)

    def _patiently(self, lease: Lease, *, evidence: bool) -> None:
        """Wait for locks briefly: a table that refers to auth_user locks it as it goes."""
        from migrator.relational.locking import tries_on, usual_patience

        connection = connections[self.alias]
        what = f"Taking Accord out of “{self.alias}”"
        tries = tries_on(connection, what, usual_patience(connection), lease, silent)
        tries.through(
            lambda seconds: self._leaving().take_out(self._ledger, lease, evidence=evidence, seconds=seconds)
        )

    def _leaving(self) -> Leaving:
        from migrator.relational.leaving import Leaving

        return Leaving(self.alias, self._disk or DiskLoader())
