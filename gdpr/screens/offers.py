"""When a decision about an erasure request is offered, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.utils.translation import gettext as _

from accord import clock
from accord.acting import Account
from accord.approvals.quorum import ONE
from accord.wording import worded
from gdpr.erasure import actors, approvals, deadlines, policy, steps, transitions
from gdpr.models import ErasureRequest
from gdpr.states import RequestState as S


def in_states(states: Collection[S]) -> Callable[[ErasureRequest], bool]:
    """Return a test of whether a request is in one of these states."""
    return lambda request: S(request.state) in states


def identity_is_open(request: ErasureRequest) -> bool:
    """Return whether it is still to be settled who asks."""
    state = S(request.state)
    return state is S.IDENTITY_CHECK or (state is S.RECEIVED and not request.identity_method)


def waits_for_a_hand(request: ErasureRequest) -> bool:
    """Return whether a manual entry waits for a person."""
    return S(request.state) in transitions.OPEN and bool(steps.by_hand(request))


def is_in_doubt(request: ErasureRequest) -> bool:
    """Return whether it is asked whose something newer is."""
    return S(request.state) in transitions.OPEN and bool(steps.in_doubt(request))


def has_a_yes(request: ErasureRequest) -> bool:
    """Return whether there is a yes to the plan that can be taken back."""
    if S(request.state) is S.APPROVED:
        return True
    return S(request.state) is S.PLANNED and not _takes_one() and approvals.given(request).exists()


def so_far(request: ErasureRequest) -> str:
    """Tell how many yes-es there are of how many, and whose is missing; empty where one will do."""
    if _takes_one():
        return ""
    return worded(approvals.standing(request).words)


def _takes_one() -> bool:
    return policy.load().approvals == ONE


def asked_for_it(request: ErasureRequest, person: Account) -> str:
    """
    Refuse whoever filed or planned it.

    Raises:
        OwnRequest: It is their own.
    """
    actors.require_another(person, request)
    return ""


def may_not_approve(request: ErasureRequest, person: Account) -> str:
    """
    Refuse whoever filed or planned it, and whose yes would not count.

    Raises:
        OwnRequest: It is their own.
        NotAllowed: They are in none of the groups that the policy asks for.
    """
    approvals.require_place(person, request)
    return asked_for_it(request, person)


def identity_unsettled(request: ErasureRequest, _person: Account) -> str:
    """Say that the identity has to be settled first; empty when it is."""
    return "" if request.identity_method else _("It has to be settled first who asks.")


def keys_destroyed(request: ErasureRequest, _person: Account) -> str:
    """Say that nothing can be asked without the keys; empty while they are there."""
    if request.closed_at is None:
        return ""
    return _(
        "It is closed and the keys of the person are destroyed; "
        "“gdpr_erase KEY --verify-only” asks with the key."
    )


def no_more_time(request: ErasureRequest, _person: Account) -> str:
    """Say why the time can't be extended; empty when it can."""
    if request.extended_at is not None:
        return _("The time was extended already; Art. 12(3) allows it once.")
    if not deadlines.may_extend(request.received_at, clock.now()):
        return _("The first month is over; the person had to be told within it (Art. 12(3)).")
    return ""
