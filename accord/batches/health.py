"""Health of jobs in batches: whether one fails, or waits for workers that don't come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from accord.batch_models import BatchJob, BatchSlice, JobState, SliceState
from accord.batches import jobs
from accord.health.runner import Finding, Level

STUCK_AFTER = timedelta(minutes=5)
"""How long nobody may have a lease of a job that runs, before it is told."""
_NAMED = 3


def look_at_batches() -> Iterator[Finding]:
    """Ask for jobs that run and that nobody works on, and for those that have failed."""
    yield _told("batches.stuck", _stuck(), "No job in batches waits for workers.", "nobody works on")
    yield _told("batches.failed", _failed(), "No job in batches has failed.", "failed")


def _stuck() -> list[BatchJob]:
    """Return jobs that run, and whose last lease ended some time ago."""
    parts = BatchSlice.objects.filter(job=OuterRef("pk"))
    is_open = parts.filter(state__in=(SliceState.WAITING, SliceState.RUNNING))
    moved = parts.filter(until__gt=Now() - STUCK_AFTER)
    running = jobs.all_of_them().filter(state=JobState.RUNNING)
    return list(running.filter(Exists(is_open)).exclude(Exists(moved)))


def _failed() -> list[BatchJob]:
    return list(jobs.all_of_them().filter(state=JobState.FAILED))


def _told(name: str, found: list[BatchJob], fine: str, what: str) -> Finding:
    if not found:
        return Finding(name=name, level=Level.OK, message=fine, value=0, threshold=1)
    named = ", ".join(f"“{job.name}”" for job in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return Finding(
        name=name,
        level=Level.WARN,
        message=f"Jobs in batches that {what}: {named}{more}.",
        value=len(found),
        threshold=1,
        hint="batch_jobs show NAME tells more; batch_jobs run NAME goes on.",
    )
