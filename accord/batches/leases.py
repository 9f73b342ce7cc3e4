"""
Leases of slices: who works on which, until when, and what of it counts.

The server's clock decides. Whoever takes a slice raises its fence, and a cursor is written only under the
fence that it was taken with, so that a worker that was frozen, or thought dead, changes nothing afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections

from accord import conf, process
from accord.batch_models import JobState, SliceState
from accord.batches.work import Bounds, Cursor, Done

MOST_TRIES = 5
"""After so many tries without any progress a slice has failed: it ends its workers, or always fails."""
_LONGEST_PAUSE = 60
_LESS = 4
"""What the size of a slice's batches is divided by when a lease ran out: they may have been too large."""

# Waiting ones have no lease: theirs ended, or they are to be left alone for a while after an error.
_CLAIM = """
WITH found AS (
    SELECT part.id, (part.state = 'running')::int AS lost
    FROM accord_batchslice AS part JOIN accord_batchjob AS job ON job.reference = part.job_id
    WHERE part.job_id = %(job)s AND job.state = 'running' AND job.version = %(version)s
        AND part.state IN ('waiting', 'running') AND part.until <= clock_timestamp()
    ORDER BY part.number LIMIT 1 FOR UPDATE OF part SKIP LOCKED
)
UPDATE accord_batchslice AS part SET
    fence = part.fence + 1, owner = %(owner)s, tries = part.tries + lost,
    until = clock_timestamp() + %(ttl)s * interval '1 second',
    size = CASE lost WHEN 1 THEN greatest(part.size / %(less)s, 1) ELSE part.size END,
    state = CASE WHEN part.tries + lost >= %(most)s THEN 'failed' ELSE 'running' END,
    error = CASE WHEN part.tries + lost >= %(most)s AND part.error = '' THEN %(lost)s ELSE part.error END
FROM found WHERE part.id = found.id
RETURNING part.number, part.fence, part.bounds::text, part.cursor::text, part.size, part.state
"""
_LOST = "Its workers ended, or were not heard of any more, before a single batch was done."
_STAND = """
RETURNING job.state, job.version, job.held_why,
    greatest(extract(epoch FROM job.held_until - clock_timestamp()), 0)::float8,
    extract(epoch FROM clock_timestamp() - job.looked_at)::float8
"""
_MINE = """
FROM accord_batchjob AS job
WHERE job.reference = part.job_id AND part.job_id = %(job)s AND part.number = %(number)s
    AND part.fence = %(fence)s AND part.state = 'running'
"""
_KEEP = f"""
UPDATE accord_batchslice AS part SET
    cursor = %(cursor)s::jsonb, rows = part.rows + %(rows)s, bytes = part.bytes + %(bytes)s, size = %(size)s,
    seconds = part.seconds + %(seconds)s, tries = 0, error = '',
    until = clock_timestamp() + %(ttl)s * interval '1 second', state = %(state)s
{_MINE} {_STAND}
"""  # noqa: S608 - constants
_RENEW = f"""
UPDATE accord_batchslice AS part SET until = clock_timestamp() + %(ttl)s * interval '1 second'
{_MINE} {_STAND}
"""  # noqa: S608 - constants
_GIVE_BACK = """
UPDATE accord_batchslice AS part SET
    state = CASE WHEN %(error)s <> '' AND part.tries + 1 >= %(most)s THEN 'failed' ELSE 'waiting' END,
    tries = part.tries + (%(error)s <> '')::int, size = %(size)s,
    error = CASE WHEN %(error)s <> '' THEN %(error)s ELSE part.error END,
    until = clock_timestamp() + CASE WHEN %(error)s <> ''
        THEN least(%(longest)s, 0.5 * power(2, part.tries)) * interval '1 second' ELSE interval '0' END
WHERE part.job_id = %(job)s AND part.number = %(number)s AND part.fence = %(fence)s AND part.state = 'running'
"""
_LOOK = """
UPDATE accord_batchjob SET looked_at = clock_timestamp()
WHERE reference = %(job)s AND looked_at <= clock_timestamp() - %(every)s * interval '1 second'
"""
_HOLD_BACK = """
UPDATE accord_batchjob SET
    held_until = clock_timestamp() + %(seconds)s * interval '1 second', held_why = %(why)s
WHERE reference = %(job)s
"""
_OWNERS = """
SELECT DISTINCT owner FROM accord_batchslice
WHERE job_id = %(job)s AND state = 'running' AND until > clock_timestamp()
"""
_END_OWNER = """
UPDATE accord_batchslice SET until = clock_timestamp()
WHERE job_id = %(job)s AND state = 'running' AND owner = %(owner)s AND until > clock_timestamp()
"""


