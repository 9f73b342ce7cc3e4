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
from collections.abc import Iterator
from contextlib import contextmanager

from accord import isolation, process
from accord.clock import Clock, SystemClock
from accord.errors import LeaseHeld, LeaseLost, StoreUnavailable
from accord.events import LeaseAwaited, Reporter, silent
from accord.lease_row import TABLE, LeaseConnection, LeaseRow, read, read_row
from accord.retry import Backoff
from accord.seam.types import Lease

__all__ = ["TABLE", "Heartbeat", "LeaseConnection", "LeaseRow", "hold", "read"]

_POLLING = Backoff(first=0.05, factor=1.6, most=1.0)

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
        """Start renewing the lease."""
        self._thread.start()

    def stop(self) -> None:
        """Stop renewing the lease; return once the thread has ended."""
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """
        Check that the lease is ours; renew it first if the heartbeat fell behind.

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
        ttl: Seconds until it may be taken over when its holder does not renew it.
        wait: Seconds to wait for another holder; 0 asks once.
        report: Receives :class:`~accord.events.LeaseAwaited` while it waits.
        clock: Time, for tests.

    Yields:
        The lease; its `check()` raises once it is lost.

    Raises:
        LeaseHeld: Another run holds it, and the time to wait is over.
        StoreUnavailable: The coordinating database can't be reached.
        ConfigurationError: Tests run, and it is no test database.
    """
    isolation.refuse_real(alias)
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
        holder = read_row(connection, scope)
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
        holder = read_row(connection, scope)
        if holder is not None and holder.holder_is_dead:
            # A dead holder never renews it. The fencing token it held makes this a compare-and-swap.
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
