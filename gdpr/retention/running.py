"""
A run of retention: what has run out is let go, in bounded batches, and each term leaves its event.

Where the policy asks for a second person, a run makes a plan and waits; the run after the approval carries
out exactly that (:mod:`gdpr.retention.plans`).

It may be killed between any two lines. A batch of the coordinating database is counted in its transaction,
one of another store right after it. The next run ends what a dead one left open.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.db.models import F

from accord import clock, conf, lease
from accord.acting import Account, working_for
from accord.audit.events import EventKind, EventOutcome, ObjectKind
from accord.audit.trail import Act
from accord.errors import StoreError
from accord.seam.types import Lease
from gdpr.datamap.lapses import Lapse
from gdpr.erasure import actors, planning, policy, state_changes
from gdpr.erasure.schedule import Stop, never
from gdpr.errors import RetentionUnapproved
from gdpr.fields import random_reference
from gdpr.models import RetentionPlan, RetentionRun
from gdpr.retention import due, plans
from gdpr.retention.plans import Asked
from gdpr.states import RetentionState
from gdpr.stores.base import Stores, opened_stores
from gdpr.stores.lapsing import lapsing

PRODUCTION = "production"


@dataclass(frozen=True, kw_only=True)
class LetGo:
    """
    What became of a run.

    Attributes:
        done: What became of each term.
        waiting: The plan that a second person has to approve first; None where nothing waits.
        void: Why an earlier plan counts no more, in a few words; empty for none.
    """

    done: Sequence[RetentionRun] = ()
    waiting: RetentionPlan | None = None
    void: str = ""


def let_go(
    *,
    entry: str = "",
    limit: int | None = None,
    by: Account | None = None,
    looked_at: bool = False,
    wait: float = 0,
    stop: Stop = never,
) -> LetGo:
    """
    Let go whatever has run out, or what a second person approved of it.

    Args:
        entry: Id of one entry; every one unless given.
        limit: Rows and documents of each term at most; all unless given.
        by: Who has it done; None for Accord itself.
        looked_at: Whether that person has seen how much it is, and says yes.
        wait: Seconds to wait for another run.
        stop: Asked between two batches.

    Returns:
        What became of each term, or the plan that waits for a second person.

    Raises:
        UnknownTarget: There is no such entry.
        StoreError: A second person has to approve, and a store can't be counted.
        LeaseHeld: Another run is under way.
        RetentionUnapproved: It is more than a run in production lets go without a person.
        NotAllowed: The account may not carry erasures out.
    """
    if by is not None:
        actors.require(by, actors.EXECUTE)
    planning.require_map()
    with leased(wait) as held, opened_stores() as stores, working_for(by):
        stores.own.require_all(stores)
        _end_dead_runs(by)
        asked = plans.asked(stores, entry, by)
        if asked.is_waiting:
            return LetGo(waiting=asked.plan, void=asked.void)
        if asked.plan is None:
            _require_few(stores, entry, limit, looked_at=looked_at and by is not None)
        return LetGo(done=_each_term(asked, entry, _Run(stores, held, by, stop), limit), void=asked.void)


@dataclass(frozen=True)
class _Run:
    """What the terms of one run have in common."""

    stores: Stores
    leased: Lease
    by: Account | None
    stop: Stop
    plan: RetentionPlan | None = None
    name: str = field(default_factory=random_reference)


def _each_term(asked: Asked, entry: str, run: _Run, limit: int | None) -> Sequence[RetentionRun]:
    """Let go what has run out; where a plan was approved by its day, and no more than it says."""
    plan = asked.plan
    if plan is None:
        return _let_go(due.terms(entry), run, _at_most(asked.most, limit))
    left = plans.remaining(plan)
    ready = [one for one in due.terms(entry, plan.day) if (one.entry.id, str(one.kind)) in left]
    done = _let_go(ready, replace(run, plan=plan), _at_most(left, limit))
    if len(done) == len(ready) and all(one.state == RetentionState.DONE for one in done):
        plans.finish(plan, run.by)
    return done


def _at_most(
    counted: Mapping[tuple[str, str], int] | None, limit: int | None
) -> Callable[[Lapse], int | None]:
    """Say how many rows of a term go: none that nobody counted, where they were."""
    if counted is None:
        return lambda _: limit
    most = {key: rows if limit is None else min(rows, limit) for key, rows in counted.items()}
    return lambda one: most.get((one.entry.id, str(one.kind)), 0)


def _let_go(
    terms: Sequence[Lapse], run: _Run, limit: Callable[[Lapse], int | None]
) -> Sequence[RetentionRun]:
    ready = [one for one in terms if one.is_told]
    return [_Term(one, run).let_go(limit(one)) for one in ready if not run.stop()]


@contextmanager
def leased(wait: float) -> Iterator[Lease]:
    """
    Hold the lease of retention: no two runs at once.

    Args:
        wait: Seconds to wait for another run.

    Raises:
        LeaseHeld: Another run is under way.
    """
    settings, ttl = conf.load(), policy.load().lease_seconds
    scope, run = f"retention:{settings.project}", uuid.uuid4().hex
    with lease.hold(scope, alias=settings.coordinator, run_id=run, ttl=ttl, wait=wait) as held:
        yield held


def _require_few(stores: Stores, entry: str, limit: int | None, *, looked_at: bool) -> None:
    most = int(policy.load().retention_rows)
    if looked_at or conf.load().environment != PRODUCTION:
        return
    found = sum(min(one.due, limit or one.due) for one in due.look(stores, entry=entry, most=most + 1))
    if found > most:
        raise RetentionUnapproved(
            f"More than {most} rows have run out, which no run in production lets go without a person.",
            hint="See them: gdpr_retention --dry-run. Then a person lets them go: gdpr_retention --yes "
            "--as USERNAME.",
        )


def _end_dead_runs(by: Account | None) -> None:
    """Write the events of runs that were killed: the lease is ours, so none of them goes on."""
    for row in RetentionRun.objects.filter(state=RetentionState.RUNNING):
        _finish(row, RetentionState.INTERRUPTED, "", by)


def _finish(row: RetentionRun, state: RetentionState, trouble: str, by: Account | None) -> None:
    with transaction.atomic(using=state_changes.alias()):
        held = RetentionRun.objects.select_for_update().get(pk=row.pk)
        held.state, held.trouble, held.finished_at = state, trouble, clock.now()
        held.save()
        done = state is RetentionState.DONE
        act = Act(
            event=EventKind.RETENTION_APPLIED,
            object_kind=ObjectKind.RETENTION_RULE,
            object_ref=held.reference,
            outcome=EventOutcome.DONE if done else EventOutcome.PARTIAL,
            counters={"affected": held.changed, "skipped": held.held},
        )
        state_changes.record([act], by=by)


class _Term:
    """One term in one run."""

    def __init__(self, lapse: Lapse, run: _Run) -> None:
        self._lapse = lapse
        self._run = run

    def let_go(self, limit: int | None) -> RetentionRun:
        entry, plan = self._lapse.entry, self._run.plan
        row = RetentionRun.objects.create(
            run=self._run.name,
            plan="" if plan is None else plan.reference,
            entry=entry.id,
            store=entry.store,
            kind=self._lapse.kind,
            started_at=clock.now(),
        )
        state, trouble = RetentionState.DONE, ""
        try:
            if not self._batches(row, limit):
                state = RetentionState.STOPPED
        except StoreError as exc:
            state, trouble = RetentionState.FAILED, exc.code
        _finish(row, state, trouble, self._run.by)
        row.refresh_from_db()
        return row

    def _batches(self, row: RetentionRun, limit: int | None) -> bool:
        """Let go batch after batch, and return whether nothing is left."""
        size, left, whole = max(int(policy.load().batch_size), 1), limit, True
        store = lapsing(self._run.stores[self._lapse.entry.store], self._lapse)
        for page in due.pages(store.run_out(self._lapse), size):
            self._run.leased.check()
            if self._run.stop():
                return False
            with transaction.atomic(using=state_changes.alias()):
                going, held = due.divided(self._lapse, page)
                if left == 0 and going:
                    return False
                some = going if left is None else going[:left]
                changed = store.let_go(self._lapse, some) if some else 0
                counted = RetentionRun.objects.filter(pk=row.pk)
                counted.update(changed=F("changed") + changed, held=F("held") + held)
            left = None if left is None else left - len(some)
            # What is locked or has changed meanwhile is for the next run, and so is what is over the limit.
            whole = whole and changed == len(going)
        return whole
