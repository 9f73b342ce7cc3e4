"""What the suite keeps beside an Alembic history, and taking it out: Alembic's own table stays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from accord.revisions.ledger import overtaken
from accord.seam.traces import Trace
from accord.seam.types import Lease
from migrator.alembic.database import Database
from migrator.alembic.ledger import Ask, Tables, lock

if TYPE_CHECKING:
    from migrator.alembic.environment import HistoryEnvironment


class Leaves(ABC):
    """The part of the store that is asked when the suite goes."""

    alias: str
    _database: Database | None
    _tables: Tables

    @property
    @abstractmethod
    def _environment(self) -> HistoryEnvironment: ...

    def traces(self) -> Sequence[Trace]:
        """Look for our tables. See :class:`accord.seam.traces.LeavesTraces`."""
        found: list[Trace] = []
        self._told(lambda ask: found.extend(_traces(ask, self._tables)))
        return found

    def take_out(self, lease: Lease, *, evidence: bool) -> None:
        """Take out our rows, and tables that are empty then. See :class:`accord.seam.traces.LeavesTraces`."""
        lease.check()

        def act(ask: Ask) -> None:
            lock(ask, self._tables)
            if _highest_fence(ask, self._tables) > lease.fence:
                raise overtaken(self.alias, lease)
            for table in _standing(ask, self._tables):
                _empty(ask, self._tables, table)

        self._told(act)

    def _told(self, act: Callable[[Ask], None]) -> None:
        """Do something in a transaction, directly where the URL is known, else by way of env.py."""
        from migrator.alembic import forgetting

        if self._database:
            with self._database.asking() as ask, forgetting.in_transaction(ask):
                act(ask)
        else:
            self._environment.run(forgetting.Forgetting(act=act, tables=self._tables), looks_only=True)


def _traces(ask: Ask, tables: Tables) -> Sequence[Trace]:
    found = [(table, _rows(ask, tables, table)) for table in _standing(ask, tables)]
    return [
        Trace(what=f"table {table}", number=number, unit="row")
        for table, number in found
        if number or _is_empty(ask, table)
    ]


def _standing(ask: Ask, tables: Tables) -> Sequence[str]:
    """Return those of our tables that are there."""
    named = (tables.entries, tables.marks, tables.fences)
    return [name for name in named if ask("SELECT to_regclass(:name) IS NOT NULL", {"name": name})[0][0]]


def _rows(ask: Ask, tables: Tables, table: str) -> int:
    ((number,),) = ask(
        f"SELECT count(*) FROM {table} WHERE version_table = :name",  # noqa: S608 - our own names
        {"name": tables.version_table},
    )
    return int(number)


def _highest_fence(ask: Ask, tables: Tables) -> int:
    if tables.fences not in _standing(ask, tables):
        return 0
    rows = ask(
        f"SELECT fence FROM {tables.fences} WHERE version_table = :name",  # noqa: S608 - as above
        {"name": tables.version_table},
    )
    return int(rows[0][0]) if rows else 0


def _empty(ask: Ask, tables: Tables, table: str) -> None:
    """Delete the rows of this history; another one in the same schema may have its rows there."""
    ask(f"DELETE FROM {table} WHERE version_table = :name", {"name": tables.version_table})  # noqa: S608 - as above
    if _is_empty(ask, table):
        ask(f"DROP TABLE {table}", {})


def _is_empty(ask: Ask, table: str) -> bool:
    ((empty,),) = ask(f"SELECT NOT EXISTS (SELECT FROM {table})", {})  # noqa: S608 - as above
    return bool(empty)
