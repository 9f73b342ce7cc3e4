"""
Whether a yes counts when it is acted on: what was asked of whoever gave it is asked again.

A row that somebody wrote into a table is no decision: what was decided stands in the trail as well.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

from django.contrib.auth import get_user_model

from accord import second_person
from accord.approvals.decision import Deciding, Yes
from accord.audit import witness
from accord.audit.witness import Told
from accord.models import ActorReference

OWN = "the account that gave it had filed or planned it"
UNWITNESSED = "the audit trail does not know that it was given"
_Name = TypeVar("_Name", bound=Hashable)


def flaws(given: Mapping[_Name, Yes], deciding: Deciding, *, using: str) -> dict[_Name, str]:
    """
    Describe which yes-es don't count, or not any more.

    Args:
        given: The yes-es, by whatever the caller calls each; those that expired are left out by its query.
        deciding: What they are about.
        using: Database of rows and trail.

    Returns:
        A few words by name; those that count are missing.

    Raises:
        StoreUnavailable: The accounts can't be read.
    """
    if not given:
        return {}
    known = second_person.known([(one.ref, one.account) for one in given.values()], deciding.asked)
    active = second_person.active({one.account for one in given.values()})
    told = _told(given.values(), deciding, using)
    found = {name: _flaw(one, active, known, told) for name, one in given.items()}
    return {name: words for name, words in found.items() if words}


def witnessed(given: Mapping[_Name, Yes], deciding: Deciding, *, using: str) -> set[_Name]:
    """Return the yes-es that the trail tells of, whatever became of their accounts since; by name."""
    told = _told(given.values(), deciding, using)
    return {name for name, one in given.items() if one in told}


def _flaw(one: Yes, active: set[str], known: set[tuple[str, str]], told: Collection[Yes]) -> str:
    if one.account in one.askers:
        return OWN
    if one.account not in active:
        return second_person.INACTIVE
    if (one.ref, one.account) not in known:
        return second_person.NEWER
    return "" if one in told else UNWITNESSED


def _told(given: Collection[Yes], deciding: Deciding, using: str) -> Collection[Yes]:
    """Return the yes-es that the trail tells of, by the very account and about the very digest."""
    kind = get_user_model()._meta.label_lower
    keys = {one.account for one in given}
    sights = ActorReference.objects.using(using).filter(kind=kind, key__in=keys)
    references = dict(sights.values_list("key", "ref"))
    told = witness.told(deciding.granted, {one.ref for one in given}, using=using)
    return {one for one in given if _words(one, references) in told}


def _words(one: Yes, references: Mapping[str, str]) -> Told:
    actor_ref = references.get(one.account, "")
    return Told(object_ref=one.ref, plan_digest=one.digest, actor_ref=actor_ref)
