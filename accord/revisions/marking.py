"""The marks of a store of revisions lie with its ledger; an adapter may have them, and need not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any, Protocol

from accord.seam import marks
from accord.seam.types import Lease


class MarkedLedger(Protocol):
    """A ledger that keeps marks about its store."""

    def mark(self, name: str) -> marks.Kept | None:
        """Read a mark as it is kept. Nothing is created."""
        ...

    def write_mark(self, name: str, value: str, lease: Lease, *, expected: str | None) -> None:
        """Write a mark. See :class:`accord.seam.marks.KeepsMarks`."""
        ...


class KeepsMarksInLedger(ABC):
    """The part of a store of revisions that keeps marks."""

    alias: str

    @abstractmethod
    def connected_ledger(self) -> MarkedLedger:
        """Return the ledger. See :class:`accord.revisions.store.RevisionStore`."""

    @abstractmethod
    def glance(self) -> AbstractContextManager[Any]:
        """Open the ledger for one question. See :class:`accord.revisions.store.RevisionStore`."""

    @abstractmethod
    def translated(self) -> AbstractContextManager[None]:
        """Translate what the driver raises into errors of the suite."""

    def takes_marks(self) -> bool:
        """Return that it does. See :class:`accord.seam.marks.KeepsMarks`."""
        return True

    def read_mark(self, name: str) -> str | None:
        """Read a mark. See :class:`accord.seam.marks.KeepsMarks`."""
        with self.translated(), self.glance() as ledger:
            kept: marks.Kept | None = ledger.mark(name)
        return marks.value_of(self.alias, name, kept)

    def write_mark(self, name: str, value: str, lease: Lease, *, expected: str | None) -> None:
        """Write a mark. See :class:`accord.seam.marks.KeepsMarks`."""
        lease.check()
        with self.translated():
            self.connected_ledger().write_mark(name, value, lease, expected=expected)
