"""The audit trail of exports and imports: who moved how much, from where and to where, and never what."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from accord import acting, conf, db
from accord.acting import Account
from accord.audit import trail
from accord.audit.events import Counter, EventKind, EventOutcome, ObjectKind

EXPORT = (EventKind.BULK_EXPORT_STARTED, EventKind.BULK_EXPORT_FINISHED)
IMPORT = (EventKind.BULK_IMPORT_STARTED, EventKind.BULK_IMPORT_FINISHED)


def started(events: tuple[EventKind, EventKind], digest: str, by: Account | None) -> None:
    """
    Put on record that an export or import begins, before anything is read or written.

    Args:
        events: :data:`EXPORT` or :data:`IMPORT`.
        digest: Of what was asked for, or of the manifest.
        by: The account that acts; None where the user of the machine has none.

    Raises:
        StoreError: The trail can't be written to, so nothing may begin.
    """
    _record(events[0], digest, by, {})


def finished(
    events: tuple[EventKind, EventKind], digest: str, by: Account | None, numbers: Mapping[Counter, int]
) -> None:
    """Put on record how it ended; what was refused makes it partial. See :func:`started`."""
    _record(events[1], digest, by, numbers)


def _record(event: EventKind, digest: str, by: Account | None, numbers: Mapping[Counter, int]) -> None:
    alias = conf.load().coordinator
    with db.reading("The audit trail", alias), transaction.atomic(using=alias):
        trail.record(
            event,
            actor=acting.actor(by),
            object_kind=ObjectKind.STORE,
            outcome=EventOutcome.PARTIAL if numbers.get(Counter.FAILED) else EventOutcome.DONE,
            counters={counter.value: number for counter, number in numbers.items()},
            plan_digest=digest,
            using=alias,
        )
