"""The yes-es to requests: each a row of its own, counted by the one service for approvals."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import connections

from accord import second_person
from accord.acting import Account, actor
from accord.approvals import counting, expiry, groups
from accord.approvals.decision import Deciding, Yes
from accord.approvals.quorum import Quorum, Standing
from accord.audit.events import EventKind
from migrator.governance import people
from migrator.models import ApprovalState, PlanApproval, PlanYes

ASKED = second_person.Asked(event=EventKind.APPROVAL_REQUESTED, permission=people.APPROVE)
PLANS = Deciding(asked=ASKED, granted=EventKind.APPROVAL_GRANTED)
_Given = Mapping[tuple[int, str], Yes]


def standing(approvals: Collection[PlanApproval], quorum: Quorum, using: str) -> dict[int, Standing]:
    """
    Say how far the yes-es to requests are, by primary key: those that count now, of whom a policy asks for.

    Args:
        approvals: The requests.
        quorum: What the policy asks for.
        using: Database of the requests and the trail.

    Raises:
        StoreUnavailable: The accounts can't be read.
    """
    given = _given(approvals, using)
    flawed = counting.flaws(given, PLANS, using=using)
    member_of = groups.of_accounts({account for _, account in given.keys() - flawed.keys()})
    found: dict[int, Standing] = {}
    for approval in approvals:
        of_it = [name for name in given if name[0] == approval.pk]
        counted = {name[1]: member_of.get(name[1], set()) for name in of_it if name not in flawed}
        flaw = next((flawed[name] for name in of_it if name in flawed), "")
        found[approval.pk] = quorum.standing(counted, flaw)
    return found


def told(approval: PlanApproval, using: str) -> int:
    """Count the yes-es to a request that the trail tells of, whatever became of their accounts since."""
    return len(counting.witnessed(_given([approval], using), PLANS, using=using))


def give(approval: PlanApproval, person: Account, reason: str, using: str) -> None:
    """Write down a yes to a request whose row is held."""
    PlanYes.objects.using(using).create(
        approval=approval,
        digest=approval.digest,
        account_ref=actor(person).ref,
        account_key=str(person.pk),
        reason=reason,
        given_at=expiry.server_now(using),
    )


def has_given(approval: PlanApproval, person: Account, using: str) -> bool:
    """Return whether an account's yes to a request stands."""
    return (approval.pk, str(person.pk)) in _given([approval], using)


def take_back(approval: PlanApproval, person: Account, reason: str, using: str) -> int:
    """
    Take yes-es to a request back whose row is held: one's own, or else those of all others.

    Args:
        approval: The request.
        person: Who takes them back.
        reason: Why.
        using: Database of the requests.

    Returns:
        How many.
    """
    rows = PlanYes.objects.using(using).filter(approval=approval)
    if approval.state == ApprovalState.APPROVED and not rows.exists():
        _write_down(approval, using)
    stands = rows.filter(revoked_at__isnull=True)
    own = stands.filter(account_key=str(person.pk))
    return (own if own.exists() else stands).update(
        revoked_at=expiry.server_now(using),
        revoker_ref=actor(person).ref,
        revoker_key=str(person.pk),
        revoked_because=reason,
    )


def _write_down(approval: PlanApproval, using: str) -> None:
    """Give a yes its row that was given before there was one for each."""
    PlanYes.objects.using(using).create(
        approval=approval,
        digest=approval.digest,
        account_ref=approval.approver_ref,
        account_key=approval.approver_key,
        reason=approval.decision_reason,
        given_at=approval.decided_at or approval.requested_at,
    )


def _given(approvals: Collection[PlanApproval], using: str) -> _Given:
    by_key = {one.pk: one for one in approvals}
    given: dict[tuple[int, str], Yes] = {}
    answered: set[int] = set()
    if _exist(using):
        rows = PlanYes.objects.using(using).filter(approval__in=list(by_key))
        for row in rows:
            answered.add(row.approval_id)
            if row.revoked_at is None and row.digest == by_key[row.approval_id].digest:
                given[row.approval_id, row.account_key] = _yes(by_key[row.approval_id], row.account_key)
    for key, one in by_key.items():
        # Granted before there was a row for each yes.
        if key not in answered and one.state in (ApprovalState.APPROVED, ApprovalState.USED):
            given[key, one.approver_key] = _yes(one, one.approver_key)
    return given


def _yes(approval: PlanApproval, account: str) -> Yes:
    return Yes(
        ref=approval.reference,
        digest=approval.digest,
        account=account,
        askers=frozenset({approval.requester_key}),
    )


def _exist(using: str) -> bool:
    """Return whether the table is there: a run may be about to bring it."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [PlanYes._meta.db_table])
        return bool((cursor.fetchone() or [False])[0])
