"""Patience with locks on a database of Django's: limits set and taken back, and who is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, RunSQL
from django.db.migrations.operations.base import Operation

from accord import conf, db
from accord.events import Reporter
from accord.locks import blockers, patience
from accord.locks.blockers import Ask
from accord.locks.patience import Behind, Patience
from accord.locks.trying import Tries
from accord.seam.types import Lease, Step, StepKey
from migrator.relational.vendors import vendor_of

# What the session's settings allow already may be less, and then it stays so.
_LIMIT = """
SELECT set_config('lock_timeout', CASE WHEN own.seconds > 0 AND own.seconds < %s
    THEN current_setting('lock_timeout') ELSE %s END, true)
FROM (SELECT extract(epoch FROM current_setting('lock_timeout')::interval)) AS own(seconds)
"""
_SET = "SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, false)"


def patience_with(connection: BaseDatabaseWrapper, migration: Migration, step: Step) -> Patience:
    """
    Return how long a migration waits for locks.

    Args:
        connection: Of its database.
        migration: It may say so itself: `locks = {"budget": 900, "reason": "..."}`.
        step: Its step.

    Raises:
        ConfigurationError: The policy can't be read.
        InvalidRevision: What it says can't be read.
    """
    usual = usual_patience(connection)
    asked = getattr(migration, "locks", None)
    if asked is None or not _can_wait(connection):
        return usual
    return patience.parse_waiver(asked, str(step.source.path), usual)


def usual_patience(connection: BaseDatabaseWrapper) -> Patience:
    """
    Return how long locks are waited for where nothing says otherwise.

    Raises:
        ConfigurationError: The policy can't be read.
    """
    return patience.of_environment(conf.load()) if _can_wait(connection) else patience.OFF


def _can_wait(connection: BaseDatabaseWrapper) -> bool:
    """Return whether locks are queued for, and by us: in somebody else's transaction nobody may sleep."""
    return vendor_of(connection).queues_for_locks and not connection.in_atomic_block


def tries_of(
    connection: BaseDatabaseWrapper, migration: Migration, step: Step, lease: Lease, report: Reporter
) -> Tries:
    """Return the tries of one migration."""
    return tries_on(connection, step.key, patience_with(connection, migration, step), lease, report)


def tries_on(
    connection: BaseDatabaseWrapper, key: StepKey | str, waits: Patience, lease: Lease, report: Reporter
) -> Tries:
    """
    Return tries on a database.

    Args:
        connection: Of the database.
        key: What is tried, for messages.
        waits: How long.
        lease: The right to write.
        report: Hears what is waited for.
    """

    def pid() -> int | None:
        return pid_of(connection)

    def beckon(relation: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(blockers.beckoning(relation))

    return Tries(
        key=key,
        patience=waits,
        lease=lease,
        report=report,
        beside=lambda: beside(connection.alias),
        pid=pid,
        beckon=beckon,
    )


def pid_of(connection: Any) -> int | None:
    """Return the server's process behind a connection; None while there is none."""
    info = getattr(connection.connection, "info", None)
    found = getattr(info, "backend_pid", None)
    return int(found) if found else None


@contextmanager
def beside(alias: str) -> Iterator[Ask]:
    """Open a connection of this thread's own, from which another session can be looked at."""

    def ask(sql: str) -> Any:
        with connections[alias].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    yield ask  # its connection is the thread's, and goes with it


def limit(connection: BaseDatabaseWrapper, seconds: float | None) -> None:
    """
    Let no statement of this transaction stand in a queue for longer.

    Args:
        connection: In a transaction.
        seconds: How long; None leaves what the server's settings say.
    """
    if seconds:
        with connection.cursor() as cursor:
            cursor.execute(_LIMIT, [seconds, _written(seconds)])


@contextmanager
def limited(connection: BaseDatabaseWrapper, seconds: float | None) -> Iterator[None]:
    """
    Let no statement of the body stand in a queue for longer; the session is left as it was found.

    Args:
        connection: Outside of a transaction.
        seconds: How long; 0 for ever, None leaves what the server's settings say.
    """
    if seconds is None:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(_SET, [_written(seconds)])
        ((before, _),) = cursor.fetchall()
    try:
        yield
    finally:
        # A session that broke has nothing left to be put back.
        with suppress(*db.ERRORS), connection.cursor() as cursor:
            cursor.execute(_SET, [before])


def who_waits_behind(operation: Operation) -> Behind:
    """Return who waits behind an operation that waits for a lock, outside of a transaction."""
    sql = str(operation.sql).lower() if isinstance(operation, RunSQL) else ""
    return Behind.NOBODY if "concurrently" in sql else Behind.EVERYBODY


def _written(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
