"""Whether the audit trail knows of a request: what a table says by itself is not believed."""

from __future__ import annotations

from accord.audit.events import EventKind
from accord.audit.witness import Told, told
from migrator.models import PlanApproval


def is_on_record(approval: PlanApproval, using: str) -> bool:
    """
    Check that the trail holds that a request was made.

    Args:
        approval: The request.
        using: Alias of the coordinating database.
    """
    words = Told(
        object_ref=approval.reference,
        plan_digest=approval.digest,
        actor_ref=approval.requester_ref,
    )
    return words in told(EventKind.APPROVAL_REQUESTED, [approval.reference], using=using)
