"""
Values of before, kept beside the table that a backfill writes, until their time is over.

They are of people as much as the rows are. So the server itself lets one go as soon as it is of no use: when
its row is deleted, when somebody writes the column anew, or when the row changes whose it is. Whatever erases
a person, with this suite or without, does one of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, transaction

from accord import conf
from migrator.relational import failures
from migrator.relational.entries import BackfillRow
from migrator.relational.ledger import Ledger
from migrator.relational.vendors import vendor_of

PREFIX = "accord_before_"
SWITCH = "accord.filling"
"""Setting of a transaction that writes the column for a backfill, there or back."""
_PLACE = """
SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s)"""
_BODY = """
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM {kept};
    ELSE
        DELETE FROM {kept} WHERE ({keys}) = ({olds});
    END IF;
    RETURN NULL;
END;
"""
# The application may have no right to the table of values, and has to be able to write its own all the same.
_FUNCTION = """
CREATE FUNCTION {kept}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $accord${body}$accord$"""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """
    Where the values of before of one backfill are.

    Attributes:
        name: Quoted name of the table, with its schema; a function of the same name lets values go.
        table: Quoted table that is filled.
        keys: Quoted columns of its key.
        columns: Quoted columns that are written.
        watched: Further quoted columns: whose the row is.
    """

    name: str
    table: str
    keys: Sequence[str]
    columns: Sequence[str]
    watched: Sequence[str] = ()

    @property
    def own_keys(self) -> Sequence[str]:
        """Names of the key's columns in the table of values."""
        return [f"accord_key_{number}" for number in range(len(self.keys))]

    @property
    def befores(self) -> Sequence[str]:
        """Names of the columns with the values of before."""
        return [f"accord_before_{number}" for number in range(len(self.columns))]

    @property
    def afters(self) -> Sequence[str]:
        """Names of the columns with what was written over them."""
        return [f"accord_after_{number}" for number in range(len(self.columns))]


def name_beside(connection: Any, table: str, digest: str) -> str:
    """Return the name of the table of values, in the schema of the table that is filled."""
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, [table])
        [(schema,)] = cursor.fetchall()
    return f'{schema}."{PREFIX}{digest[:16]}"'


def make(connection: Any, kept: Kept) -> None:
    """Make the table of values and what lets them go, unless it is there; all of it or nothing."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if not is_there(connection, kept.name):
            for statement in _statements(kept):
                cursor.execute(statement)


def is_there(connection: Any, name: str) -> bool:
    """Return whether a table of values is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])


def drop(connection: Any, name: str) -> None:
    """Drop a table of values, with what lets them go."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(f"DROP FUNCTION IF EXISTS {name}() CASCADE")
        cursor.execute(f"DROP TABLE IF EXISTS {name}")


def _statements(kept: Kept) -> Iterator[str]:
    columns = [
        *(f"{column} AS {name}" for column, name in zip(kept.keys, kept.own_keys, strict=True)),
        *(f"{column} AS {name}" for column, name in zip(kept.columns, kept.befores, strict=True)),
        *(f"{column} AS {name}" for column, name in zip(kept.columns, kept.afters, strict=True)),
    ]
    keys, olds = ", ".join(kept.own_keys), ", ".join(f"OLD.{key}" for key in kept.keys)
    yield f"CREATE TABLE {kept.name} AS SELECT {', '.join(columns)} FROM {kept.table} WITH NO DATA"  # noqa: S608 - quoted
    yield f"ALTER TABLE {kept.name} ADD PRIMARY KEY ({keys})"
    yield _FUNCTION.format(kept=kept.name, body=_BODY.format(kept=kept.name, keys=keys, olds=olds))
    yield from _triggers(kept)


def _triggers(kept: Kept) -> Iterator[str]:
    own, does = kept.name.rpartition(".")[2][:-1], f"EXECUTE FUNCTION {kept.name}()"
    # Two: a column that is dropped takes the one that names it along, and whose a row is matters still.
    for ending, columns in (("u", kept.columns), ("w", (*kept.watched, *kept.keys))):
        changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
        # A backfill that writes lets nothing go of what it keeps.
        when = f"current_setting('{SWITCH}', true) IS DISTINCT FROM 'on' AND ({changed})"
        yield f'CREATE TRIGGER {own}_{ending}" AFTER UPDATE ON {kept.table} FOR EACH ROW WHEN ({when}) {does}'
    yield f'CREATE TRIGGER {own}_d" AFTER DELETE ON {kept.table} FOR EACH ROW {does}'
    yield f'CREATE TRIGGER {own}_t" AFTER TRUNCATE ON {kept.table} FOR EACH STATEMENT {does}'


@dataclass(frozen=True)
class Waiting:
    """
    Values of before that are kept somewhere.

    Attributes:
        store: The database.
        what: The operation, for people.
        name: Of their table.
        rows: How many rows they are of.
        until: When they go.
        is_over: Whether that is past, by the server's clock.
    """

    store: str
    what: str
    name: str
    rows: int
    until: datetime
    is_over: bool


_WAITING = (
    "SELECT what, kept, kept_until, kept_until < now() FROM accord_backfill WHERE kept <> '' ORDER BY 3"
)


def waiting(alias: str) -> Iterator[Waiting]:
    """Tell what values of before a database keeps, those that go first first."""
    connection = connections[alias]
    if not vendor_of(connection).describes_tables or not is_there(connection, BackfillRow._meta.db_table):
        return
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        found = cursor.fetchall()
        for what, name, until, is_over in found:
            if is_there(connection, name):
                cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 - as it was quoted when it was made
                yield Waiting(alias, what, name, cursor.fetchone()[0], until, is_over)


def everywhere() -> Iterator[Waiting]:
    """
    Tell what the databases keep that take part.

    Raises:
        StoreError: One can't be asked.
    """
    for alias in _stores():
        with failures.translated(alias):
            yield from waiting(alias)


def _stores() -> Sequence[str]:
    return [alias for alias in conf.load().store_settings() if alias in connections.databases]


def forget(found: Waiting) -> None:
    """Let values of before go; what was filled can't be undone any more."""
    rows = BackfillRow._default_manager.using(found.store).filter(kept=found.name)
    with Ledger(found.store).transaction():
        drop(connections[found.store], found.name)
        rows.update(kept="", kept_until=None)
