"""
The events of runs in the audit trail: that one started, each step, how it ended, that one was refused.

An event stands in the transaction of the journal's row that says the same, so that a kill leaves both or
neither. Each is written once, however often it is asked for: what the trail holds already is left out.
"""

from __future__ import annotations

import logging
from collections import Counter as Counts
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from django.db import IntegrityError, connections, transaction

from accord import db
from accord.audit.events import ActorKind, Counter, EventKind, EventOutcome, ObjectKind
from accord.seam.types import Direction
from migrator.models import Run, RunKind, RunOutcome, StepRun

if TYPE_CHECKING:
    from accord.audit.trail import Act, Actor

KIND = "migrator.run"
_TABLES = ("accord_auditevent", "accord_actorreference")
_OUTCOMES = {
    RunOutcome.SUCCEEDED: EventOutcome.DONE,
    RunOutcome.FAILED: EventOutcome.FAILED,
    RunOutcome.INTERRUPTED: EventOutcome.PARTIAL,
}
_OF_RUNS = (EventKind.RUN_STARTED, EventKind.RUN_FINISHED)
_log = logging.getLogger(__name__)


def witness(run: Run, alias: str, *, by: object = None, recorded: Collection[int] = ()) -> None:
    """
    Write the events of a run and of its steps that the trail doesn't hold, in the transaction of its row.

    A trail that can't be written stops no run: that is logged, and `audit_verify` says what is wrong with it.

    Args:
        run: The run, as it is written; its steps are read from the journal.
        alias: The coordinating database.
        by: Key of the account that ran it; None where nobody is known, or nobody did.
        recorded: Places of the steps that were recorded without acting.
    """
    try:
        with transaction.atomic(using=alias):
            if trail_exists(alias):
                _write(run, alias, by, recorded)
    except db.ERRORS as exc:
        if transaction.get_rollback(using=alias):
            raise  # the connection is gone, and the row with it
        _log.warning("The audit trail has no event of run %s: %s", run.pk, exc)


def refused(alias: str, digest: str, steps: int, exit_code: int, *, by: object) -> None:
    """
    Write that the policy refused a run, before anything was changed.

    Args:
        alias: The coordinating database.
        digest: Of the plan.
        steps: How many it has.
        exit_code: What the command leaves with.
        by: Key of the account that wanted it, as for :func:`witness`.
    """
    # Loaded here, as below.
    from accord.audit import trail

    try:
        with transaction.atomic(using=alias):
            if trail_exists(alias):
                trail.record(
                    EventKind.RUN_REFUSED,
                    actor=_actor(by, alias),
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


def _write(run: Run, alias: str, by: object, recorded: Collection[int]) -> None:
    # Loaded here: a run with nothing to do writes nothing, and should not pay for what signs.
    from accord.audit import trail
    from accord.models import AuditEvent

    reference = trail.reference_for(KIND, run.pk, using=alias)
    events = AuditEvent.objects.using(alias).filter(object_ref=reference)
    there = {event.event: event for event in events.filter(event__in=_OF_RUNS)}
    begins = [] if EventKind.RUN_STARTED in there else [_started(run, reference)]
    if run.outcome not in _OUTCOMES or EventKind.RUN_FINISHED in there:
        ends, steps = [], []
    else:
        rows = list(StepRun.objects.using(alias).filter(run=run).order_by("position"))
        ends = [_finished(run, reference, Counts(row.outcome for row in rows))]
        steps = [act for row in rows if (act := _step(run, reference, row, row.position in recorded))]
    if begins or ends:
        # Whoever closes a run that was killed did nothing of it.
        began = there.get(EventKind.RUN_STARTED)
        known = began and trail.Actor(kind=ActorKind(began.actor_kind), ref=began.actor_ref)
        actor = known or _actor(by, alias)
        _record([*begins, *steps, *ends], [*begins, *ends], actor, alias)


def _record(acts: Sequence[Act], without_steps: Sequence[Act], actor: Actor, alias: str) -> None:
    """Write all of it; a trail of an earlier version, which a run was to upgrade, has no words for steps."""
    from accord.audit import trail

    try:
        with transaction.atomic(using=alias):
            trail.record_all(acts, actor=actor, using=alias)
    except IntegrityError:
        if len(acts) == len(without_steps):
            raise
        trail.record_all(without_steps, actor=actor, using=alias)


def _actor(by: object, alias: str) -> Actor:
    from accord.acting import of_account

    return of_account(by, using=alias)


def _started(run: Run, reference: str) -> Act:
    return _act(EventKind.RUN_STARTED, run, reference, {Counter.STEPS.value: run.planned})


def _finished(run: Run, reference: str, ended: Mapping[str, int]) -> Act:
    counters = {
        Counter.STEPS.value: run.planned,
        Counter.DONE.value: ended.get(RunOutcome.SUCCEEDED, 0),
        Counter.FAILED.value: ended.get(RunOutcome.FAILED, 0),
        Counter.SKIPPED.value: ended.get(RunOutcome.SKIPPED, 0),
    }
    return _act(EventKind.RUN_FINISHED, run, reference, counters, _OUTCOMES[RunOutcome(run.outcome)])


def _step(run: Run, reference: str, row: StepRun, recorded: bool) -> Act | None:  # noqa: FBT001 - of a row
    """Return the event of a step; one that was left out was never begun, and has none."""
    if row.outcome == RunOutcome.SKIPPED:
        return None
    kind = _kind_of(run, row, recorded) if row.outcome == RunOutcome.SUCCEEDED else EventKind.STEP_FAILED
    if kind is None:
        return None
    counters = {Counter.POSITION.value: row.position, Counter.AFFECTED.value: max(row.changed, 0)}
    outcome = _OUTCOMES[RunOutcome(row.outcome)]
    return _act(kind, run, reference, counters, outcome, about=ObjectKind.STEP)


def _kind_of(run: Run, row: StepRun, recorded: bool) -> EventKind | None:  # noqa: FBT001 - as above
    if row.direction == Direction.APPLY:
        return EventKind.STEP_RECORDED if recorded else EventKind.STEP_APPLIED
    if run.kind == RunKind.FORGET:
        return None  # its event was there before it was struck
    return EventKind.LEDGER_STRUCK if run.kind == RunKind.FAKE else EventKind.STEP_REVERTED


def _act(
    event: EventKind,
    run: Run,
    reference: str,
    counters: Mapping[str, int],
    outcome: EventOutcome = EventOutcome.DONE,
    *,
    about: ObjectKind = ObjectKind.RUN,
) -> Act:
    from accord.audit.trail import Act

    return Act(
        event=event,
        object_kind=about,
        outcome=outcome,
        object_ref=reference,
        counters=counters,
        plan_digest=run.digest,
    )
