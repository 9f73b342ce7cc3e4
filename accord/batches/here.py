"""A job in this process: worked on until it has ended, together with whoever else works on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from accord import conf, db, stopping
from accord.batch_models import BatchJob, JobState
from accord.batches import jobs, kinds, leases
from accord.batches.errors import BatchesFailed, BatchesStopped
from accord.batches.running import LEASE, Worker
from accord.batches.sizes import Clock
from accord.connecting import trouble_of
from accord.errors import Interrupted
from accord.events import Event, Reporter, StepNoted, StepProgressed, one_at_a_time, silent

_LOOK_AGAIN = 0.5
_TELL_EVERY = 1.0
_OUTAGE = 60.0
"""Seconds for which the coordinating database may be away in one go."""


def run(
    job: BatchJob,
    *,
    report: Reporter = silent,
    stop: Callable[[], bool] = stopping.wished,
    ttl: float = LEASE,
) -> None:
    """
    Work on a job here until it is done. A paused one is waited for.

    Args:
        job: The job, as :func:`accord.batches.jobs.start` gave it.
        report: Hears how far it is.
        stop: Asked between two batches; true ends it after the batch.
        ttl: Seconds after which a worker that isn't heard of is thought dead.

    Raises:
        BatchesFailed: A slice failed again and again; the others are done.
        BatchesStopped: Somebody stopped the job.
        Interrupted: It was asked to stop; the same call goes on.
    """
    telling = Telling(job, report)
    work = kinds.build(job.kind, job.arguments)
    worker = Worker(
        job=job.reference, name=job.name, work=work, stop=stop, beat=telling.far, report=telling, ttl=ttl
    )
    watch(job, worker.run, telling, stop)


def watch(job: BatchJob, act: Callable[[], object], telling: Telling, stop: Callable[[], bool]) -> None:
    """
    Do something for a job again and again until it has ended.

    Args:
        job: The job.
        act: What there is to do: work on it, or see that others do.
        telling: Tells how far it is.
        stop: Whether to end.

    Raises:
        BatchesFailed, BatchesStopped, Interrupted: As :func:`run`.
        StoreUnavailable: The coordinating database was away for too long.
    """
    outage = _Outage(telling)
    while True:
        state = outage.borne(partial(_turn, job, act, telling))
        if state in jobs.ENDED:
            _conclude(job, state)
            return
        if stop():
            raise Interrupted(
                f"The job “{job.name}” was interrupted; what it has done is recorded.",
                hint="Run the same command again to continue.",
            )
        if state is JobState.PAUSED:
            telling.note("is paused; batch_jobs resume lets it go on.")
        time.sleep(_LOOK_AGAIN)


def _turn(job: BatchJob, act: Callable[[], object], telling: Telling) -> JobState:
    leases.end_those_of_the_dead(job.reference)
    act()
    state = jobs.settle(job)
    telling.far()
    return state


class _Outage:
    """Bears that the coordinating database is away for a while: a restart, a failover, an ended session."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._since: float | None = None

    def borne(self, turn: Callable[[], JobState]) -> JobState:
        """Do a turn; where the database is away, tell it, and let there be another one."""
        try:
            state = turn()
        except db.ERRORS as exc:
            trouble, alias = trouble_of(exc), conf.load().coordinator
            if trouble is None:
                raise
            self._since = self._since or time.monotonic()
            if time.monotonic() - self._since > _OUTAGE:
                raise trouble.error(f"The coordinating database “{alias}”", alias, exc) from exc
            self._telling.note("the coordinating database is away; it is tried again.")
            db.revive(alias)
            return JobState.RUNNING
        self._since = None
        return state


def _conclude(job: BatchJob, state: JobState) -> None:
    if state is JobState.FAILED:
        raise BatchesFailed(
            f"The job “{job.name}” failed in {jobs.first_error(job)}",
            hint="See batch_jobs show NAME, mend the cause, then go on with batch_jobs run NAME.",
        )
    if state is JobState.STOPPED:
        raise BatchesStopped(
            f"The job “{job.name}” was stopped.", hint="batch_jobs run NAME lets it go on where it stands."
        )


class Telling:
    """
    Passes events on, and tells now and then how far a job is.

    Args:
        job: The job.
        report: Hears it.
        clock: Seconds that pass.
    """

    def __init__(self, job: BatchJob, report: Reporter, clock: Clock = time.monotonic) -> None:
        self._job, self._report, self._clock = job, one_at_a_time(report), clock
        self._last = clock() - _TELL_EVERY
        self._noted = ""

    def __call__(self, event: Event) -> None:
        """Pass an event on."""
        self._report(event)

    def note(self, text: str) -> None:
        """Tell something that whoever waits should read, once until there is something else."""
        if text != self._noted:
            self._noted = text
            self._report(StepNoted(key=self._job.name, note=text))

    def far(self) -> None:
        """Tell how far the job is, once a second at most."""
        if self._clock() - self._last < _TELL_EVERY:
            return
        self._last = self._clock()
        far = jobs.progress(self._job)
        expected = None if far.expected is None else round(far.expected)
        self._report(StepProgressed(key=self._job.name, done=far.rows, total=expected))
