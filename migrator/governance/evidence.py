"""Whether the audit trail knows of a request or a decision: what a table says by itself is not believed."""

from __future__ import annotations

from accord.audit.events import EventKind
from accord.audit.witness import Told, told
from migrator.models import PlanApproval


def is_on_record(approval: PlanApproval, using: str) -> bool:
    """
    Check that the trail holds the last word of a request: that it was granted, or else that it was asked for.

    Args:
        approval: The request.
        using: Alias of the coordinating database.
    """
    granted = bool(approval.approver_ref)
    event = EventKind.APPROVAL_GRANTED if granted else EventKind.APPROVAL_REQUESTED
    words = Told(
        object_ref=approval.reference,
        plan_digest=approval.digest,
        actor_ref=approval.approver_ref if granted else approval.requester_ref,
    )
    return words in told(event, [approval.reference], using=using)
