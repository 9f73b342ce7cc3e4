"""
The lease: one row in the coordinating PostgreSQL that says who may write.

A lease expires unless its holder renews it, by the server's clock. Each grant carries a
fencing token that only rises; the stores refuse a lower one. No session state is used, so
it works behind a transaction pooler, and no statement ever waits inside the server.

The token is the server's clock in microseconds, or one more than the last token if that is
larger: it keeps rising even when the coordinating database is created anew while the other
stores still remember old tokens.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accord import db, process
from accord.clock import Clock, SystemClock
from accord.errors import LeaseHeld, LeaseLost, StoreUnavailable
from accord.events import LeaseAwaited, Reporter, silent
from accord.retry import Backoff, again
from accord.seam.types import Lease
from accord.secrets.redact import first_line

TABLE = "accord_lease"
_CREATION_LOCK = 0x6163636F7264  # "accord": serialises ten first starts that create the table at once

_POLLING = Backoff(first=0.05, factor=1.6, most=1.0)
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

_ACQUIRE = f"""
INSERT INTO {TABLE} AS held (scope, fence, owner, run_id, acquired_at, expires_at)
VALUES (%(scope)s, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, %(owner)s, %(run_id)s,
        clock_timestamp(), clock_timestamp() + %(ttl)s * interval '1 second')
ON CONFLICT (scope) DO UPDATE SET
    fence = greatest(held.fence + 1, excluded.fence), owner = excluded.owner, run_id = excluded.run_id,
    acquired_at = excluded.acquired_at, expires_at = excluded.expires_at
WHERE held.expires_at <= clock_timestamp() OR held.fence = %(dead_fence)s
   OR (held.owner = excluded.owner AND held.run_id = excluded.run_id)  -- granted, and the answer was lost
RETURNING fence"""  # noqa: S608 - the table's name is a constant of this module

_RENEW = f"""
UPDATE {TABLE} SET expires_at = clock_timestamp() + %(ttl)s * interval '1 second'
WHERE scope = %(scope)s AND fence = %(fence)s"""  # noqa: S608 - as above

_RELEASE = f"""
UPDATE {TABLE} SET expires_at = clock_timestamp()
WHERE scope = %(scope)s AND fence = %(fence)s"""  # noqa: S608 - as above

_READ = f"""
SELECT fence, owner, run_id, acquired_at, expires_at, expires_at > clock_timestamp(),
       extract(epoch FROM clock_timestamp() - acquired_at)::float
FROM {TABLE} WHERE scope = %(scope)s"""  # noqa: S608 - as above


@dataclass(frozen=True, kw_only=True)
class LeaseRow:
    """
    What the lease's row says now.

    Attributes:
        fence: Token of the last grant.
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
        """True when the holder ran on this machine and its process is gone."""
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
                raise StoreUnavailable(
                    f"The coordinating database “{self._connection.alias}” is away: {first_line(exc)}.",
                    hint="Check that it runs and that its URL is right, then run again.",
                ) from exc

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
        """Let the connection go."""
        with self._lock:
            self._connection.close()


