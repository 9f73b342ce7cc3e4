"""Runs whose process ended without a word: what holds no lease isn't running, and was interrupted."""

from __future__ import annotations

from django.db import transaction

from accord import conf, db, lease
from accord.clock import Clock, SystemClock
from accord.errors import StoreUnavailable
from migrator.engine.journal import tables_exist
from migrator.models import Outcome, Run, StepRun

_SCOPE = "migrations"


def lease_scope(settings: conf.AccordSettings) -> str:
    """Return what the lease of a project's migrations is called."""
    return f"{_SCOPE}:{settings.project}"


def close_others(alias: str, clock: Clock, *, holder: str) -> None:
    """
    Close every run but the one that holds the lease: under it, no other run can be going on.

    Args:
        alias: The coordinating database.
        clock: Time.
        holder: The run that holds the lease.
    """
    try:
        if tables_exist(alias):
            _close(alias, [run for run in _running(alias) if run != holder], clock)
    except db.ERRORS:
        # The journal never stops a run; the next one finds them again.
        return


def close_dead(settings: conf.AccordSettings, clock: Clock | None = None) -> None:
    """
    Close the runs that hold no lease, for whoever looks at them without a run of their own.

    Args:
        settings: Settings of the suite.
        clock: Time.
    """
    alias = settings.coordinator
    try:
        # Read before the lease: a run that begins in between holds the lease by then.
        if tables_exist(alias) and (running := _running(alias)):
            row = lease.read(alias, lease_scope(settings))
            alive = row.run_id if row is not None and row.held and not row.holder_is_dead else ""
            _close(alias, [run for run in running if run != alive], clock or SystemClock())
    except (*db.ERRORS, StoreUnavailable):
        # Whoever only looks may lack the right to write, and is shown what stands there.
        return


def _running(alias: str) -> list[str]:
    return list(Run.objects.using(alias).filter(outcome=Outcome.RUNNING).values_list("pk", flat=True))


def _close(alias: str, runs: list[str], clock: Clock) -> None:
    if not runs:
        return
    with transaction.atomic(using=alias):
        steps = StepRun.objects.using(alias).filter(run__in=runs, outcome=Outcome.RUNNING)
        steps.update(outcome=Outcome.INTERRUPTED)
        # Only while it still says so: a run may have ended by itself a moment ago.
        left = Run.objects.using(alias).filter(pk__in=runs, outcome=Outcome.RUNNING)
        left.update(outcome=Outcome.INTERRUPTED, finished_at=clock.now())
