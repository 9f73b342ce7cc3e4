"""
The walk over a table along its primary key: where batches end, and which rows are in one.

Only text is made here. A place of the walk is a key, each of its columns as the text that the server gives
it; it may be kept, and compared again later by the server alone, in the order of the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.operations.sql import EVERY, Sql, both, joined, names, put

Place = tuple[str, ...]
"""A key, as texts."""


@dataclass(frozen=True)
class Rows:
    """
    The rows between two places.

    Attributes:
        after: None from the beginning; the row of this key isn't among them.
        until: None to the end; the row of this key is.
    """

    after: Place | None = None
    until: Place | None = None


@dataclass(frozen=True, kw_only=True)
class Walk:
    """
    A table, along its primary key.

    Attributes:
        table: Quoted.
        keys: Quoted columns of the key, in its order.
        types: Their types, as a cast has them.
    """

    table: str
    keys: tuple[str, ...]
    types: tuple[str, ...]

    def among(self, rows: Rows) -> Sql:
        """Return the condition of rows between two places."""
        after = EVERY if rows.after is None else self._compared(">", rows.after)
        until = EVERY if rows.until is None else self._compared("<=", rows.until)
        return both(after, until)

    def at(self, place: Place) -> Sql:
        """Return the condition of the row of a key."""
        return self._compared("=", place)

    def _compared(self, sign: str, place: Place) -> Sql:
        casts = (Sql(f"CAST(%s AS {kind})", (text,)) for text, kind in zip(place, self.types, strict=True))
        return put(f"({{}}) {sign} ({{}})", names(self.keys), joined(", ", casts))

    def places(self, where: Sql, limit: int) -> Sql:
        """Return the query for the first places of rows that fulfil a condition."""
        query = put("SELECT {} FROM {} WHERE {} ORDER BY {}", *self._of(where))
        return put("{} LIMIT {}", query, Sql(str(limit)))

    def nth(self, number: int, where: Sql, *, backwards: bool = False) -> Sql:
        """Return the query for the place of one row, counted from 0, among those of a condition."""
        order = self._falling if backwards else names(self.keys)
        query = put("SELECT {} FROM {} WHERE {} ORDER BY {}", *self._of(where)[:3], order)
        return put("{} LIMIT 1 OFFSET {}", query, Sql(str(number)))

    def last(self) -> Sql:
        """Return the query for the last place of all."""
        return self.nth(0, EVERY, backwards=True)

    @property
    def _falling(self) -> Sql:
        return names([f"{key} DESC" for key in self.keys])

    def _of(self, where: Sql) -> Sequence[Sql]:
        # A column that is cast keeps its name, and ORDER BY would sort by that text.
        texts = names([f"CAST({key} AS text) AS accord_key_{n}" for n, key in enumerate(self.keys)])
        return texts, Sql.written(self.table), where, names(self.keys)
