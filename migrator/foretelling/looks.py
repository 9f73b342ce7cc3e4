"""Asking the live database: read-only, for a bounded time, and one question after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from accord.seam.foretelling import LOOK_SECONDS

Rows = Sequence[Sequence[Any]]

BUDGET_SECONDS = 30.0
"""How long all looks together may take; what is left after that is unknown."""
GUARDED = (
    # Whoever may not see every row is refused, and gets no number that is too small.
    "SET TRANSACTION READ ONLY; SET LOCAL row_security = off; "
    f"SET LOCAL statement_timeout = {int(LOOK_SECONDS * 1000)}; SET LOCAL lock_timeout = 1000"
)
"""What is sent before a question, in its transaction, which is rolled back."""

_TIMED_OUT = frozenset({"57014", "55P03"})
_NO_RIGHTS = "42501"


class Asks(Protocol):
    """A way to a database: one question in a transaction of its own that leaves nothing."""

    def __call__(self, sql: str, /) -> Rows:
        """
        Return the rows of a query; :data:`GUARDED` goes before it.

        Raises:
            Unasked: The server refused it.
        """
        ...


class Unasked(Exception):
    """
    A question that the server gave no rows for.

    Args:
        code: SQL's code of why.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def is_slow(self) -> bool:
        """Return whether it took too long, or waited for a lock."""
        return self.code in _TIMED_OUT

    @property
    def is_forbidden(self) -> bool:
        """Return whether the account may not see the table, or by row-level security not every row of it."""
        return self.code == _NO_RIGHTS

    @property
    def is_about_data(self) -> bool:
        """Return whether a value is what the server could not work with."""
        return self.code.startswith("22")


@dataclass(frozen=True, kw_only=True)
class Size:
    """
    How large a table is, as the catalog knows it.

    Attributes:
        rows: Estimated number of rows; None where nobody counted yet.
        bytes: Bytes with indexes and what is kept outside.
        is_empty: Surely no row.
    """

    rows: int | None
    bytes: int
    is_empty: bool


_RELATIONS = """
SELECT n.nspname, c.relname, c.relkind::text, pg_table_is_visible(c.oid), c.reltuples::bigint, {sizes},
       n.nspname = current_schema()
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'i', 'I', 'm', 'v', 'f', 'S')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
_SIZES = (
    "CASE WHEN c.relkind IN ('r', 'm') THEN pg_total_relation_size(c.oid) ELSE 0 END, "
    "c.relkind = 'r' AND pg_relation_size(c.oid) = 0"
)
# Measuring waits for whoever locks a table; what the planner remembers doesn't, and may be old.
_REMEMBERED = "c.relpages::bigint * 8192, false"


def _relations(ask: Asks) -> Rows:
    try:
        return ask(_RELATIONS.format(sizes=_SIZES))
    except Unasked:
        return ask(_RELATIONS.format(sizes=_REMEMBERED))


class Relations:
    """
    The tables, and the names that are taken; one query.

    Args:
        ask: The way to the database.
    """

    def __init__(self, ask: Asks) -> None:
        self.tables: dict[str, Size] = {}
        self.names: set[str] = set()
        self.taken: set[str] = set()
        """Names that nothing new may have: where new things go, and with their schema."""
        self._places: dict[str, str] = {}
        self._home = ""
        for schema, name, kind, visible, rows, size, empty, here in _relations(ask):
            names = [f"{schema}.{name}", name] if visible else [f"{schema}.{name}"]
            self.names.update(names)
            self.taken.update(names if here else names[:1])
            self._places.update((bare, names[0]) for bare in names[1:])
            self._home = schema if here else self._home
            if kind in ("r", "p", "m", "f"):
                found = Size(rows=rows if rows >= 0 else None, bytes=int(size), is_empty=bool(empty))
                self.tables.update(dict.fromkeys(names, found))

    def placed(self, name: str) -> str:
        """Return a name with its schema: of what is found without one, or where something new would go."""
        if "." in name:
            return name
        return self._places.get(name) or (f"{self._home}.{name}" if self._home else name)

    def shown(self, name: str) -> str:
        """Return a name as people write it: without its schema where it is found without."""
        bare = name.rpartition(".")[2]
        return bare if self._places.get(bare, f"{self._home}.{bare}") == name else name

    @property
    def filled(self) -> Sequence[str]:
        """Name the tables that may hold rows."""
        return [name for name, size in self.tables.items() if not size.is_empty]


class Budgeted:
    """
    Asks until the time for all looks is over.

    Args:
        ask: The way to the database.
        clock: Seconds that have passed.
        seconds: How long all looks together may take.
    """

    def __init__(
        self, ask: Asks, clock: Callable[[], float] = time.monotonic, seconds: float = BUDGET_SECONDS
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._left = seconds
        self._known: dict[str, bool] = {}

    def rows(self, sql: str) -> Rows:
        """
        Return the rows of a query.

        Raises:
            Unasked: The server refused it, or the time for all looks is over.
        """
        if self._left <= 0:
            raise Unasked("57014")
        started = self._clock()
        try:
            return self._ask(sql)
        finally:
            self._left -= self._clock() - started

    def holds(self, sql: str) -> bool:
        """Return whether a query about the catalog gives a row with a true value; each is asked once."""
        if sql not in self._known:
            rows = self.rows(sql)
            self._known[sql] = bool(rows and rows[0][0])
        return self._known[sql]
