"""
What a Celery worker does for jobs in batches; workers find the module by themselves (`autodiscover_tasks`).

A message names a job and nothing else: neither what is to be imported nor what is to be done stands in it.
One that comes twice, late, for a job that is gone, or not at all, does no harm: slices are what counts, and
they are in the database.
"""

from __future__ import annotations

import time
from typing import Any

from celery import shared_task

from accord.batches import celery_workers
from accord.batches.settings import TASK


@shared_task(  # type: ignore[untyped-decorator]  # Celery has no types
    bind=True, name=TASK, acks_late=True, reject_on_worker_lost=True, ignore_result=True, max_retries=0
)
def run(_self: Any, job: str) -> None:
    """
    Take slices of a job until none is left or others shall have a turn.

    Args:
        job: Its reference.
    """
    celery_workers.take_turn(job, clock=time.monotonic)
