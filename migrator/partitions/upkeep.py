"""
Partitions made ahead of time, and let go when their time is over.

Each act is one transaction, or one that the server brings to its end when it is asked; what was killed is
found in the catalog, and goes on with the next call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from django.db import transaction

from accord.errors import StepFailed
from accord.locks.patience import Behind
from accord.locks.trying import Tries
from migrator.partitions.declaration import ByTime
from migrator.partitions.duties import Duties, Standing, duties
from migrator.partitions.layout import Part, bound, literal
from migrator.partitions.making import column_type
from migrator.partitions.standing import State, probe
from migrator.partitions.table import Catalog, Table, listed, quoted
from migrator.partitions.wanted import Wanted
from migrator.relational.copies import DETACHED
from migrator.relational.locking import limit, limited

_Result = TypeVar("_Result")
MOVED = 100_000
"""Rows that are moved out of the way while everybody waits: some tenths of a second."""
# Bounds are written in the session's time zone and style.
_PARTS = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), i.inhdetachpending
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass(%s) ORDER BY c.relname
"""
_LEFT = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND obj_description(c.oid, 'pg_class') = %s ORDER BY c.relname
"""
_TRIGGERS = """
SELECT tgname, CAST(tgenabled AS text) FROM pg_trigger
WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgname
"""
_LIKE = "INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY"
_SWITCHES = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
Witness = Callable[[str, str], None]
"""Puts on record what was done (`made`, `detached`, `dropped`) to which partition."""


@dataclass(kw_only=True)
class Kept:
    """
    What a call did.

    Attributes:
        made: Partitions that were made.
        moved: Rows that were moved into them.
        detached: Partitions that were let go.
        dropped: Those that were dropped.
        waiting: Those that are let go and still there.
        left: What could not be done, with the reason.
    """

    made: list[str] = field(default_factory=list)
    moved: int = 0
    detached: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def standing(catalog: Catalog, wanted: Wanted) -> Sequence[Standing]:
    """Read the partitions of a table."""
    with transaction.atomic(using=catalog.connection.alias):
        catalog.send("SET LOCAL TimeZone TO 'UTC'", "SET LOCAL DateStyle TO 'ISO, YMD'")
        found = catalog.rows(_PARTS, [wanted.table])
        return [Standing(name=row[0], bounds=row[1], pending=row[2]) for row in found]


def detached(catalog: Catalog, wanted: Wanted) -> Sequence[str]:
    """Name the tables that were partitions, and are still there."""
    return [row[0] for row in catalog.rows(_LEFT, [wanted.schema, _mark(wanted)])]


def due(catalog: Catalog, wanted: Wanted, table: Table, today: date) -> Duties:
    """Tell what there is to do."""
    kind = column_type(table, wanted.key)
    return duties(wanted.name, wanted.declared.by, kind, standing(catalog, wanted), today)


def in_the_way(catalog: Catalog, wanted: Wanted, default: Standing, most: int) -> int:
    """Count the rows of the default partition, up to a number."""
    some = f"SELECT FROM {wanted.at(default.name)} LIMIT {most}"
    return int(catalog.one(f"SELECT count(*) FROM ({some}) AS found"))


class Upkeep:
    """
    The upkeep of one table.

    Args:
        catalog: Of the database, outside of a transaction.
        wanted: What is wanted.
        tries: Tries for locks.
        witness: Puts on record.
        today: The present day, in UTC.
        most: Rows that may be moved at once.
    """

    def __init__(
        self,
        catalog: Catalog,
        wanted: Wanted,
        tries: Tries,
        witness: Witness,
        *,
        today: date,
        most: int = MOVED,
    ) -> None:
        self._catalog = catalog
        self._wanted = wanted
        self._tries = tries
        self._witness = witness
        self._today = today
        self._most = most

    def keep_up(self, *, drop: bool = False) -> Kept:
        """
        Make what has to stand, let go what is over, and drop that if a person says so.

        Args:
            drop: Whether what was let go is dropped.

        Raises:
            LockNotFree: Others held the table for too long.
            StepFailed: A table of a partition's name stands in its place.
        """
        found, kept = probe(self._catalog, self._wanted), Kept()
        if found.state in (State.PLAIN, State.BEGUN):
            kept.left.append("It is not divided yet.")
            return kept
        what = due(self._catalog, self._wanted, found.table, self._today)
        for part in what.pending:
            self._finalize(part)
            kept.detached.append(part.name)
        for missing in what.missing:
            self._tries.lease.check()
            self._make(found.table, missing, what.default, kept)
        self._let_go(found.state, what, kept)
        kept.waiting = [*detached(self._catalog, self._wanted)]
        if drop:
            self._drop(kept)
        return kept

    # --- ahead ---------------------------------------------------------------------------------------

    def _make(self, table: Table, part: Part, default: Standing | None, kept: Kept) -> None:
        """Make a table, move the rows that are its into it, and attach it, in one transaction."""
        name = self._wanted.at(part.name)
        if self._catalog.one("SELECT to_regclass(%s)::oid", [name]) is not None:
            raise StepFailed(
                f"{name} stands there, and is no part of {self._wanted.table}. Nothing was made.",
                hint="Give it another name, or drop it; then run the same command again.",
            )
        if default is not None and self._is_too_much(part, default):
            kept.left.append(
                f"{part.name}: more than {self._most} rows of its period are in {default.name}, and "
                "everybody would wait while they are moved. Say --move ROWS in a quiet hour."
            )
            return
        moved = self._at_once(lambda: self._made(table, part, default))
        kept.made.append(part.name)
        kept.moved += moved

    def _made(self, table: Table, part: Part, default: Standing | None) -> int:
        name, options = self._wanted.at(part.name), f" WITH ({table.options})" if table.options else ""
        self._catalog.send(
            *([] if table.own else [f"SET LOCAL ROLE {table.owner}"]),
            f"CREATE TABLE {name} (LIKE {self._wanted.table} {_LIKE}){options}",
        )
        moved = self._move(table, part, self._wanted.at(default.name)) if default is not None else 0
        self._catalog.send(
            f"ALTER TABLE {self._wanted.table} ATTACH PARTITION {name} FOR VALUES {part.bounds}",
            *([] if table.own else ["RESET ROLE"]),
        )
        self._witness("made", part.name)
        return moved

    def _move(self, table: Table, part: Part, default: str) -> int:
        """Move rows without a word to triggers: they are where they were, as far as anybody asks."""
        some = self._some(part)
        self._catalog.send(f"LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE")
        if not self._catalog.one(f"SELECT EXISTS (SELECT FROM {default} WHERE {some})"):
            return 0
        switched = self._catalog.rows(_TRIGGERS, [default])
        self._catalog.send(*(f"ALTER TABLE {default} DISABLE TRIGGER {quoted(name)}" for name, _ in switched))
        columns = listed(table.written)
        with self._catalog.connection.cursor() as cursor:
            cursor.execute(
                f"WITH gone AS (DELETE FROM {default} WHERE {some} RETURNING {columns}) "
                f"INSERT INTO {self._wanted.at(part.name)} ({columns}) SELECT {columns} FROM gone"
            )
            moved = int(cursor.rowcount)
        self._catalog.send(
            *(f"ALTER TABLE {default} {_SWITCHES[on]} TRIGGER {quoted(name)}" for name, on in switched)
        )
        return moved

    def _is_too_much(self, part: Part, default: Standing) -> bool:
        some = f"SELECT FROM {self._wanted.at(default.name)} WHERE {self._some(part)} LIMIT {self._most + 1}"
        return int(self._catalog.one(f"SELECT count(*) FROM ({some}) AS found")) > self._most

    def _some(self, part: Part) -> str:
        """Return the condition of the rows of a period."""
        column = self._catalog.one(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = to_regclass(%s) AND attname = %s",
            [self._wanted.table, self._wanted.key],
        )
        key, ends = quoted(self._wanted.key), [day for day in (part.begin, part.end) if day is not None]
        begin, end = (bound(day, str(column)) for day in ends)
        return f"{key} >= {begin} AND {key} < {end}"

    # --- over ----------------------------------------------------------------------------------------

    def _let_go(self, state: State, what: Duties, kept: Kept) -> None:
        if what.over and state is State.CONVERTED:
            names = ", ".join(part.name for part in what.over)
            kept.left.append(f"{names}: kept while the old table stands, which has its rows, too.")
            return
        for part in what.over:
            self._tries.lease.check()
            self._detach(part, what.default)
            kept.detached.append(part.name)

    def _detach(self, part: Standing, default: Standing | None) -> None:
        name, table = self._wanted.at(part.name), self._wanted.table
        mark = f"COMMENT ON TABLE {name} IS {literal(_mark(self._wanted))}"
        if default is not None:
            # The server detaches concurrently only where there is no default partition.
            self._at_once(lambda: self._detached(part, mark, f"ALTER TABLE {table} DETACH PARTITION {name}"))
            return
        self._at_once(lambda: self._catalog.send(mark))
        self._alone(f"ALTER TABLE {table} DETACH PARTITION {name} CONCURRENTLY")
        self._at_once(lambda: self._witness("detached", part.name))

    def _detached(self, part: Standing, *statements: str) -> None:
        self._catalog.send(*statements)
        self._witness("detached", part.name)

    def _finalize(self, part: Standing) -> None:
        name = self._wanted.at(part.name)
        mark = f"COMMENT ON TABLE {name} IS {literal(_mark(self._wanted))}"
        finalize = f"ALTER TABLE {self._wanted.table} DETACH PARTITION {name} FINALIZE"
        self._at_once(lambda: self._detached(part, mark, finalize))

    def _drop(self, kept: Kept) -> None:
        for name in kept.waiting:
            self._at_once(lambda name=name: self._dropped(name))  # type: ignore[misc]  # one for each
            kept.dropped.append(name)
        kept.waiting = []

    def _dropped(self, name: str) -> None:
        self._catalog.send(f"DROP TABLE {self._wanted.at(name)}")
        self._witness("dropped", name)

    # --- inside --------------------------------------------------------------------------------------

    def _alone(self, statement: str) -> None:
        """Send what may be in no transaction, and behind which nobody waits."""

        def act(seconds: float | None) -> None:
            with limited(self._catalog.connection, seconds):
                self._catalog.send(statement)

        self._tries.through(act, behind=Behind.NOBODY)

    def _at_once(self, act: Callable[[], _Result]) -> _Result:
        connection = self._catalog.connection

        def once(seconds: float | None) -> _Result:
            with transaction.atomic(using=connection.alias):
                limit(connection, seconds)
                return act()

        return self._tries.through(once)


def keeps_time(by: object) -> bool:
    """Return whether the partitions of a table come and go with time."""
    return isinstance(by, ByTime)


def _mark(wanted: Wanted) -> str:
    return f"{DETACHED}{wanted.table}"
