"""
A job on the Celery workers of a project.

A message only asks a worker to look at a job. As long as the job runs, each message that was worked on is
followed by one other; where all are lost, with their broker or with a worker that knows nothing of us,
whoever watches the job sends new ones. What is done, and by whom, is never known from a broker.
"""

from __future__ import annotations

from collections.abc import Callable

from accord import stopping
from accord.batch_models import BatchJob, JobState, Place
from accord.batches import asking, here, jobs, kinds
from accord.batches.running import Worker
from accord.batches.settings import required
from accord.batches.sizes import Clock
from accord.errors import StoreUnavailable
from accord.events import Reporter, silent

_OTHER_VERSION = 10.0
"""Seconds after which another worker is asked, where this one has other code."""
_NOTHING_TO_DO = 5.0
"""Seconds after which a worker looks again whether one of those who have all slices is gone."""


def run(
    job: BatchJob,
    *,
    report: Reporter = silent,
    stop: Callable[[], bool] = stopping.wished,
) -> None:
    """
    Let Celery workers do a job, and wait until it is done.

    Args:
        job: The job, whose place is Celery.
        report: Hears how far it is.
        stop: Asked twice a second; true leaves the workers at it, and ends the waiting.

    Raises:
        BatchesFailed: A slice failed again and again.
        BatchesStopped: Somebody stopped the job.
        Interrupted: It was asked to stop waiting.
        ConfigurationError: The project names no workers.
        StoreUnavailable: The broker can't be reached.
    """
    workers = required()
    telling = here.Telling(job, report)
    asking.ask(job, workers)

    def tend() -> None:
        try:
            if asking.ask_again(job, workers):
                telling.note("no worker was at it; workers are asked anew.")
        except StoreUnavailable as exc:
            telling.note(f"{exc.message} It is tried again.")

    here.watch(job, tend, telling, stop)


def take_turn(reference: str, *, clock: Clock) -> None:
    """
    Work on a job for a while, as one worker of it, and ask for the next turn where something is left.

    Args:
        reference: Of the job.
        clock: Seconds that pass.
    """
    job = jobs.all_of_them().filter(reference=reference, place=Place.CELERY, state=JobState.RUNNING).first()
    if job is None:
        # Done meanwhile, paused, or a job of another database: a message is no order.
        return
    workers = required()
    work = kinds.build(job.kind, job.arguments)
    if work.version != job.version:
        asking.ask_for(job, workers, after=_OTHER_VERSION)
        return
    ends = clock() + workers.turn
    worker = Worker(
        job=job.reference, name=job.name, work=work, ttl=workers.lease, stop=lambda: clock() > ends
    )
    taken = worker.run()
    if jobs.settle(job) is JobState.RUNNING:
        asking.ask_for(job, workers, after=0.0 if taken else _NOTHING_TO_DO)
