"""The direct way to the database, without SQLAlchemy: what a run with nothing to do pays for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import errors as pg
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2 writes its class small
from psycopg2.extensions import parse_dsn

from accord import conf
from accord.errors import StoreUnavailable
from migrator.alembic import ledger
from migrator.alembic.entries import HistoryState
from migrator.alembic.failures import translate
from migrator.alembic.ledger import Ask, Tables
from migrator.alembic.options import DatabaseUrl

_NAMED = re.compile(r"(?<![:\w]):(\w+)")


class Database:
    """
    A PostgreSQL database by its URL.

    Args:
        alias: Store that it belongs to, for messages.
        url: Where it is.
    """

    def __init__(self, alias: str, url: DatabaseUrl) -> None:
        self._alias = alias
        self._url = url

    @property
    def address(self) -> str:
        """Host and port, or the folder of the socket; no credentials."""
        parts = parse_dsn(self._url.for_psycopg2)
        return ":".join(parts[name] for name in ("host", "port") if name in parts)

    def state(self, tables: Tables) -> HistoryState:
        """
        Read heads and entries: one round trip once both tables are there.

        Args:
            tables: Names of the tables.

        Raises:
            StoreUnavailable: The database can't be reached or refuses us.
        """
        with self.asking() as ask:
            try:
                return ledger.read_at_once(ask, tables)
            except (pg.UndefinedTable, pg.InvalidSchemaName):
                return ledger.read(ask, tables)

    @contextmanager
    def asking(self) -> Iterator[Ask]:
        """
        Open a connection that commits each statement, for the time of a block.

        Raises:
            StoreUnavailable: The database can't be reached or refuses us.
        """
        connection = self._opened()
        try:
            yield _asker(connection)
        except psycopg2.Error as exc:
            raise translate(exc, self._alias) from exc
        finally:
            connection.close()

    @contextmanager
    def reading(self, before: str) -> Iterator[Callable[[str], Sequence[Sequence[Any]]]]:
        """
        Open a connection for questions that leave nothing, each in a transaction that is rolled back.

        Args:
            before: What is sent at the beginning of each.

        Raises:
            StoreUnavailable: The database can't be reached or refuses us.
        """
        connection = self._opened()
        connection.autocommit = False
        try:
            yield _reader(connection, before)
        finally:
            connection.close()

    def _opened(self) -> Connection:
        try:
            return self._connect()
        except psycopg2.Error as exc:
            raise self._unreachable(exc) from exc

    def _connect(self) -> Connection:
        connection = psycopg2.connect(
            self._url.for_psycopg2,
            connect_timeout=max(2, round(conf.load().connect_timeout)),  # libpq takes less than 2 as 2
            application_name="accord",
        )
        connection.autocommit = True
        return connection

    def _unreachable(self, error: psycopg2.Error) -> Exception:
        found = translate(error, self._alias)
        if isinstance(found, StoreUnavailable):
            return found
        return StoreUnavailable(found.message, hint="Check URL in the store's options.")


def _reader(connection: Connection, before: str) -> Callable[[str], Sequence[Sequence[Any]]]:
    def ask(sql: str) -> Sequence[Sequence[Any]]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(before)
                cursor.execute(sql)
                return cursor.fetchall()
        finally:
            connection.rollback()

    return ask


def _asker(connection: Connection) -> Ask:
    def ask(sql: str, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(_NAMED.sub(r"%(\1)s", sql.replace("%", "%%")), dict(values))
            return cursor.fetchall() if cursor.description else []

    return ask
