"""Messages to Celery workers: asking them to look at a job, and asking anew when nobody came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from accord.batch_models import BatchJob, BatchSlice, JobState, Place, SliceState
from accord.batches import jobs
from accord.batches.settings import TASK, Workers, app_of
from accord.errors import StoreUnavailable
from accord.secrets.redact import first_line

_RETRIES = {"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 0.5}


def ask(job: BatchJob, workers: Workers) -> None:
    """
    Ask as many workers as a job is to have.

    Args:
        job: The job.
        workers: Of the project.

    Raises:
        ConfigurationError: The Celery app can't be loaded.
        StoreUnavailable: The broker can't be reached.
    """
    for _ in range(job.workers):
        ask_for(job, workers)


def ask_for(job: BatchJob, workers: Workers, *, after: float = 0.0) -> None:
    """
    Ask one worker.

    Args:
        job: The job.
        workers: Of the project.
        after: Seconds that it is to wait.

    Raises:
        ConfigurationError: The Celery app can't be loaded.
        StoreUnavailable: The broker can't be reached.
    """
    app = app_of(workers)
    # Written first: who dies in between has asked for nothing, and it is noticed a little later.
    jobs.all_of_them().filter(pk=job.pk).update(asked_at=Now())
    options: dict[str, Any] = {"queue": workers.queue} if workers.queue else {}
    with _broker():
        app.send_task(
            TASK,
            kwargs={"job": job.reference},
            countdown=after,
            retry_policy=_RETRIES,
            ignore_result=True,
            **options,
        )


def ask_again(job: BatchJob, workers: Workers) -> bool:
    """
    Ask for workers anew where slices wait, nobody has a lease, and nobody was asked lately.

    Args:
        job: The job.
        workers: Of the project.

    Returns:
        Whether they were asked.

    Raises:
        ConfigurationError, StoreUnavailable: As :func:`ask`.
    """
    if not waiting(workers.patience).filter(pk=job.pk).exists():
        return False
    ask(job, workers)
    return True


def waiting(patience: float) -> Any:
    """
    Return the jobs on Celery workers that nobody works on, and nobody was asked to lately.

    Args:
        patience: Seconds that count as lately.
    """
    parts = BatchSlice.objects.filter(job=OuterRef("pk"))
    could = parts.filter(state__in=(SliceState.WAITING, SliceState.RUNNING), until__lte=Now())
    works = parts.filter(state=SliceState.RUNNING, until__gt=Now())
    quiet = Q(asked_at__isnull=True) | Q(asked_at__lte=Now() - timedelta(seconds=patience))
    running = jobs.all_of_them().filter(quiet, state=JobState.RUNNING, place=Place.CELERY)
    return running.filter(Exists(could)).exclude(Exists(works))


@contextmanager
def _broker() -> Iterator[None]:
    from kombu.exceptions import OperationalError

    try:
        yield
    except (OperationalError, OSError) as exc:
        raise StoreUnavailable(
            f"The broker of the Celery workers can't be reached: {first_line(exc)}.",
            hint="Nothing is lost: slices wait in the database. Start it, or go on with batch_jobs run NAME.",
        ) from exc
