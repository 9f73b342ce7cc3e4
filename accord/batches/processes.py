"""A job in several processes of this machine."""

from __future__ import annotations

from collections.abc import Callable

from accord import stopping
from accord.batch_models import BatchJob
from accord.batches import children, here
from accord.batches.running import LEASE
from accord.events import Reporter, silent


def run(
    job: BatchJob,
    *,
    count: int,
    report: Reporter = silent,
    stop: Callable[[], bool] = stopping.wished,
    ttl: float = LEASE,
) -> None:
    """
    Work on a job in processes of this machine until it is done. They end with this one.

    Args:
        job: The job, as :func:`accord.batches.jobs.start` gave it.
        count: How many work at a time.
        report: Hears how far it is; by one thread at a time.
        stop: Asked twice a second; true ends them after their batches.
        ttl: Seconds after which a worker that isn't heard of is thought dead.

    Raises:
        BatchesFailed: A slice failed again and again, or the processes end by themselves.
        BatchesStopped: Somebody stopped the job.
        Interrupted: It was asked to stop; the same call goes on.
        ConfigurationError: Tests run.
    """
    telling = here.Telling(job, report)
    with children.started(job, count, ttl, telling) as working:
        here.watch(job, working.look, telling, stop)
