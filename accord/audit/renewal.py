"""
A deliberate new beginning of the signed heads: after a move, a copy, a restore, or a file that was lost.

It is an event of the trail, and the database gets a further mark that holds the reason. From that event on
heads are bound to the new mark, and those of the marks before it are asked for no more.
"""

from __future__ import annotations

import hashlib

from django.db import connections, transaction

from accord.audit import marks, trail
from accord.audit.events import Counter, EventKind, ObjectKind
from accord.errors import AuditError, UsageError
from accord.models import AuditEvent

LONGEST = 500
"""Letters that a reason may have."""


def renew(reason: str, *, actor: trail.Actor, using: str) -> int:
    """
    Begin the signed heads anew, and record that in the trail.

    Args:
        reason: Why, in words that name no person.
        actor: Who says so.
        using: Database of the trail.

    Returns:
        Number of the event.

    Raises:
        UsageError: There is no reason, or it is too long.
        AuditError: The database has no table of marks yet.
    """
    said = reason.strip()
    if not said or len(said) > LONGEST:
        raise UsageError(
            f"New heads take a reason of at most {LONGEST} letters.",
            hint="Say in --reason what was moved, copied or restored.",
        )
    if not marks.exist(using):
        raise AuditError(
            "The audit trail has no table of marks yet.", hint="Bring the suite's own tables: migrate_all."
        )
    with transaction.atomic(using=using):
        last = _add_mark(said, using)
        return trail.record(
            EventKind.HEADS_RENEWED,
            actor=actor,
            object_kind=ObjectKind.CHAIN,
            counters={Counter.EVENTS.value: last},
            plan_digest=hashlib.sha256(said.encode()).hexdigest(),
            using=using,
        )


def _add_mark(reason: str, using: str) -> int:
    """Add a mark that counts from the next event on; return the number of the last one."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [marks.CHAIN_LOCK])
        found = marks.all_of(using)
        last = AuditEvent.objects.using(using).order_by("-seq").values_list("seq", flat=True).first() or 0
        marks.add(cursor, number=len(found) + 1, since=last + 1, reason=reason)
    return last
