"""
Why the approval of a request doesn't count: there is none, it expired, or nobody vouches for it.

A row that somebody wrote into the table is no decision: what was decided stands in the trail as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models import F

from accord.approvals import counting
from accord.approvals.decision import Yes
from accord.approvals.expiry import late
from gdpr.erasure import actors, own_accounts, state_changes
from gdpr.models import Approval
from gdpr.states import Decision
from gdpr.stores.lookups import Values
from gdpr.stores.per_person import People

NONE = "its plan has no approval that still counts"
SUBJECT = "the account that gave it is that of the person whom it is about"
_Given = Mapping[int, Approval]


def flaws_of(people: People) -> dict[int, str]:
    """
    Describe why the approvals of requests don't count, by request; those that do are missing.

    Args:
        people: Whom each request is about.

    Raises:
        StoreUnavailable: The accounts or the trail can't be read.
    """
    given = _given(people)
    found = dict.fromkeys(people.keys() - given.keys(), NONE)
    yeses = {key: yes_of(one) for key, one in given.items()}
    found |= counting.flaws(yeses, actors.ERASURES, using=state_changes.alias())
    accounts = own_accounts.of_people({key: people[key] for key in given})
    return found | {key: SUBJECT for key, one in given.items() if str(one.decided_by_id) in accounts[key]}


def yes_of(approval: Approval) -> Yes:
    """Return an approval as the one service for approvals reads it."""
    return Yes(
        ref=str(approval.request.reference),
        digest=approval.plan_digest,
        account=str(approval.decided_by_id),
        askers=actors.askers(approval.request),
    )


def _given(requests: Collection[int]) -> _Given:
    found = Approval.objects.exclude(late()).filter(
        request__among=Values(requests),
        decision=Decision.APPROVED,
        voided_at__isnull=True,
        plan_digest=F("request__plan_digest"),
        decided_by=F("request__approved_by"),
    )
    return {approval.request_id: approval for approval in found.select_related("request")}