def read(alias: str, scope: str) -> LeaseRow | None:
    """
    Look at a lease without touching it.

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
        return _read(connection, scope)
    finally:
        connection.close()


def _read(connection: LeaseConnection, scope: str) -> LeaseRow | None:
    row = connection.execute(_READ, {"scope": scope})[1]
    if row is None:
        return None
    fence, owner, run_id, acquired_at, expires_at, held, age = row
    return LeaseRow(
        fence=fence,
        owner=owner,
        run_id=run_id,
        acquired_at=acquired_at,
        expires_at=expires_at,
        held=held,
        age=age,
    )


class Heartbeat:
    """Renews a lease at a third of its life, and knows when it is lost."""

    def __init__(self, connection: LeaseConnection, lease: Lease, ttl: float, clock: Clock) -> None:
        self._connection = connection
        self._lease = lease
        self._ttl = ttl
        self._clock = clock
        self._renewed_at = clock.monotonic()
        self._lost = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {lease.scope}", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """End renewing; returns once the thread is gone."""
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """
        Ask whether the lease is ours; renew it first if the heartbeat fell behind.

        A process that was paused past the lease's life lands here before its next write.

        Raises:
            LeaseLost: Another run took it over, or the server can't be asked any more.
        """
        if not self._lost.is_set() and self._is_stale():
            self._renew_or_lose()
        if self._lost.is_set():
            raise LeaseLost(
                f"The lease “{self._lease.scope}” is not ours any more (token {self._lease.fence}).",
                hint="What is recorded stays done. Run the same command again to continue.",
            )

    def _is_stale(self) -> bool:
        return self._clock.monotonic() - self._renewed_at > self._ttl * 2 / 3

    def _beat(self) -> None:
        while not self._stop.wait(self._ttl / 3):
            try:
                self._renew()
            except StoreUnavailable:
                # The server may come back before the lease runs out; check() decides then.
                continue

    def _renew_or_lose(self) -> None:
        try:
            self._renew()
        except StoreUnavailable:
            self._lost.set()

    def _renew(self) -> None:
        sent_at = self._clock.monotonic()
        parameters = {"scope": self._lease.scope, "fence": self._lease.fence, "ttl": self._ttl}
        touched, _ = self._connection.execute(_RENEW, parameters)
        if touched:
            self._renewed_at = sent_at
        else:
            self._lost.set()


@contextmanager
def hold(
    scope: str,
    *,
    alias: str,
    run_id: str,
    ttl: float,
    wait: float,
    report: Reporter = silent,
    clock: Clock | None = None,
) -> Iterator[Lease]:
    """
    Hold a lease for the body of a `with`.

    Args:
        scope: What it covers.
        alias: The coordinating database, a PostgreSQL alias of `DATABASES`.
        run_id: Run that asks.
        ttl: Seconds until it may be taken over when nobody renews it.
        wait: Seconds to wait for another holder; 0 asks once.
        report: Hears :class:`~accord.events.LeaseAwaited` while it waits.
        clock: Time, for tests.

    Yields:
        The lease; its `check()` raises once it is lost.

    Raises:
        LeaseHeld: Another run holds it, and the time to wait is over.
        StoreUnavailable: The coordinating database can't be reached.
    """
    clock = clock or SystemClock()
    connection = LeaseConnection(alias)
    try:
        connection.ensure_table()
        fence = _acquire(connection, scope, run_id=run_id, ttl=ttl, wait=wait, report=report, clock=clock)
        with _beating(connection, scope, run_id=run_id, fence=fence, ttl=ttl, clock=clock) as lease:
            yield lease
    finally:
        connection.close()


@contextmanager
def _beating(
    connection: LeaseConnection, scope: str, *, run_id: str, fence: int, ttl: float, clock: Clock
) -> Iterator[Lease]:
    """Renew a granted lease in the background, and release it at the end."""
    bare = Lease(scope=scope, owner=process.identity(), run_id=run_id, fence=fence)
    heartbeat = Heartbeat(connection, bare, ttl, clock)
    heartbeat.start()
    try:
        yield Lease(scope=scope, owner=bare.owner, run_id=run_id, fence=fence, guard=heartbeat.check)
    finally:
        heartbeat.stop()
        _release(connection, bare)


def _release(connection: LeaseConnection, lease: Lease) -> None:
    try:
        connection.execute(_RELEASE, {"scope": lease.scope, "fence": lease.fence})
    except StoreUnavailable:
        # It expires by itself; an error here would hide the one that ended the run.
        return


def _acquire(
    connection: LeaseConnection,
    scope: str,
    *,
    run_id: str,
    ttl: float,
    wait: float,
    report: Reporter,
    clock: Clock,
) -> int:
    """Ask until the lease is granted or the time to wait is over; polls with jitter."""
    deadline = clock.monotonic() + wait
    attempt = 0
    while True:
        fence = _try_to_acquire(connection, scope, run_id=run_id, ttl=ttl)
        if fence is not None:
            return fence
        holder = _read(connection, scope)
        left = deadline - clock.monotonic()
        if holder is not None:
            if left <= 0:
                raise _held(scope, holder, wait)
            report(_awaited(scope, holder, left))
        clock.sleep(min(max(left, 0), _POLLING.pause(attempt, random.random())))  # noqa: S311 - jitter, no secret
        attempt += 1


def _try_to_acquire(connection: LeaseConnection, scope: str, *, run_id: str, ttl: float) -> int | None:
    parameters = {
        "scope": scope,
        "owner": process.identity(),
        "run_id": run_id,
        "ttl": ttl,
        "dead_fence": None,
    }
    granted = connection.execute(_ACQUIRE, parameters)[1]
    if granted is None:
        holder = _read(connection, scope)
        if holder is not None and holder.holder_is_dead:
            # Nobody will ever renew it. The token it held makes this a compare-and-swap.
            granted = connection.execute(_ACQUIRE, {**parameters, "dead_fence": holder.fence})[1]
    return None if granted is None else int(granted[0])


def _awaited(scope: str, holder: LeaseRow, left: float) -> LeaseAwaited:
    return LeaseAwaited(scope=scope, owner=holder.owner, run_id=holder.run_id, age=holder.age, left=left)


def _held(scope: str, holder: LeaseRow, wait: float) -> LeaseHeld:
    return LeaseHeld(
        f"The lease “{scope}” is held by run {holder.run_id} ({process.describe(holder.owner)}) "
        f"since {holder.age:.0f} s.",
        hint=f"Waited {wait:.0f} s. Wait longer with --lock-wait SECONDS, or look at that run.",
    )
