"""The marks of an Alembic history: a row each, in a table beside our ledger's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from accord.seam import marks
from accord.seam.types import Lease
from migrator.alembic import ledger
from migrator.alembic.ledger import Ask, Tables

_Answer = TypeVar("_Answer")


class Marks(ABC):
    """The part of the store that keeps marks."""

    alias: str
    _tables: Tables

    @abstractmethod
    def _ask_once(self, question: Callable[[Ask], _Answer]) -> _Answer: ...

    @abstractmethod
    def _told(self, act: Callable[[Ask], None]) -> None: ...

    def takes_marks(self) -> bool:
        """Return that it does. See :class:`accord.seam.marks.KeepsMarks`."""
        return True

    def read_mark(self, name: str) -> str | None:
        """Read a mark. See :class:`accord.seam.marks.KeepsMarks`."""
        kept = self._ask_once(partial(_kept, tables=self._tables, name=name))
        return marks.value_of(self.alias, name, kept)

    def write_mark(self, name: str, value: str, lease: Lease, *, expected: str | None) -> None:
        """Write a mark. See :class:`accord.seam.marks.KeepsMarks`."""
        lease.check()

        def act(ask: Ask) -> None:
            # Holds the lock of this history until the transaction ends: what is compared stays so.
            ledger.claim(ask, self._tables, lease)
            found = marks.value_of(self.alias, name, _kept(ask, self._tables, name))
            if found not in (value, expected):
                raise marks.changed(self.alias, name)
            _write(ask, self._tables, name, value, lease)

        self._told(act)


def _kept(ask: Ask, tables: Tables, name: str) -> marks.Kept | None:
    ((there,),) = ask("SELECT to_regclass(:marks) IS NOT NULL", {"marks": tables.marks})
    if not there:
        return None
    own = "version_table = :version_table AND name = :name"
    rows = ask(
        f"SELECT form, value FROM {tables.marks} WHERE {own}",  # noqa: S608 - our own names
        {"version_table": tables.version_table, "name": name},
    )
    return marks.Kept(*rows[0]) if rows else None


def _write(ask: Ask, tables: Tables, name: str, value: str, lease: Lease) -> None:
    ask(
        f"CREATE TABLE IF NOT EXISTS {tables.marks} (version_table text NOT NULL, name text NOT NULL,"
        " form integer NOT NULL, value text NOT NULL, fence bigint NOT NULL,"
        " PRIMARY KEY (version_table, name))",
        {},
    )
    values = {"form": marks.FORM, "value": value, "fence": lease.fence}
    changed = ", ".join(f"{column} = excluded.{column}" for column in values)
    ask(
        f"INSERT INTO {tables.marks} (version_table, name, form, value, fence)"  # noqa: S608 - as above
        f" VALUES (:version_table, :name, :form, :value, :fence)"
        f" ON CONFLICT (version_table, name) DO UPDATE SET {changed}",
        {"version_table": tables.version_table, "name": name, **values},
    )
