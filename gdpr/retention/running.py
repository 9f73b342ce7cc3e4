"""
A run of retention: what has run out is let go, in bounded batches, and each term leaves its event.

It may be killed between any two lines. A batch of the coordinating database is counted in its transaction,
one of another store right after it. The next run ends what a dead one left open.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

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
from gdpr.models import RetentionRun
from gdpr.retention import due
from gdpr.states import RetentionState
from gdpr.stores.base import Stores, opened_stores
from gdpr.stores.lapsing import lapsing

PRODUCTION = "production"


def let_go(
    *,
    entry: str = "",
    limit: int | None = None,
    by: Account | None = None,
    looked_at: bool = False,
    wait: float = 0,
    stop: Stop = never,
) -> Sequence[RetentionRun]:
    """
    Let go whatever has run out.

    Args:
        entry: Id of one entry; every one unless given.
        limit: Rows and documents of each term at most; all unless given.
        by: Who has it done; None for Accord itself.
        looked_at: Whether that person has seen how much it is, and says yes.
        wait: Seconds to wait for another run.
        stop: Asked between two batches.

    Returns:
        What became of each term.

    Raises:
        UnknownTarget: There is no such entry.
        LeaseHeld: Another run is under way.
        RetentionUnapproved: It is more than a run in production lets go without a person.
        NotAllowed: The account may not carry erasures out.
    """
    if by is not None:
        actors.require(by, actors.EXECUTE)
    planning.require_map()
    settings, run = conf.load(), uuid.uuid4().hex
    held = lease.hold(
        f"retention:{settings.project}",
        alias=settings.coordinator,
        run_id=run,
        ttl=policy.load().lease_seconds,
        wait=wait,
    )
    with held as leased, opened_stores() as stores, working_for(by):
        stores.own.require_all(stores)
        _end_dead_runs(by)
        _require_few(stores, entry, limit, looked_at=looked_at and by is not None)
        ready = [one for one in due.terms(entry) if one.is_told]
        return [_Term(one, run, stores, leased, by).let_go(limit, stop) for one in ready if not stop()]


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

    def __init__(self, lapse: Lapse, run: str, stores: Stores, leased: Lease, by: Account | None) -> None:
        self._lapse = lapse
        self._run = run
        self._stores = stores
        self._leased = leased
        self._by = by

    def let_go(self, limit: int | None, stop: Stop) -> RetentionRun:
        entry = self._lapse.entry
        row = RetentionRun.objects.create(
            run=self._run, entry=entry.id, store=entry.store, kind=self._lapse.kind, started_at=clock.now()
        )
        state, trouble = RetentionState.DONE, ""
        try:
            if not self._batches(row, limit, stop):
                state = RetentionState.STOPPED
        except StoreError as exc:
            state, trouble = RetentionState.FAILED, exc.code
        _finish(row, state, trouble, self._by)
        row.refresh_from_db()
        return row

    def _batches(self, row: RetentionRun, limit: int | None, stop: Stop) -> bool:
        """Let go batch after batch, and return whether nothing is left."""
        size, left, whole = max(int(policy.load().batch_size), 1), limit, True
        store = lapsing(self._stores[self._lapse.entry.store], self._lapse)
        for page in due.pages(store.run_out(self._lapse), size):
            self._leased.check()
            if stop() or left == 0:
                return False
            with transaction.atomic(using=state_changes.alias()):
                going, held = due.divided(self._lapse, page)
                some = going if left is None else going[:left]
                changed = store.let_go(self._lapse, some) if some else 0
                counted = RetentionRun.objects.filter(pk=row.pk)
                counted.update(changed=F("changed") + changed, held=F("held") + held)
            left = None if left is None else left - len(some)
            # What is locked or has changed meanwhile is for the next run, and so is what is over the limit.
            whole = whole and changed == len(going)
        return whole
