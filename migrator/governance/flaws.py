"""Why an approval does not cover what would run: its steps, its words, and whether the trail witnessed it."""

from __future__ import annotations

from migrator.governance.evidence import is_on_record
from migrator.governance.work import PlannedWork, digest_of, not_covered, words_in
from migrator.models import PlanApproval


def flaw_of(approval: PlanApproval, work: PlannedWork, using: str) -> str:
    """
    Describe why an approval does not cover work.

    What was approved is believed only while it matches the digest that the audit trail holds for it, so that
    writing into the table is not enough.

    Args:
        approval: The approval.
        work: What would run.
        using: Database of approvals and trail.

    Returns:
        A few words; empty when it does.
    """
    words = words_in(approval.target)
    if digest_of(approval.direction, approval.steps, words) != approval.digest:
        return "its steps are not those of its digest"
    if lacking := [word for word in work.words if word not in words]:
        return f"it was asked for without {' '.join(lacking)}"
    return not_covered(approval.steps, approval.remaining, work.steps) or _unwitnessed(approval, using)


def _unwitnessed(approval: PlanApproval, using: str) -> str:
    granted = approval.approver_ref and is_on_record(approval, using)
    return "" if granted else "the audit trail does not know that it was granted"