class SliceLost(Exception):
    """The lease of a slice was given to another worker."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """
    A slice that a worker has a lease of.

    Attributes:
        job: Reference of the job.
        number: Of the slice.
        fence: Number of the lease.
        bounds: What it covers.
        cursor: How far it has come.
        size: Of the next batch.
        failed: Whether it is given up instead: too many of its workers ended.
    """

    job: str
    number: int
    fence: int
    bounds: Bounds
    cursor: Cursor | None
    size: int
    failed: bool = False

    @property
    def where(self) -> dict[str, Any]:
        """Return what finds it, under its lease alone."""
        return {"job": self.job, "number": self.number, "fence": self.fence}


@dataclass(frozen=True, kw_only=True)
class Stand:
    """
    How a job stands, as a worker between two batches sees it.

    Attributes:
        state: Of the job.
        version: Of the code that may work on it.
        why: Why it waits; empty when it doesn't.
        seconds: For how long it is to be left alone.
        looked_ago: Seconds since the load of its store was looked at.
    """

    state: str
    version: str
    why: str
    seconds: float
    looked_ago: float


def claim(job: str, *, version: str, owner: str, ttl: float) -> Held | None:
    """
    Take a lease of a slice that waits, or whose lease has ended.

    Args:
        job: Reference of the job.
        version: Of the worker's code.
        owner: Who takes it.
        ttl: Seconds until the lease ends.

    Returns:
        None when there is none, the job isn't running, or is of other code.
    """
    values = {"job": job, "version": version, "owner": owner, "ttl": ttl, "lost": _LOST}
    row = _one(_CLAIM, {**values, "most": MOST_TRIES, "less": _LESS})
    if row is None:
        return None
    number, fence, bounds, cursor, size, state = row
    return Held(
        job=job,
        number=number,
        fence=fence,
        bounds=json.loads(bounds),
        cursor=None if cursor is None else json.loads(cursor),
        size=size,
        failed=state == SliceState.FAILED,
    )


def keep(held: Held, done: Done, *, size: int, seconds: float, ttl: float) -> Stand:
    """
    Write down what a batch came to, and renew the lease. Within a transaction, it counts with that.

    Args:
        held: The slice.
        done: What the batch came to.
        size: Of the next one.
        seconds: That it took.
        ttl: Seconds until the lease ends.

    Raises:
        SliceLost: The lease was given to another worker; nothing was written.
    """
    state = SliceState.DONE if done.cursor is None else SliceState.RUNNING
    cursor = None if done.cursor is None else json.dumps(done.cursor)
    values = {"cursor": cursor, "rows": done.rows, "bytes": done.bytes, "size": size, "seconds": seconds}
    return _stand(_KEEP, {**held.where, **values, "ttl": ttl, "state": state.value})


def renew(held: Held, *, ttl: float) -> Stand:
    """
    Renew a lease without having done anything.

    Raises:
        SliceLost: It was given to another worker.
    """
    return _stand(_RENEW, {**held.where, "ttl": ttl})


def give_back(held: Held, *, error: str = "") -> None:
    """
    End a lease before its time; nothing where it isn't ours any more.

    Args:
        held: The slice, with the size of its next batch.
        error: What went wrong; it is then left alone for a while, and given up after several tries.
    """
    values = {"error": error[:300], "most": MOST_TRIES, "longest": _LONGEST_PAUSE, "size": held.size}
    _do(_GIVE_BACK, {**held.where, **values})


def take_look(job: str, *, every: float) -> bool:
    """Return whether it is our turn to look at the load of the store: one worker's in so many seconds."""
    return _do(_LOOK, {"job": job, "every": every}) == 1


def hold_back(job: str, seconds: float, why: str) -> None:
    """Let every worker of a job wait; 0 seconds let them go on."""
    _do(_HOLD_BACK, {"job": job, "seconds": seconds, "why": why[:200]})


def end_those_of_the_dead(job: str) -> int:
    """End the leases of workers that were on this machine and are certainly gone, and count them."""
    owners = [owner for (owner,) in _all(_OWNERS, {"job": job})]
    return sum(_do(_END_OWNER, {"job": job, "owner": owner}) for owner in owners if process.is_dead(owner))


def _stand(statement: str, values: Mapping[str, Any]) -> Stand:
    row = _one(statement, values)
    if row is None:
        raise SliceLost
    state, version, why, seconds, looked_ago = row
    return Stand(state=state, version=version, why=why, seconds=seconds, looked_ago=looked_ago)


def may_run(stand: Stand, version: str) -> bool:
    """Return whether a worker of this version goes on with a job."""
    return stand.state == JobState.RUNNING and stand.version == version


def _one(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    return next(iter(_all(statement, values)), None)


def _all(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connections[conf.load().coordinator].cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _do(statement: str, values: Mapping[str, Any]) -> int:
    with connections[conf.load().coordinator].cursor() as cursor:
        cursor.execute(statement, values)
        changed: int = cursor.rowcount
        return changed
