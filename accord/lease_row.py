"""
The lease's row in the coordinating PostgreSQL: how it is reached, and what it says.

:mod:`accord.lease` grants, renews and releases it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accord import connecting, db, process
from accord.errors import StoreUnavailable
from accord.retry import Backoff, again
from accord.secrets.redact import first_line

TABLE = "accord_lease"
_CREATION_LOCK = 0x6163636F7264  # "accord": serialises ten first starts that create the table at once

_AT_ONCE = Backoff(first=0)

_CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    scope text PRIMARY KEY,
    fence bigint NOT NULL,
    owner text NOT NULL,
    run_id text NOT NULL,
    acquired_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
)"""

_TABLE_EXISTS = f"SELECT to_regclass('{TABLE}') IS NOT NULL"

# Moments in UTC, because the driver leaves out the zone where USE_TZ is off.
_READ = f"""
SELECT fence, owner, run_id, acquired_at AT TIME ZONE 'UTC', expires_at AT TIME ZONE 'UTC',
       expires_at > clock_timestamp(),
       extract(epoch FROM clock_timestamp() - acquired_at)::float
FROM {TABLE} WHERE scope = %(scope)s"""  # noqa: S608 - as above

_SCOPES = f"SELECT array_agg(scope ORDER BY scope) FROM {TABLE}"  # noqa: S608 - as above


@dataclass(frozen=True, kw_only=True)
class LeaseRow:
    """
    What the lease's row says now.

    Attributes:
        fence: Fencing token of the last grant.
        owner: Its holder, as :func:`accord.process.identity` writes it.
        run_id: Run of that holder.
        acquired_at: When it was granted, by the server's clock.
        expires_at: When it may be taken over.
        held: False once it expired or was released.
        age: Seconds since it was granted.
    """

    fence: int
    owner: str
    run_id: str
    acquired_at: datetime
    expires_at: datetime
    held: bool
    age: float

    @property
    def holder_is_dead(self) -> bool:
        """Return whether the holder ran on this machine and its process is gone."""
        return self.held and process.is_dead(self.owner)


class LeaseConnection:
    """
    A connection of the lease's own, usable from the heartbeat's thread and from the run's.

    It never shares a transaction with the work: a renewal counts at once.
    """

    def __init__(self, alias: str) -> None:
        self._connection: BaseDatabaseWrapper = connections.create_connection(alias)
        self._connection.inc_thread_sharing()
        self._lock = threading.Lock()

    def execute(self, sql: str, parameters: dict[str, Any]) -> tuple[int, tuple[Any, ...] | None]:
        """
        Run one statement in a transaction of its own; once more where the connection was dropped meanwhile.

        Args:
            sql: A statement that does no harm when it is sent twice: the first answer may be lost.
            parameters: Its values.

        Returns:
            How many rows it touched, and its first row if it returns rows.

        Raises:
            StoreUnavailable: The coordinating database can't be reached.
        """
        with self._lock:
            was_open = self._connection.connection is not None
            try:
                return again(
                    lambda: self._execute(sql, parameters),
                    when=lambda exc: isinstance(exc, db.ERRORS),
                    retries=1 if was_open else 0,
                    backoff=_AT_ONCE,
                    sleep=time.sleep,
                )
            except db.ERRORS as exc:
                raise _failure(self._connection.alias, exc) from exc

    def _execute(self, sql: str, parameters: dict[str, Any]) -> tuple[int, tuple[Any, ...] | None]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.rowcount, cursor.fetchone() if cursor.description else None
        except db.ERRORS:
            self._connection.close()
            raise

    def ensure_table(self) -> None:
        """Create the lease's table unless it is there. Safe when ten processes do it at once."""
        if self.execute(_TABLE_EXISTS, {})[1] == (True,):
            return
        # One message of several statements is one transaction: the advisory lock ends with it.
        self.execute(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK}); {_CREATE}", {})

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


def _failure(alias: str, error: BaseException) -> StoreUnavailable:
    trouble = connecting.trouble_of(error)
    if trouble is not None:
        return trouble.error(f"The coordinating database “{alias}”", alias, error)
    return StoreUnavailable(
        f"The coordinating database “{alias}” can't keep the lease: {first_line(error)}.",
        hint="Mend that, then run again; the lease is a row of its table accord_lease.",
    )


def read(alias: str, scope: str) -> LeaseRow | None:
    """
    Read a lease's row without changing it.

    Args:
        alias: The coordinating database.
        scope: What the lease covers.

    Returns:
        None when it was never granted.
    """
    connection = LeaseConnection(alias)
    try:
        if connection.execute(_TABLE_EXISTS, {})[1] != (True,):
            return None
        return read_row(connection, scope)
    finally:
        connection.close()


def rows(alias: str) -> Sequence[tuple[str, LeaseRow]]:
    """
    Read every lease of a database with its scope, without changing one; none where the table isn't there.

    Args:
        alias: The coordinating database.
    """
    connection = LeaseConnection(alias)
    try:
        if connection.execute(_TABLE_EXISTS, {})[1] != (True,):
            return ()
        scopes = connection.execute(_SCOPES, {})[1] or ([],)
        found = ((scope, read_row(connection, scope)) for scope in scopes[0] or ())
        return [(scope, row) for scope, row in found if row is not None]
    finally:
        connection.close()


def table_exists(alias: str) -> bool:
    """Check whether the lease's table is there."""
    connection = LeaseConnection(alias)
    try:
        return connection.execute(_TABLE_EXISTS, {})[1] == (True,)
    finally:
        connection.close()


def drop_table(alias: str) -> None:
    """Drop the lease's table; whoever holds a lease finds it lost."""
    connection = LeaseConnection(alias)
    try:
        connection.execute(f"DROP TABLE IF EXISTS {TABLE}", {})
    finally:
        connection.close()


def read_row(connection: LeaseConnection, scope: str) -> LeaseRow | None:
    """Read a lease's row by a connection that is open; None when it was never granted."""
    row = connection.execute(_READ, {"scope": scope})[1]
    if row is None:
        return None
    fence, owner, run_id, acquired_at, expires_at, held, age = row
    return LeaseRow(
        fence=fence,
        owner=owner,
        run_id=run_id,
        acquired_at=acquired_at.replace(tzinfo=UTC),
        expires_at=expires_at.replace(tzinfo=UTC),
        held=held,
        age=age,
    )
