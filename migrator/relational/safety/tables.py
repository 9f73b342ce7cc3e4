"""The tables that a migration is about: which it makes, what they were called, how large they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, transaction
from django.db.backends.utils import truncate_name
from django.db.migrations import AlterModelTable, CreateModel, RenameModel
from django.db.migrations.state import ProjectState

from accord.limits import LOCK, limit_of
from accord.seam.rewriting import LARGE_BYTES
from migrator.relational.locking import limited
from migrator.relational.moves import move_of, renamed_tables
from migrator.relational.unrolled import Substep

_ORDINARY = "r"
_SIZES = """
SELECT t.name, c.relkind, pg_table_size(c.oid) FROM unnest(%s::text[], %s::text[]) AS t(name, quoted)
JOIN pg_class c ON c.oid = to_regclass(t.quoted)
"""
# Of a table that is locked the files can't be measured. What is in use counts as large, rather than as small.
_LOCKED = """
SELECT t.name, c.relkind, %s::bigint FROM unnest(%s::text[], %s::text[]) AS t(name, quoted)
JOIN pg_class c ON c.oid = to_regclass(t.quoted)
"""
_KINDS = """
SELECT t.name, c.relkind FROM unnest(%s::text[], %s::text[]) AS t(name, quoted)
JOIN pg_class c ON c.oid = to_regclass(t.quoted)
"""
_PATIENCE = 0.5
"""Seconds for which a look at sizes stands in a queue."""


@dataclass(frozen=True)
class Size:
    """
    A table that stands.

    Attributes:
        is_ordinary: False for one that is partitioned or of another server, which takes no such parts.
        bytes: Of its rows, without indexes.
    """

    is_ordinary: bool
    bytes: int


def sizes(connection: Any, names: Collection[str]) -> dict[str, Size]:
    """
    Measure tables; one that isn't there is left out.

    The files are asked and not the statistics, which know nothing of a table that was just filled.

    Args:
        connection: Of a PostgreSQL database.
        names: As models write them.
    """
    quoted = [connection.ops.quote_name(name) for name in names]
    try:
        return _asked(connection, _SIZES, [list(names), quoted])
    except OperationalError as exc:
        if limit_of(exc) is not LOCK:
            raise
    return _asked(connection, _LOCKED, [LARGE_BYTES, list(names), quoted])


def are_ordinary(connection: Any, names: Collection[str]) -> bool:
    """
    Return whether no table of these is partitioned or of another server; one that isn't there is passed over.

    Args:
        connection: Of a PostgreSQL database.
        names: As models write them.
    """
    # The catalog alone is asked: nobody's lock is in the way of that.
    with connection.cursor() as cursor:
        cursor.execute(_KINDS, [list(names), [connection.ops.quote_name(name) for name in names]])
        return all(kind == _ORDINARY for _, kind in cursor.fetchall())


def _asked(connection: Any, sql: str, params: Sequence[Any]) -> dict[str, Size]:
    """Ask without standing in a queue: whoever holds a table for long must not hold up a look at its size."""
    alias = connection.alias
    with limited(connection, _PATIENCE), transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute(sql, params)
        return {name: Size(kind == _ORDINARY, size) for name, kind, size in cursor.fetchall()}


class Names:
    """
    Follows a migration's operations, and knows what each table was called before the first of them.

    Args:
        app: Label of the migration's app.
        longest: How long a name may be.
    """

    def __init__(self, app: str, longest: int | None) -> None:
        self._app = app
        self._longest = longest
        self._first: dict[str, str] = {}

    def first(self, table: str) -> str:
        """Return what a table was called at first; empty for one that the migration makes."""
        return self._first.get(table, table)

    def follow(self, substep: Substep) -> None:
        """Take note of an operation that makes a table, or gives it another name."""
        operation: Any = substep.operation
        if move := move_of(self._app, operation):
            (old, new), *_ = renamed_tables(move, substep.before)
            self._first[new] = self.first(old)
        elif isinstance(operation, CreateModel):
            self._first[self.table(substep.after, operation.name_lower)] = ""
        elif isinstance(operation, RenameModel):
            self._rename(substep, operation.old_name_lower, operation.new_name_lower)
        elif isinstance(operation, AlterModelTable):
            self._rename(substep, operation.name_lower, operation.name_lower)

    def _rename(self, substep: Substep, old: str, new: str) -> None:
        before, after = self.table(substep.before, old), self.table(substep.after, new)
        self._first[after] = self.first(before)

    def table(self, state: ProjectState, model: str) -> str:
        """Return the table of a model; its class isn't needed, and may not have been made yet."""
        return str(state.models[self._app, model].options.get("db_table") or self.usual(model))

    def usual(self, model: str) -> str:
        """Return the table of a model that names none."""
        return truncate_name(f"{self._app}_{model}", self._longest)
