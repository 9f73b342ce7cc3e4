"""How the requests of one person stand, in the words of a page for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from accord.acting import Account
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import encryption, grace, transitions
from gdpr.erasure import requests as erasures
from gdpr.models import ErasureRequest, RightsRequest
from gdpr.rights import requests as rights
from gdpr.states import RequestState

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Standing:
    """
    How one request stands.

    Attributes:
        reference: Its reference.
        what: What was asked for.
        state: Where it stands.
        received_at: When it came in.
        due_at: By when it is answered; None for one that is over.
        undone_until: Until when nothing is planned, for an erasure in its days of grace.
        may_undo: Whether it can be taken back.
        undo: Takes it back, for the account that asks.
    """

    reference: str
    what: str
    state: str
    received_at: datetime
    due_at: datetime | None
    undone_until: datetime | None
    may_undo: bool
    undo: Callable[[Account], object]


def of(keys: SubjectKeys) -> Sequence[Standing]:
    """Return how the requests of a person stand, the newest first."""
    tag = encryption.tag_of(keys)
    of_person = ErasureRequest.objects.filter(subject_tag=tag).exclude(state=RequestState.DUPLICATE)
    both = [
        *map(_erasure, of_person.order_by("-received_at")[:_SHOWN]),
        *map(_right, RightsRequest.objects.filter(subject_tag=tag).order_by("-received_at")[:_SHOWN]),
    ]
    return sorted(both, key=lambda one: one.received_at, reverse=True)


def _erasure(request: ErasureRequest) -> Standing:
    open_, end = request.state in transitions.OPEN, grace.ends(request)
    return Standing(
        reference=request.reference,
        what=str(request._meta.verbose_name),
        state=request.get_state_display(),
        received_at=request.received_at,
        due_at=request.due_at if open_ else None,
        undone_until=end if open_ and request.fenced_at is None else None,
        may_undo=open_ and request.fenced_at is None,
        undo=lambda account: erasures.cancel(request, by=account),
    )


def _right(request: RightsRequest) -> Standing:
    open_ = request.state in rights.OPEN
    return Standing(
        reference=request.reference,
        what=request.get_kind_display(),
        state=request.get_state_display(),
        received_at=request.received_at,
        due_at=request.due_at if open_ else None,
        undone_until=None,
        may_undo=open_,
        undo=lambda account: rights.withdraw(request, by=account),
    )
