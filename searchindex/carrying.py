"""The part of the store that exports and imports; only then it loads what it needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from accord.errors import UnknownTarget, UsageError
from accord.seam.bulk import FileFormat, Holder, Reading, Selection, Target, Writing
from searchindex.names import Names
from searchindex.transport import Transport, at

if TYPE_CHECKING:
    from searchindex.engines.base import Engine
    from searchindex.ledger import Ledger

_FORMATS = (FileFormat.NDJSON, FileFormat.JSONL)


class Carries(ABC):
    """A server whose documents go into files and back. See :mod:`accord.seam.bulk`."""

    alias: str
    names: Names
    transport: Transport
    ledger: Ledger

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """Return what answers there."""

    def formats(self) -> Collection[FileFormat]:
        """Name the formats, that of the server first."""
        return _FORMATS

    def exportable(self, name: str) -> Holder:
        """Find an index by the alias that applications use, without the prefix."""
        self._physical(name)
        return Holder(name=name, key=("_id",))

    def importable(self, name: str) -> Holder:
        """Find an index; one that isn't there is no place to import to, for its mapping is missing."""
        return self.exportable(name)

    @contextmanager
    def reading(self, selection: Selection, form: FileFormat) -> Iterator[Reading]:
        """Open an index, as it is at this moment."""
        from searchindex.bulk.reading import IndexReading

        index = self._physical(selection.holder.name)
        yield IndexReading(self.transport, self.engine, index, selection, form)

    @contextmanager
    def writing(self, target: Target, import_id: str) -> Iterator[Writing]:
        """Open an index, and the position of an import."""
        from searchindex.bulk.positions import Positions
        from searchindex.bulk.writing import IndexWriting

        index = self._physical(target.holder.name)
        positions = Positions(self.transport, self.names.imports(), import_id, target.holder.name)
        yield IndexWriting(self.transport, self.engine, index, positions, target, import_id)

    def _physical(self, name: str) -> str:
        """Return the one index behind a name; what keeps less than it was given can't be moved."""
        from searchindex.reindex.sources import not_kept

        full = self.names.alias(name)
        if full.startswith((self.names.alias("accord-"), self.ledger.name)):
            raise UsageError(f"{full} is of the suite's own.", hint="A snapshot of the cluster has it.")
        found = self.transport.find(at(full)) or {}
        if len(found) != 1:
            there = f"{len(found)} indexes are" if found else "nothing is"
            raise UnknownTarget(
                f"One index should be behind {full}; {there}.", hint="Name one index, without the prefix."
            )
        [(index, live)] = found.items()
        _refuse_spelled(full, index, live["aliases"], self.names.alias(""))
        missing = not_kept(live)
        if missing:
            raise UsageError(
                f"{index} keeps no whole documents: its `_source` does not hold {missing}.",
                hint="Move what it is made from.",
            )
        return str(index)


def _refuse_spelled(full: str, index: str, aliases: Collection[str], prefix: str) -> None:
    """Take the one name that the data map knows: no pattern, and not the index behind an alias."""
    known = sorted(alias for alias in aliases if alias.startswith(prefix)) or [index]
    if full not in known:
        raise UnknownTarget(
            f"Nothing is called {full}; {index} is meant by it.",
            hint=f"Name it as applications do: {known[0].removeprefix(prefix)}.",
        )
