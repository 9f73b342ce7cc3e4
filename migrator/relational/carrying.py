"""The part of a database's store that exports and imports; only then it loads what it needs."""

from __future__ import annotations

from abc import ABC
from collections.abc import Collection
from contextlib import AbstractContextManager

from accord.seam.bulk import FileFormat, Holder, Reading, Selection, Target, Writing


class Carries(ABC):
    """A database whose rows go into files and back. See :mod:`accord.seam.bulk`."""

    alias: str

    def formats(self) -> Collection[FileFormat]:
        """Name what COPY writes and reads."""
        return (FileFormat.CSV, FileFormat.JSONL)

    def exportable(self, name: str) -> Holder:
        """Find a table by its model or its name."""
        from migrator.relational.bulk.tables import table

        return table(self.alias, name)

    def importable(self, name: str) -> Holder:
        """Find a table by its model or its name."""
        return self.exportable(name)

    def reading(self, selection: Selection, form: FileFormat) -> AbstractContextManager[Reading]:
        """Open a table, as it is at this moment."""
        from migrator.relational.bulk.reading import reading

        return reading(self.alias, selection, form)

    def writing(self, target: Target, import_id: str) -> AbstractContextManager[Writing]:
        """Open a table, and the position of an import."""
        from migrator.relational.bulk.writing import writing

        return writing(self.alias, target, import_id)
