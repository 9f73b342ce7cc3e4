"""
Why the approval of a request doesn't count: there is none, it expired, or nobody vouches for it.

A row that somebody wrote into the table is no decision: what was decided stands in the trail as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.contrib.auth import get_user_model
from django.db.models import F

from accord import clock
from accord.audit import witness
from accord.audit.events import EventKind
from accord.audit.witness import Told
from accord.models import ActorReference
from gdpr.erasure import state_changes
from gdpr.models import Approval
from gdpr.states import Decision

NONE = "its plan has no approval that still counts"
INACTIVE = "the account that gave it is gone or not active any more"
UNWITNESSED = "the audit trail does not know that it was given"
_Given = Mapping[int, Approval]


def flaws_of(requests: Collection[int]) -> dict[int, str]:
    """
    Describe why the approvals of requests don't count, by request; those that do are missing.

    Args:
        requests: Primary keys.

    Raises:
        StoreUnavailable: The accounts or the trail can't be read.
    """
    given = _given(requests)
    active, witnessed = _active(given), _witnessed(given)
    found = dict.fromkeys(set(requests) - given.keys(), NONE)
    found |= dict.fromkeys(given.keys() - active, INACTIVE)
    return found | dict.fromkeys((given.keys() & active) - witnessed, UNWITNESSED)


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


def _active(given: _Given) -> set[int]:
    accounts = get_user_model()._default_manager.filter(
        pk__in={one.decided_by_id for one in given.values()}, is_active=True
    )
    active = set(accounts.values_list("pk", flat=True))
    return {key for key, one in given.items() if one.decided_by_id in active}


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
