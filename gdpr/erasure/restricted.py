"""
Whose data must not be used at the moment (Art. 18), and which erasures wait for that.

Whoever is restricted asked that their data are kept. A demand of theirs to be erased that came afterwards
goes on; what a rule of retention would erase, and a demand from before, waits until that is lifted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db.models import QuerySet

from gdpr.documents import RestrictedLine
from gdpr.erasure import encryption
from gdpr.models import ErasureRequest, Restriction
from gdpr.states import Channel

_OF_NOBODY = (Channel.RETENTION,)
"""How an erasure comes in that the person didn't demand."""


def active(tags: Iterable[str]) -> QuerySet[Restriction]:
    """Return the restrictions that count, of people by their tags."""
    return Restriction.objects.filter(subject_tag__in=list(tags), lifted_at__isnull=True)


def tags() -> frozenset[str]:
    """Return the tags of everybody who is restricted."""
    found = Restriction.objects.filter(lifted_at__isnull=True)
    return frozenset(found.values_list("subject_tag", flat=True))


def among(kind: str, keys: Collection[object]) -> frozenset[object]:
    """
    Find of several people those whose data must not be used. One query, however many they are.

    Args:
        kind: Model of the people.
        keys: Their primary keys.
    """
    by_tag = {tag: key for key in keys for tag in encryption.tags_of_key(kind, key)}
    return frozenset(by_tag[tag] for tag in active(by_tag).values_list("subject_tag", flat=True))


def told(tags_of: Mapping[int, str]) -> dict[int, list[RestrictedLine]]:
    """
    Describe the restrictions of people for their plans.

    Args:
        tags_of: The tag of each, by whatever the caller calls them.

    Returns:
        Those who are restricted, with each reason in the order of time.
    """
    lines: dict[str, list[RestrictedLine]] = {}
    for one in active(set(tags_of.values())).order_by("restricted_at", "pk"):
        line: RestrictedLine = {"reason": one.reason, "since": one.restricted_at.isoformat()}
        lines.setdefault(one.subject_tag, []).append(line)
    return {name: lines[tag] for name, tag in tags_of.items() if tag in lines}


def stopping(requests: Sequence[ErasureRequest]) -> list[ErasureRequest]:
    """Choose the requests that wait for a restriction to be lifted (Art. 18(2))."""
    since: dict[str, list[Restriction]] = {}
    for one in active({request.subject_tag for request in requests}):
        since.setdefault(one.subject_tag, []).append(one)
    return [one for one in requests if any(_waits(one, each) for each in since.get(one.subject_tag, ()))]


def _waits(request: ErasureRequest, restriction: Restriction) -> bool:
    # Who was erased before asks for nothing any more: a replay only brings that back.
    if request.replays:
        return False
    return request.channel in _OF_NOBODY or request.received_at <= restriction.restricted_at
