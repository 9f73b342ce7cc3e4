"""Why an approval does not cover what would run: its steps, its words, and whether the trail witnessed it."""

from __future__ import annotations

from accord.acting import Account, actor
from accord.approvals.deciding import Hindrance, hindrance
from accord.approvals.quorum import ONE, Quorum
from migrator.errors import PlanNotApproved
from migrator.governance.work import (
    IdentityWork,
    TakenWork,
    digest_of,
    digest_of_identity,
    not_among,
    not_covered,
    words_in,
)
from migrator.governance.yeses import PLANS, standing
from migrator.models import PlanApproval


def no_second_person(approval: PlanApproval, person: Account, *, approving: bool) -> str:
    """
    Describe why an account can't decide about a request.

    Args:
        approval: The request.
        person: The account.
        approving: Whether it says yes; a no runs nothing, and lets the plan be asked for anew.

    Returns:
        A sentence; empty where it is a second person.
    """
    found = hindrance(person, approval.reference, [approval.requester_key], PLANS, approving=approving)
    if found is Hindrance.ASKED or actor(person).ref == approval.requester_ref:
        return f"You asked for approval {approval.short} yourself; another person has to decide."
    if found is Hindrance.UNKNOWN:
        return f"This account was not known here when approval {approval.short} was asked for."
    return ""


def flaw_of(approval: PlanApproval, work: TakenWork, using: str, quorum: Quorum = ONE) -> str:
    """
    Describe why an approval does not cover work.

    What was approved is believed only while it matches the digest that the audit trail holds for it, so that
    writing into the table is not enough.

    Args:
        approval: The approval.
        work: What would run.
        using: Database of approvals and trail.
        quorum: Who has to say yes.

    Returns:
        A few words; empty when it does.
    """
    if isinstance(work, IdentityWork):
        return _flaw_of_identity(approval, work) or _lacking(approval, quorum, using)
    words = words_in(approval.target)
    if digest_of(approval.direction, approval.steps, words) != approval.digest:
        return "its steps are not those of its digest"
    if lacking := [word for word in work.words if word not in words]:
        return f"it was asked for without {' '.join(lacking)}"
    return not_covered(approval.steps, approval.remaining, work.steps) or _lacking(approval, quorum, using)


def _flaw_of_identity(approval: PlanApproval, work: IdentityWork) -> str:
    if digest_of_identity(approval.steps) != approval.digest:
        return "its stores are not those of its digest"
    return not_among(approval.steps, approval.remaining, work.bound)


def _lacking(approval: PlanApproval, quorum: Quorum, using: str) -> str:
    """Ask again what was asked of the second persons who decided; much may have happened since."""
    found = standing([approval], quorum, using)[approval.pk]
    return "" if found.is_enough else found.flaw or f"it has {found.words}"


def not_approved(environment: str, work: TakenWork, fact: str) -> PlanNotApproved:
    """Return the error that a plan needs an approval, with the command that asks for it."""
    flags = f" {work.asking}" if work.asking else ""
    return PlanNotApproved(
        f"In “{environment}”, {work.named} needs the approval of a second person. {fact}",
        hint=f"manage.py migration_approval request{flags} --as USERNAME --reason TEXT",
    )
