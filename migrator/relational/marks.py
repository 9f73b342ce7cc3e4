"""The marks of a database of Django's settings: a row each, in a table beside the ledger's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connections, models

from accord import db
from accord.seam import marks
from accord.seam.types import Lease
from migrator.relational import failures
from migrator.relational.entries import MarkRow
from migrator.relational.taking import takes_part
from migrator.relational.vendors import vendor_of_engine

if TYPE_CHECKING:
    from migrator.relational.ledger import Ledger

_TABLE = MarkRow._meta.db_table
_FIELDS = ("id", "form", "value")


class Marks(ABC):
    """The part of a database's store that keeps marks."""

    alias: str
    _ledger: Ledger

    @abstractmethod
    def _apps(self) -> Sequence[str]: ...

    def takes_marks(self) -> bool:
        """Return whether the database is migrated at all. See :class:`accord.seam.marks.KeepsMarks`."""
        return bool(self._apps())

    def read_mark(self, name: str) -> str | None:
        """Read a mark. See :class:`accord.seam.marks.KeepsMarks`."""
        if not takes_part(self.alias):
            return None
        with failures.translated(self.alias):
            return self._value(name, self._kept())

    def write_mark(self, name: str, value: str, lease: Lease, *, expected: str | None) -> None:
        """Write a mark. See :class:`accord.seam.marks.KeepsMarks`."""
        lease.check()
        with failures.translated(self.alias):
            db.revive(self.alias)
            self._ledger.ensure()
            self._ledger.make(MarkRow)
            with self._ledger.transaction():
                self._ledger.claim(lease)
                found = self._value(name, self._rows.values_list(*_FIELDS))
                if found != value and not self._swap(name, value, lease, expected):
                    raise marks.changed(self.alias, name)

    def _swap(self, name: str, value: str, lease: Lease, expected: str | None) -> bool:
        """Write by one statement that fits or doesn't: where no row can be locked, that compares."""
        values: dict[str, Any] = {"form": marks.FORM, "value": value, "fence": lease.fence}
        if expected is not None:
            same = self._rows.filter(pk=name, value=expected, fence__lte=lease.fence)
            return bool(same.update(**values))
        try:
            self._ledger.guarded(lambda: self._rows.create(id=name, **values))
        except IntegrityError:
            return False
        return True

    def _kept(self) -> Sequence[Any]:
        settings = connections.databases[self.alias]
        quickly = vendor_of_engine(settings["ENGINE"]).rows(settings, {_TABLE: _FIELDS})
        return self._ledger.rows(MarkRow, _FIELDS) if quickly is None else quickly[_TABLE]

    def _value(self, name: str, rows: Sequence[Any] | models.QuerySet[Any, Any]) -> str | None:
        kept = next((marks.Kept(form, value) for own, form, value in rows if own == name), None)
        return marks.value_of(self.alias, name, kept)

    @property
    def _rows(self) -> models.QuerySet[MarkRow]:
        return MarkRow._default_manager.using(self.alias)
