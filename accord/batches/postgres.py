"""
What a PostgreSQL asks of those who load it, decided from one reading.

What this role may not see isn't counted: the lag of replicas and other sessions' work take `pg_monitor`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connections

from accord.batches.pressure import Pressure

NAME = "accord batches"
"""How the sessions of batches call themselves while they write (`application_name`)."""
LAG = 10.0
"""Seconds that a replica may be behind."""
_LONGEST, _BRIEFLY, _LONG = 30.0, 1.0, 15.0

_READ = """
SELECT
    (SELECT coalesce(max(extract(epoch FROM replay_lag)), 0)::float8 FROM pg_stat_replication),
    (SELECT count(DISTINCT waiting.pid) FROM pg_stat_activity AS waiting
        CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocking (pid)
        JOIN pg_stat_activity AS ours ON ours.pid = blocking.pid AND ours.application_name = %(name)s
        WHERE waiting.wait_event_type = 'Lock' AND waiting.application_name <> %(name)s),
    (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'autovacuum worker'
            AND query LIKE '%%(to prevent wraparound)%%')
"""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """
    What is seen of a server.

    Attributes:
        lag: Seconds that the replica which is furthest behind has to catch up with.
        waiting: Sessions that wait for a lock that a batch has.
        wraparound: Vacuums at work that keep the numbers of transactions from running out.
    """

    lag: float = 0.0
    waiting: int = 0
    wraparound: int = 0


def read(alias: str) -> Reading:
    """
    Look at a server once; some milliseconds.

    Args:
        alias: A database on it.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(_READ, {"name": NAME})
        lag, waiting, wraparound = cursor.fetchone()
    return Reading(lag=lag, waiting=waiting, wraparound=wraparound)


def judge(reading: Reading) -> Pressure:
    """Decide how long to leave a server alone; the gravest reason is told."""
    if reading.wraparound:
        return Pressure(seconds=_LONG, why="an autovacuum to prevent wraparound is at work")
    if reading.lag >= LAG:
        return Pressure(seconds=min(reading.lag, _LONGEST), why=f"a replica is {reading.lag:.0f} s behind")
    if reading.waiting:
        others = "1 session waits" if reading.waiting == 1 else f"{reading.waiting} sessions wait"
        return Pressure(seconds=_BRIEFLY, why=f"{others} for locks that batches have")
    return Pressure()


def pressure(alias: str) -> Pressure:
    """
    Look at a server, and decide how long to leave it alone.

    Args:
        alias: A database on it.
    """
    return judge(read(alias))
