"""
The events of runs in the audit trail: that one started, how it ended, that one was refused.

An event stands in the transaction of the journal's row that says the same, so that a kill leaves both or
neither. Each is written once, however often it is asked for: what the trail holds already is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from django.db import connections, transaction

from accord import db
from accord.audit.events import Counter, EventKind, EventOutcome, ObjectKind
from migrator.models import Run, RunOutcome

KIND = "migrator.run"
_TABLES = ("accord_auditevent", "accord_actorreference")
_OUTCOMES = {
    RunOutcome.SUCCEEDED: EventOutcome.DONE,
    RunOutcome.FAILED: EventOutcome.FAILED,
    RunOutcome.INTERRUPTED: EventOutcome.PARTIAL,
}
_log = logging.getLogger(__name__)


def witness(run: Run, alias: str, ended: Mapping[str, int]) -> None:
    """
    Write the events of a run that the trail doesn't hold, in the transaction of its row.

    A trail that can't be written stops no run: that is logged, and `audit_verify` says what is wrong with it.

    Args:
        run: The run, as it is written.
        alias: The coordinating database.
        ended: How many steps ended how, by :class:`~migrator.models.RunOutcome`.
    """
    try:
        with transaction.atomic(using=alias):
            if trail_exists(alias):
                _write(run, alias, ended)
    except db.ERRORS as exc:
        if transaction.get_rollback(using=alias):
            raise  # the connection is gone, and the row with it
        _log.warning("The audit trail has no event of run %s: %s", run.pk, exc)


def refused(alias: str, digest: str, steps: int, exit_code: int) -> None:
    """
    Write that the policy refused a run, before anything was changed.

    Args:
        alias: The coordinating database.
        digest: Of the plan.
        steps: How many it has.
        exit_code: What the command leaves with.
    """
    # Loaded here, as below.
    from accord.audit import trail

    try:
        with transaction.atomic(using=alias):
            if trail_exists(alias):
                trail.record(
                    EventKind.RUN_REFUSED,
                    actor=trail.SYSTEM,
                    object_kind=ObjectKind.PLAN,
                    outcome=EventOutcome.REFUSED,
                    counters={Counter.STEPS.value: steps, Counter.EXIT_CODE.value: exit_code},
                    plan_digest=digest,
                    using=alias,
                )
    except db.ERRORS as exc:
        _log.warning("The audit trail has no event of a refused run: %s", exc)


def trail_exists(alias: str) -> bool:
    """Check whether the trail's tables are there: on an empty database they aren't."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NOT NULL", _TABLES)
        return bool((cursor.fetchone() or [False])[0])


def _write(run: Run, alias: str, ended: Mapping[str, int]) -> None:
    # Loaded here: a run with nothing to do writes nothing, and should not pay for what signs.
    from accord.audit import trail
    from accord.models import AuditEvent

    reference = trail.reference_for(KIND, run.pk, using=alias)
    events = AuditEvent.objects.using(alias).filter(object_ref=reference)
    there = set(events.values_list("event", flat=True))
    acts = [
        trail.Act(
            event=event,
            object_kind=ObjectKind.RUN,
            outcome=outcome,
            object_ref=reference,
            counters=counters,
            plan_digest=run.digest,
        )
        for event, outcome, counters in _events(run, ended)
        if event.value not in there
    ]
    if acts:
        trail.record_all(acts, actor=trail.SYSTEM, using=alias)


def _events(
    run: Run, ended: Mapping[str, int]
) -> Iterator[tuple[EventKind, EventOutcome, Mapping[str, int]]]:
    yield EventKind.RUN_STARTED, EventOutcome.DONE, {Counter.STEPS.value: run.planned}
    outcome = _OUTCOMES.get(RunOutcome(run.outcome))
    if outcome is not None:
        counters = {
            Counter.STEPS.value: run.planned,
            Counter.DONE.value: ended.get(RunOutcome.SUCCEEDED, 0),
            Counter.FAILED.value: ended.get(RunOutcome.FAILED, 0),
            Counter.SKIPPED.value: ended.get(RunOutcome.SKIPPED, 0),
        }
        yield EventKind.RUN_FINISHED, outcome, counters
