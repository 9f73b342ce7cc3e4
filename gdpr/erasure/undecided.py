"""
Which requests wait for one account's approval: exactly those that the service would take its yes to.

A list that offers more sends people to pages that refuse them, and hides what really waits for them.
"""

from __future__ import annotations

from django.contrib.auth.models import PermissionsMixin
from django.db.models import Exists, OuterRef, Q, QuerySet

from accord import second_person
from accord.acting import Account
from accord.approvals import expiry, groups
from gdpr.erasure import actors, encryption, own_accounts, policy
from gdpr.models import Approval
from gdpr.states import Decision, RequestState

_NONE = Q(pk__in=())


def by(person: Account) -> Q:
    """
    Return the condition on requests whose plan a person could approve now.

    Whom an account was renamed away from since is not known here; the service opens the keys and asks again.

    Args:
        person: Who would decide.

    Raises:
        StoreUnavailable: The accounts or the people can't be read.
    """
    allowed = person.is_active and isinstance(person, PermissionsMixin) and person.has_perm(actors.APPROVE)
    if not allowed or not groups.has_place(person, policy.load().approvals):
        return _NONE
    known = second_person.is_known_to(person.pk, actors.FILED)
    return Q(state=RequestState.PLANNED) & _of_others(person) & known & ~Q(Exists(_given(person)))


def _of_others(person: Account) -> Q:
    theirs = {encryption.tag_of(keys) for keys in own_accounts.people_of(person)}
    theirs.add(encryption.tag_of_key(person._meta.label, person.pk))
    own = Q(filed_by_id=person.pk) | Q(planned_by_id=person.pk) | Q(subject_tag__in=theirs)
    # NULL is neither equal nor unequal: no account in particular planned it.
    return Q(filed_by_id__isnull=False) & ~own


def _given(person: Account) -> QuerySet[Approval]:
    return Approval.objects.filter(
        request=OuterRef("pk"),
        plan_digest=OuterRef("plan_digest"),
        decision=Decision.APPROVED,
        voided_at__isnull=True,
        decided_by_id=person.pk,
    ).exclude(expiry.late())
