"""
How far a walk over a table is: kept in the database of the rows, written in the transaction of each batch.

One boundary is all there is. Rows up to it are done; on the way forward it rises, on the way back it falls.
So a run that was killed, turned round and turned round again has written each row as often as it should.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from django.db import transaction
from django.db.models.functions import Now

from migrator.operations.walking import Place
from migrator.relational.entries import BackfillRow
from migrator.relational.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class Position:
    """
    How far a walk is.

    Attributes:
        at: The last row that is done; None for none, and where `finished` says that all are.
        until: The row that was the last one when the walk began; None for an empty table.
        done: Rows that were gone through.
        finished: Nothing is left of it.
    """

    at: Place | None = None
    until: Place | None = None
    done: int = 0
    finished: bool = False


class Keeps(Protocol):
    """Where a position is kept."""

    def locked(self) -> Position:
        """Read it in a transaction, and keep others from it until that ends."""
        ...

    def write(self, position: Position) -> None:
        """Write it in that transaction."""
        ...


class InMemory:
    """Keeps the position of a walk that asks what is left: a rerun begins anew, and writes nothing twice."""

    def __init__(self, position: Position) -> None:
        self._position = position

    def locked(self) -> Position:
        """Return it."""
        return self._position

    def write(self, position: Position) -> None:
        """Keep it."""
        self._position = position


class Book:
    """
    Keeps a position in `accord_backfill` of the database.

    Args:
        alias: The database.
        app: Label of the app whose operation it is.
        what: The operation, for people who look into the table.
        identity: What tells the operation from any other, its migration included.
    """

    def __init__(self, alias: str, app: str, what: str, identity: str) -> None:
        self._alias = alias
        self._app = app
        self._what = what[:255]
        self.id = hashlib.sha256(f"{app}\0{identity}".encode()).hexdigest()

    def begin(self, last: Place | None) -> Position:
        """
        Return how far the way forward is, begun where it wasn't.

        Args:
            last: The last row that there is; None for an empty table.
        """
        self._ensure(Position(until=last))
        with transaction.atomic(using=self._alias):
            now = self.locked()
            if now.at is None and not now.finished:
                now = Position(until=last)
                self.write(now)
            return now

    def turn(self, last: Place | None) -> None:
        """Begin the way back, or go on with it; of what no row is kept of, everything counts as done."""
        self._ensure(Position(finished=True))
        with transaction.atomic(using=self._alias):
            now = self.locked()
            if now.finished:
                self.write(replace(now, at=now.at or last, until=now.until or last, finished=False))

    def found(self) -> Position | None:
        """Read it as it stands; None where nothing is known."""
        Ledger(self._alias).make(BackfillRow)
        row = self._rows.first()
        return None if row is None else _position(row)

    def keep(self, name: str, days: int) -> None:
        """Note where the values of before are, and for how long; an empty name that there are none."""
        until = Now() + timedelta(days=days) if name else None
        self._rows.update(kept=name, kept_until=until)

    def locked(self) -> Position:
        """Read it, under a lock."""
        return _position(self._rows.select_for_update().get())

    def write(self, position: Position) -> None:
        """Write it."""
        self._rows.update(**_values(position), written_at=Now())

    def _ensure(self, first: Position) -> None:
        """Make table and row, once; ten processes may do so at the same time."""
        Ledger(self._alias).make(BackfillRow)
        values = {**_values(first), "app": self._app, "what": self._what, "written_at": Now()}
        every = BackfillRow._default_manager.using(self._alias)
        every.bulk_create([BackfillRow(id=self.id, **values)], ignore_conflicts=True)

    @property
    def _rows(self) -> Any:
        return BackfillRow._default_manager.using(self._alias).filter(pk=self.id)


def _position(row: BackfillRow) -> Position:
    at, until = (None if place is None else tuple(place) for place in (row.at, row.until))
    return Position(at=at, until=until, done=row.done, finished=row.finished)


def _values(position: Position) -> dict[str, Any]:
    at, until = (None if place is None else list(place) for place in (position.at, position.until))
    return {"at": at, "until": until, "done": position.done, "finished": position.finished}
