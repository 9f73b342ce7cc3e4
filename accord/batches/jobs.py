"""Jobs in batches: begun once, under a name, and steered by whoever may."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Now

from accord import acting, conf
from accord.acting import Account
from accord.audit import trail
from accord.audit.events import Counter, EventKind, EventOutcome, ObjectKind
from accord.batch_models import BatchJob, BatchSlice, JobState, Place, SliceState
from accord.batches import kinds
from accord.batches.progress import Progress
from accord.batches.work import Work
from accord.errors import UnknownTarget, UsageError

ENDED = frozenset((JobState.DONE, JobState.FAILED, JobState.STOPPED))
_AT_ONCE = 1000


def all_of_them() -> QuerySet[BatchJob]:
    """Return the jobs of the project, newest first."""
    return BatchJob.objects.using(conf.load().coordinator)


def find(name: str) -> BatchJob:
    """
    Find a job by its name, or by the beginning of its reference.

    Raises:
        UnknownTarget: There is none, or more than one.
    """
    named = find_named(name)
    found = [named] if named else list(all_of_them().filter(reference__startswith=name.lower())[:2])
    if len(found) != 1:
        fact = "More than one job begins" if found else "There is no job"
        raise UnknownTarget(f"{fact} “{name}”.", hint="batch_jobs list shows them.")
    return found[0]


def find_named(name: str) -> BatchJob | None:
    """Return the job of this name; None where there is none."""
    return all_of_them().filter(name=name).first()


def forget(name: str) -> None:
    """Remove a job wherever it stands. Who works on it is refused the next batch; what is done stays."""
    alias = conf.load().coordinator
    with transaction.atomic(using=alias):
        job = find_named(name)
        if job is None:
            return
        if job.state not in ENDED:
            _record(EventKind.BATCHES_STOPPED, job, acting.worker(), counters=_numbers(job))
        job.delete()


def start(
    name: str,
    kind: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    place: Place = Place.HERE,
    workers: int = 1,
) -> BatchJob:
    """
    Begin a job, unless one of this name is there: that one goes on, with the code of now.

    Nothing of it is done yet: see :func:`accord.batches.here.run`.

    Args:
        name: Tells it from all other jobs, also from the same work at another time.
        kind: Of the work.
        arguments: Of the work, as JSON.
        place: Where it is to run.
        workers: How many are to work on it.

    Raises:
        UsageError: The job of this name is another work.
        ConfigurationError: There is no such kind.
    """
    given = dict(arguments or {})
    work = kinds.build(kind, given)
    job = find_named(name)
    if job is None:
        job = _made(name, kind, given, work, place, workers)
    if (job.kind, job.arguments) != (kind, given):
        raise UsageError(
            f"The job “{name}” is another work: {job.kind} with other arguments.",
            hint="Give this one another name.",
        )
    return adopt(job, work, place=place, workers=workers)


def adopt(job: BatchJob, work: Work, *, place: Place, workers: int) -> BatchJob:
    """
    Let a job go on with the code of this process: workers of another version leave it alone from now on.

    Args:
        job: The job.
        work: Its work, as it is built here.
        place: Where it is to run from now on.
        workers: How many are to work on it.
    """
    job.version, job.place, job.workers = work.version, place, workers
    job.save(update_fields=["version", "place", "workers"])
    return job


def _made(
    name: str, kind: str, arguments: Mapping[str, Any], work: Work, place: Place, workers: int
) -> BatchJob:
    alias = conf.load().coordinator
    slices = list(work.slices())
    with transaction.atomic(using=alias):
        job, made = all_of_them().get_or_create(
            name=name,
            defaults={
                "reference": uuid.uuid4().hex,
                "kind": kind,
                "arguments": arguments,
                "version": work.version,
                "place": place,
                "workers": workers,
                "total": work.total(),
                "made_at": Now(),
                "looked_at": Now(),
                "held_until": Now(),
            },
        )
        if made:
            rows = (
                BatchSlice(job=job, number=number, bounds=bounds, size=work.sizes.first, until=Now())
                for number, bounds in enumerate(slices, 1)
            )
            BatchSlice.objects.using(alias).bulk_create(rows, batch_size=_AT_ONCE)
            _record(
                EventKind.BATCHES_STARTED, job, acting.worker(), counters={Counter.TOTAL.value: len(slices)}
            )
    # What the server's clock said.
    job.refresh_from_db()
    return job


def progress(job: BatchJob) -> Progress:
    """Read how far a job has come."""
    parts = BatchSlice.objects.using(job._state.db).filter(job=job)
    states = {state: parts.filter(state=state) for state in SliceState.values}
    sums = parts.aggregate(
        rows=Sum("rows", default=0),
        bytes=Sum("bytes", default=0),
        worked=Sum("seconds", default=0.0),
        active=Count("id", filter=Q(state=SliceState.RUNNING, until__gt=Now())),
        **{f"in_{state}": Count("id", filter=Q(state=state)) for state in states},
    )
    counted = {state: sums.pop(f"in_{state}") for state in states}
    return Progress(
        slices={state: number for state, number in counted.items() if number}, total=job.total, **sums
    )


def first_error(job: BatchJob) -> str:
    """Return what went wrong with the first slice that failed; empty where none did."""
    failed = BatchSlice.objects.using(job._state.db).filter(job=job, state=SliceState.FAILED)
    found = failed.values_list("number", "error").first()
    return f"slice {found[0]}: {found[1]}" if found else ""


def settle(job: BatchJob) -> JobState:
    """
    End a job none of whose slices is left, and return how it stands.

    Keys that stand in bounds and cursors go with the end of what they were for.
    """
    alias = job._state.db
    with transaction.atomic(using=alias):
        current = all_of_them().select_for_update().get(pk=job.pk)
        parts = BatchSlice.objects.using(alias).filter(job=job)
        is_open = parts.filter(state__in=(SliceState.WAITING, SliceState.RUNNING)).exists()
        if current.state == JobState.RUNNING and not is_open:
            failed = parts.filter(state=SliceState.FAILED).exists()
            current.state = JobState.FAILED if failed else JobState.DONE
            current.ended_at = Now()
            current.save(update_fields=["state", "ended_at"])
            if not failed:
                parts.update(bounds={}, cursor=None)
            outcome = EventOutcome.FAILED if failed else EventOutcome.DONE
            _record(
                EventKind.BATCHES_FINISHED,
                current,
                acting.worker(),
                outcome=outcome,
                counters=_numbers(current),
            )
    return JobState(current.state)


def pause(job: BatchJob, by: Account | None = None) -> bool:
    """Let every worker end after its batch, until the job is resumed; False where it doesn't run."""
    return _turn(job, JobState.PAUSED, EventKind.BATCHES_PAUSED, by, of={JobState.RUNNING})


