"""
Whether the trail tells of a decision: neither what a table says by itself is believed, nor what SQL added.

One function for approvals of plans and of erasures: an event counts that a signed-in account made, about this
thing and this digest, written with the project's key.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from accord.audit import sealed
from accord.audit.events import ActorKind, EventKind
from accord.models import AuditEvent


@dataclass(frozen=True, kw_only=True)
class Told:
    """
    What an event tells of a decision.

    Attributes:
        object_ref: Random reference of what was decided.
        plan_digest: Digest of the plan that was decided on.
        actor_ref: Random reference of the account that decided.
    """

    object_ref: str
    plan_digest: str
    actor_ref: str


def told(event: EventKind, references: Collection[str], *, using: str) -> frozenset[Told]:
    """
    Read which decisions the trail tells of, and was told by this project.

    Args:
        event: Which decision.
        references: Random references of what it may be about.
        using: Database of the trail.
    """
    events = AuditEvent.objects.using(using).filter(
        event=event, actor_kind=ActorKind.PERSON, object_ref__in=references
    )
    found = {
        seq: Told(object_ref=thing, plan_digest=digest, actor_ref=actor)
        for seq, thing, digest, actor in events.values_list("seq", "object_ref", "plan_digest", "actor_ref")
    }
    return frozenset(found[seq] for seq in sealed.among(found, using))
