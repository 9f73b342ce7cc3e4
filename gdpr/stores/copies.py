"""
Materialised views: copies that nothing is deleted from, and that are made anew when their tables were erased.

A row of a person is stale where the view's query no longer gives it. That is counted, so that rows
which the tables keep by law are no leftover, and neither is who signs up with the same address later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import variants
from gdpr.datamap.locators import Key
from gdpr.datamap.several import SeveralKeys
from gdpr.datamap.subjects import Keys
from gdpr.errors import ErasureRefused
from gdpr.stores.base import Erased, Found, IndexUse
from gdpr.stores.relations import Kind, Relation, Relations
from gdpr.stores.tables import column_of, table_of

PATIENCE = "3s"
"""How long a refresh waits for a lock; then the step is tried again later."""
_ROW = "accord_row"
"""A row as a whole, by a name that none of its columns has."""
_SET = "SELECT set_config('lock_timeout', %s, true)"
# Refreshed while others read, where an index tells the rows apart: on columns, of all rows, and usable.
_STATE = """
    SELECT c.relispopulated, pg_get_viewdef(c.oid), EXISTS (
        SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid
            AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    )
    FROM pg_class c WHERE c.oid = %s
"""


class Copies:
    """
    The materialised views of one database.

    Args:
        alias: Its alias in `DATABASES`.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def find(self, entry: Entry, keys: Keys) -> Found:
        """Count a person's rows, and those that a refresh would take out now."""
        one = _Copy(connections[self._alias], self._view(entry), entry, keys)
        return Found(count=sum(one.counts().values()), pending=sum(one.stale().values()))

    def tally(self, entry: Entry, keys: Keys, *, pending: bool) -> Mapping[str, int]:
        """Count the rows of several people, by the text of the key in each; one look for all of them."""
        one = _Copy(connections[self._alias], self._view(entry), entry, keys)
        return one.stale() if pending else one.counts()

    def erase(self, entry: Entry, keys: Keys) -> Erased:
        """Refresh the view where any of these people has a stale row in it. Idempotent."""
        view = self._view(entry)
        one = _Copy(connections[self._alias], view, entry, keys)
        before = sum(one.stale().values())
        if before:
            self._refresh(one)
        left = sum(one.stale().values()) if before else 0
        return Erased(matched=before, affected=max(before - left, 0), done=left == 0)

    def _refresh(self, one: _Copy) -> None:
        """Refresh, and wait briefly: who reads a view without a key waits for as long as we do."""
        how = "CONCURRENTLY " if one.has_key else ""
        with transaction.atomic(using=self._alias), connections[self._alias].cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout')")
            [before] = cursor.fetchone()
            cursor.execute(_SET, [PATIENCE])
            cursor.execute(f"REFRESH MATERIALIZED VIEW {how}{one.name}")
            cursor.execute(_SET, [before])

    def residue(self, entry: Entry, keys: Keys) -> int:
        """Read the rows of the view and of its query on another connection, and compare them here."""
        view = self._view(entry)
        with closing(connections.create_connection(self._alias)) as fresh:
            one = _Copy(fresh, view, entry, keys)
            kept, given = one.rows(one.name), one.rows(one.query)
            return sum((Counter(kept) - Counter(given)).values())

    def export(self, entry: Entry, keys: Keys) -> Iterator[Mapping[str, Any]]:
        """Return the person's rows."""
        yield from _Copy(connections[self._alias], self._view(entry), entry, keys).export()

    def spellings(self, entry: Entry) -> Iterator[str]:
        """Yield every key that the view has, as it is written there."""
        yield from _Copy(connections[self._alias], self._view(entry), entry, SeveralKeys(())).spellings()

    def explain(self, entry: Entry) -> IndexUse:
        """Say that a view is compared with its query as a whole."""
        return IndexUse(uses_index=False, read_in_full=True, detail=f"{entry.target} and its query")

    def _view(self, entry: Entry) -> Relation:
        found = Relations(self._alias).named(table_of(entry))
        if found is None or found.kind is not Kind.MATERIALISED:
            raise ErasureRefused(
                f"Entry “{entry.id}” refreshes {entry.target}, which is no materialised view.",
                hint="Correct the entry; see `gdpr_datamap check`.",
            )
        return found


class _Copy:
    """One view, over one connection, as far as it is about some people."""

    def __init__(self, connection: BaseDatabaseWrapper, view: Relation, entry: Entry, keys: Keys) -> None:
        quote = connection.ops.quote_name
        self._connection = connection
        self.name = f"{quote(view.schema)}.{quote(view.table)}"
        with connection.cursor() as cursor:
            cursor.execute(_STATE, [view.oid])
            self._populated, definition, self.has_key = cursor.fetchone()
        # What stands for a value to the driver may stand in the query for itself.
        self.query = f"({definition.rstrip().rstrip(';').replace('%', '%%')})"
        assert isinstance(entry.locator, Key)  # noqa: S101 - the map's check refuses any other
        forms = [
            form for value in keys.values(entry.locator.by) for form in variants(value, entry.locator.type)
        ]
        self._values = list(dict.fromkeys(map(str, forms)))
        # As texts: a view's columns have whatever type its query gives them.
        self._key = f"{quote(column_of(entry, entry.locator.field))}::text"
        self._where = f"{self._key} = ANY(%s)"

    def counts(self) -> Mapping[str, int]:
        """Count the rows, by key."""
        return self._grouped(f"SELECT {self._key} AS key FROM {self.name} WHERE {self._where}", 1)  # noqa: S608 - quoted names

    def stale(self) -> Mapping[str, int]:
        """Count the rows that the view has and its query doesn't give, by key; how often counts, too."""
        return self._grouped(
            f"SELECT {self._key} AS key, {_ROW}::text FROM {self.name} AS {_ROW} WHERE {self._where}"  # noqa: S608 - quoted names
            f" EXCEPT ALL SELECT {self._key}, {_ROW}::text FROM {self.query} AS {_ROW} WHERE {self._where}",
            2,
        )

    def rows(self, source: str) -> list[str]:
        """Return the rows of the view, or of its query, as texts."""
        if not self._populated:
            return []
        with self._connection.cursor() as cursor:
            chosen = f"SELECT {_ROW}::text FROM {source} AS {_ROW} WHERE {self._where}"  # noqa: S608 - quoted names
            cursor.execute(chosen, [self._values])
            return [text for (text,) in cursor.fetchall()]

    def spellings(self) -> Iterator[str]:
        """Yield every key of the view, whosever it is."""
        if self._populated:
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT DISTINCT {self._key} FROM {self.name}")  # noqa: S608 - quoted names
                yield from (text for (text,) in cursor.fetchall() if text is not None)

    def export(self) -> Iterator[Mapping[str, Any]]:
        if self._populated:
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {self.name} WHERE {self._where}", [self._values])  # noqa: S608 - quoted names
                names = [one[0] for one in cursor.description or ()]
                yield from (dict(zip(names, row, strict=True)) for row in cursor.fetchall())

    def _grouped(self, rows: str, times: int) -> Mapping[str, int]:
        """Count rows by key; a view that was never filled can't be read, and holds nothing."""
        if not self._populated:
            return {}
        with self._connection.cursor() as cursor:
            counted = f"SELECT key, count(*) FROM ({rows}) AS rows GROUP BY key"  # noqa: S608 - quoted names
            cursor.execute(counted, [self._values] * times)
            return {key: int(number) for key, number in cursor.fetchall()}
