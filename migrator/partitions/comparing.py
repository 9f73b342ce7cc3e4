"""Two copies of a table held against each other, window by window, and repaired where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import transaction

from accord.errors import StepFailed
from migrator.partitions.copying import PATIENCE, Copying, window
from migrator.partitions.making import as_text
from migrator.partitions.mirror import Mirror
from migrator.partitions.table import Catalog, Table, listed, quoted
from migrator.relational.locking import limit

ROWS = 20_000
"""Rows of a window: some hundredths of a second to compare."""
LAST = 500
"""Rows of the last windows: what is left behind them is compared while everybody waits."""
_TRIES = 3
_EXACT = frozenset(
    (
        *("smallint", "integer", "bigint", "boolean", "uuid", "date", "bytea", "text"),
        *("timestamp with time zone", "timestamp without time zone"),
    )
)
"""Types of which equal values are the same, and are hashed quicker than their texts are made: 1.0 is 1.00."""

Key = tuple[str, ...]
Window = tuple[Key, Key]
"""Key before the first row, and key of the last; empty where there is no such bound."""


class Comparing:
    """
    Two tables of the same columns, one of which repeats what is written to the other.

    Args:
        catalog: Of the database.
        table: The one that is written to.
        mirror: What brings its writes to the other one.
        copying: Copies rows that are missing.
    """

    def __init__(self, catalog: Catalog, table: Table, mirror: Mirror, copying: Copying) -> None:
        self._catalog = catalog
        self._table = table
        self._mirror = mirror
        self._copying = copying
        self.repaired = 0

    def windows(self, after: Key = ()) -> Iterator[Window]:
        """
        Yield windows up to near the last row: large ones, then small ones.

        Args:
            after: Key behind which to begin.
        """
        for size in (ROWS, LAST):
            while (until := self._end(after, size)) is not None:
                yield after, until
                after = until

    def _end(self, after: Key, size: int) -> Key | None:
        some, params = window(self._table, after, ())
        keys = self._table.primary_key
        found = self._catalog.rows(
            f"SELECT {as_text(keys)} FROM {self._mirror.source} WHERE {some} "
            f"ORDER BY {listed(keys)} OFFSET {size - 1} LIMIT 1",
            params,
        )
        return tuple(found[0]) if found else None

    def agree(self, after: Key, until: Key) -> bool:
        """
        Return whether both hold the same rows in a window.

        One statement sees one moment, and at each moment both have what was committed: nobody has to wait.
        """
        some, params = window(self._table, after, until)
        sums = f"count(*), sum(CAST(hash_record_extended(ROW({self._exactly()}), 0) AS numeric))"
        one, other = (
            f"SELECT {sums} FROM {table} WHERE {some}" for table in (self._mirror.source, self._mirror.target)
        )
        return not self._catalog.rows(f"({one}) EXCEPT ({other})", [*params, *params])

    def _exactly(self) -> str:
        """Return the columns so that two values have one hash only where they are written alike."""
        types = {column.name: column.type for column in self._table.columns}
        return ", ".join(
            quoted(name) if _is_exact(types[name]) else f"CAST({quoted(name)} AS text)"
            for name in self._mirror.columns
        )

    def settle(self, found: Window) -> None:
        """
        Make sure that both agree in a window.

        Raises:
            StepFailed: They don't, however often they are repaired.
        """
        for _ in range(_TRIES):
            if self.agree(*found):
                return
            self._repair(*found)
            self.repaired += 1
        if not self.agree(*found):
            raise StepFailed(
                f"{self._mirror.target} comes to differ from {self._mirror.source} while it is compared.",
                hint="Something writes past the triggers. See who disables them; then run it again.",
            )

    def _repair(self, after: Key, until: Key) -> None:
        """Take out what the other table hasn't got so, and copy it; its rows are locked meanwhile."""
        some, params = window(self._table, after, until)
        there, _ = window(self._table, after, until, "there.")
        connection, keys = self._catalog.connection, self._table.primary_key
        row = f"CAST(ROW({listed(self._mirror.columns, 'here.')}) AS text)"
        same = f"({listed(keys, 'here.')}) = ({listed(keys, 'there.')})"
        with transaction.atomic(using=connection.alias):
            limit(connection, PATIENCE)
            self._catalog.rows(
                f"SELECT count(*) FROM (SELECT FROM {self._mirror.source} WHERE {some} FOR SHARE) AS locked",
                params,
            )
            with connection.cursor() as cursor:
                cursor.execute(
                    f"DELETE FROM {self._mirror.target} AS there WHERE {there} AND NOT EXISTS "
                    f"(SELECT FROM {self._mirror.source} AS here WHERE {same} "
                    f"AND {row} = CAST(ROW({listed(self._mirror.columns, 'there.')}) AS text))",
                    params,
                )
            self._copying.between(after, until)


def last_key(windows: Sequence[Window]) -> Key:
    """Return the key behind which nothing was compared; none where nothing was at all."""
    return windows[-1][1] if windows else ()


def _is_exact(kind: str) -> bool:
    return kind in _EXACT or kind.startswith("character varying")
