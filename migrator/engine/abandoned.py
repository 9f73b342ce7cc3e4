"""Runs whose process ended without a word: what holds no lease isn't running, and was interrupted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accord import conf, db, lease
from accord.errors import Interrupted, StoreUnavailable
from accord.lease_row import LeaseRow
from migrator.engine import run_trail
from migrator.engine.journal import tables_exist
from migrator.models import Run, RunKind, RunOutcome, StepRun

_SCOPE = "migrations"
_ENDED_SILENTLY = (
    "Its process ended without a word: it was killed, or the machine went away. “Finished” is when it was "
    "last alive. "
    "Start the same command again: it goes on from there."
)


def lease_scope(settings: conf.AccordSettings) -> str:
    """Return what the lease of a project's migrations is called."""
    return f"{_SCOPE}:{settings.project}"


def close_others(alias: str, *, holder: str) -> None:
    """
    Close every run but the one that holds the lease: under it, no other run can be going on.

    Args:
        alias: The coordinating database.
        holder: The run that holds the lease.
    """
    try:
        if tables_exist(alias):
            _close(alias, [run for run in _running(alias) if run != holder], None, 0)
    except db.ERRORS:
        # The journal never stops a run; the next one finds them again.
        return


def close_dead(settings: conf.AccordSettings) -> None:
    """
    Close the runs that hold no lease, for whoever looks at them without a run of their own.

    Args:
        settings: Settings of the suite.
    """
    alias = settings.coordinator
    try:
        # Read before the lease: a run that begins in between holds the lease by then.
        if tables_exist(alias) and (running := _running(alias)):
            row = lease.read(alias, lease_scope(settings))
            alive = row.run_id if row is not None and row.held and not row.holder_is_dead else ""
            _close(alias, [run for run in running if run != alive], row, settings.lease_ttl)
    except (*db.ERRORS, StoreUnavailable):
        # Whoever only looks may lack the right to write, and is shown what stands there.
        return


def _running(alias: str) -> list[str]:
    return list(Run.objects.using(alias).filter(outcome=RunOutcome.RUNNING).values_list("pk", flat=True))


def _close(alias: str, runs: list[str], row: LeaseRow | None, ttl: float) -> None:
    for run in Run.objects.using(alias).filter(pk__in=runs).prefetch_related("steps"):
        end = _last_alive(run, row, ttl)
        with transaction.atomic(using=alias):
            steps = StepRun.objects.using(alias).filter(run=run, outcome=RunOutcome.RUNNING)
            steps.update(outcome=RunOutcome.INTERRUPTED)
            # Only while it still says so: a run may have ended by itself a moment ago.
            left = Run.objects.using(alias).filter(pk=run.pk, outcome=RunOutcome.RUNNING)
            closed = left.update(
                outcome=RunOutcome.INTERRUPTED,
                finished_at=end,
                error_code=Interrupted.code,
                error=_ENDED_SILENTLY,
            )
            if closed:
                run.outcome = RunOutcome.INTERRUPTED
                recorded = run.kind in (RunKind.BASELINE, RunKind.FAKE)
                places = [step.position for step in run.steps.all()] if recorded else []
                run_trail.witness(run, alias, recorded=places)


def _last_alive(run: Run, row: LeaseRow | None, ttl: float) -> datetime:
    """Return the last moment at which a run is known to have lived: that of a step, or of its lease."""
    ends = [step.started_at + timedelta(seconds=step.seconds or 0) for step in run.steps.all()]
    moments = [run.started_at, *ends]
    if row is not None and row.run_id == run.pk:
        moments.append(row.expires_at - timedelta(seconds=ttl))
    return max(moments)