def stop(job: BatchJob, by: Account | None = None) -> bool:
    """Let every worker end after its batch, for good unless the job is resumed; False if it has ended."""
    return _turn(job, JobState.STOPPED, EventKind.BATCHES_STOPPED, by, of={JobState.RUNNING, JobState.PAUSED})


def resume(job: BatchJob, by: Account | None = None) -> bool:
    """Let a job go on that was paused, was stopped or has failed, where it stands; False otherwise."""
    of = {JobState.PAUSED, JobState.STOPPED, JobState.FAILED}
    return _turn(job, JobState.RUNNING, EventKind.BATCHES_RESUMED, by, of=of)


def _turn(job: BatchJob, state: JobState, event: EventKind, by: Account | None, *, of: set[JobState]) -> bool:
    alias = job._state.db
    with transaction.atomic(using=alias):
        current = all_of_them().select_for_update().get(pk=job.pk)
        if current.state not in of:
            return False
        current.state, current.ended_at = state, Now() if state in ENDED else None
        current.save(update_fields=["state", "ended_at"])
        if state is JobState.RUNNING:
            failed = BatchSlice.objects.using(alias).filter(job=job, state=SliceState.FAILED)
            failed.update(state=SliceState.WAITING, tries=0, until=Now())
        _record(event, current, by or acting.worker(), counters=_numbers(current))
    job.refresh_from_db()
    return True


def _numbers(job: BatchJob) -> dict[str, int]:
    far = progress(job)
    numbers = {Counter.DONE: far.done, Counter.TOTAL: far.count, Counter.AFFECTED: far.rows}
    return {name.value: number for name, number in numbers.items()}


def _record(
    event: EventKind,
    job: BatchJob,
    by: Account | None,
    *,
    counters: Mapping[str, int],
    outcome: EventOutcome = EventOutcome.DONE,
) -> None:
    trail.record(
        event,
        actor=acting.actor(by),
        object_kind=ObjectKind.BATCH_JOB,
        object_ref=job.reference,
        outcome=outcome,
        counters=counters,
    )
