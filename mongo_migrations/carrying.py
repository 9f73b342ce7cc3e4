"""The part of the store that exports and imports; only then it loads what it needs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from accord.errors import UnknownTarget, UsageError
from accord.revisions.store import RevisionStore
from accord.seam.bulk import FileFormat, Holder, Reading, Selection, Target, Writing
from accord.seam.undeclared import OWN
from mongo_migrations.operations.base import Operation
from mongo_migrations.schema import read_collection

if TYPE_CHECKING:
    from pymongo.database import Database

_FORMATS = (FileFormat.BSON, FileFormat.EJSON, FileFormat.JSONL)


class Carries(RevisionStore[Operation]):
    """A database whose documents go into files and back. See :mod:`accord.seam.bulk`."""

    _ledger_name: str

    @abstractmethod
    def database(self) -> Database[dict[str, Any]]:
        """Return the database."""

    def formats(self) -> Collection[FileFormat]:
        """Name the formats, that of the server first."""
        return _FORMATS

    def exportable(self, name: str) -> Holder:
        """Find a collection."""
        self._refuse_own(name)
        with self.translated():
            live = read_collection(self.database(), name)
        if live is None:
            raise UnknownTarget(
                f"“{self.alias}” has no collection {name}.",
                hint="Name one that is there, as it is spelled there.",
            )
        if live.options.get("viewOn"):
            raise UsageError(f"{name} is a view.", hint=f"Name what it shows: {live.options['viewOn']}.")
        return Holder(name=name, key=("_id",))

    def importable(self, name: str) -> Holder:
        """Find a collection; one that isn't there is no place to import to, for its validator is missing."""
        return self.exportable(name)

    @contextmanager
    def reading(self, selection: Selection, form: FileFormat) -> Iterator[Reading]:
        """Open a collection, as it is at this moment."""
        from mongo_migrations.bulk.reading import reading

        with self.translated(), reading(self.database(), selection, form) as opened:
            yield opened

    @contextmanager
    def writing(self, target: Target, import_id: str) -> Iterator[Writing]:
        """Open a collection, and the position of an import."""
        from mongo_migrations.bulk.writing import writing

        with self.translated(), writing(self.database(), target, import_id) as opened:
            yield opened

    def _refuse_own(self, name: str) -> None:
        if name == self._ledger_name or name.startswith((*OWN, "system.")):
            raise UsageError(
                f"{name} is a collection of the suite's own, or of the server's.",
                hint="A backup of the database has it.",
            )
