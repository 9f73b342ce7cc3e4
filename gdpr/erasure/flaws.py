"""
Why the approval of a request doesn't count: there is none, it expired, or nobody vouches for it.

A row that somebody wrote into the table is no decision: what was decided stands in the trail as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models import F

from accord.approvals import counting, groups
from accord.approvals.decision import Yes
from accord.approvals.expiry import late
from accord.approvals.quorum import Standing
from accord.wording import say
from gdpr.erasure import actors, own_accounts, policy, state_changes
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
    accounts = own_accounts.of_people({one.request_id: people[one.request_id] for one in given.values()})
    of_the_person = {
        key: SUBJECT for key, one in given.items() if str(one.decided_by_id) in accounts[one.request_id]
    }
    found = _standing(people, given, of_the_person)
    # Whoever the request names as its approver is one of those that said yes.
    named = {one.request_id for one in given.values() if one.decided_by_id == one.request.approved_by_id}
    short = {
        key: one.flaw or say("it has {words}", words=one.words)
        for key, one in found.items()
        if not one.is_enough
    }
    return dict.fromkeys(people.keys() - named, NONE) | {key: short[key] for key in short.keys() & named}


def standing_of(requests: Collection[int], given_now: Approval | None = None) -> dict[int, Standing]:
    """
    Say how far the yes-es to the plans of requests are; whom they are about is asked when it begins.

    Args:
        requests: Primary keys.
        given_now: A yes that was given in this transaction.
    """
    given = {**_given(requests), **({given_now.pk: given_now} if given_now else {})}
    return _standing(requests, given, {})


def _standing(requests: Collection[int], given: _Given, flawed: Mapping[int, str]) -> dict[int, Standing]:
    yeses = {key: _yes_of(one) for key, one in given.items()}
    flawed = {**counting.flaws(yeses, actors.ERASURES, using=state_changes.alias()), **flawed}
    member_of = groups.of_accounts({yes.account for key, yes in yeses.items() if key not in flawed})
    rules, found = policy.load().approvals, {}
    of_request: dict[int, list[int]] = {key: [] for key in requests}
    for key, one in given.items():
        of_request[one.request_id].append(key)
    for request, keys in of_request.items():
        counted = [yeses[key].account for key in keys if key not in flawed]
        flaw = next((flawed[key] for key in keys if key in flawed), "")
        found[request] = rules.standing({one: member_of.get(one, set()) for one in counted}, flaw)
    return found


def _yes_of(approval: Approval) -> Yes:
    return Yes(
        ref=str(approval.request.reference),
        digest=approval.plan_digest,
        account=str(approval.decided_by_id),
        askers=actors.askers(approval.request),
    )


def _given(requests: Collection[int]) -> _Given:
    """Return the yes-es that stand, by their own keys."""
    found = Approval.objects.exclude(late()).filter(
        request__among=Values(requests),
        decision=Decision.APPROVED,
        voided_at__isnull=True,
        plan_digest=F("request__plan_digest"),
    )
    return {approval.pk: approval for approval in found.select_related("request")}
