"""
Why the approval of a request doesn't count: there is none, it expired, or nobody vouches for it.

A row that somebody wrote into the table is no decision: what was decided stands in the trail as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.contrib.auth import get_user_model
from django.db.models import F

from accord import clock, second_person
from accord.audit import witness
from accord.audit.events import EventKind
from accord.audit.witness import Told
from accord.models import ActorReference
from gdpr.erasure import actors, own_accounts, state_changes
from gdpr.models import Approval
from gdpr.states import Decision
from gdpr.stores.per_person import People

NONE = "its plan has no approval that still counts"
OWN = "the account that gave it had filed or planned it"
SUBJECT = "the account that gave it is that of the person whom it is about"
UNWITNESSED = "the audit trail does not know that it was given"
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
    found = dict.fromkeys(given.keys() - _witnessed(given), UNWITNESSED)
    found |= dict.fromkeys(people.keys() - given.keys(), NONE)
    return found | _not_second(given, people)


def _not_second(given: _Given, people: People) -> dict[int, str]:
    """Ask again what was asked of the second person who decided; much may have happened since."""
    deciders = {one.request.reference: one.decided_by_id for one in given.values()}
    told = second_person.flaws(deciders, actors.FILED)
    accounts = own_accounts.of_people({key: people[key] for key in given})
    found = {key: told[one.request.reference] for key, one in given.items() if one.request.reference in told}
    found |= {key: OWN for key, one in given.items() if one.decided_by_id in _askers(one)}
    return found | {key: SUBJECT for key, one in given.items() if str(one.decided_by_id) in accounts[key]}


def _askers(approval: Approval) -> tuple[int | None, int | None]:
    return approval.request.filed_by_id, approval.request.planned_by_id


def _given(requests: Collection[int]) -> _Given:
    found = Approval.objects.filter(
        request__in=requests,
        decision=Decision.APPROVED,
        voided_at__isnull=True,
        plan_digest=F("request__plan_digest"),
        decided_by=F("request__approved_by"),
        expires_at__gt=clock.now(),
    )
    return {approval.request_id: approval for approval in found.select_related("request")}


def _witnessed(given: _Given) -> set[int]:
    using, kind = state_changes.alias(), get_user_model()._meta.label_lower
    keys = {str(one.decided_by_id) for one in given.values()}
    known = ActorReference.objects.using(using).filter(kind=kind, key__in=keys)
    references = dict(known.values_list("key", "ref"))
    asked = {one.request.reference for one in given.values()}
    told = witness.told(EventKind.ERASURE_APPROVED, asked, using=using)
    return {key for key, one in given.items() if _words(one, references) in told}


def _words(given: Approval, references: Mapping[str, str]) -> Told:
    return Told(
        object_ref=given.request.reference,
        plan_digest=given.plan_digest,
        actor_ref=references.get(str(given.decided_by_id), ""),
    )
