"""
The state machine of an erasure request: which state may follow which. Pure; nothing here has effects.

Until FENCED everything can be taken back. From then on there is only forward: what is erased
stays erased, and a request ends as completed, however many attempts that takes.
"""

from __future__ import annotations

from collections.abc import Mapping

from accord.wording import say
from gdpr.errors import IllegalTransition
from gdpr.states import RequestState as S

BEFORE_FENCE = frozenset({S.RECEIVED, S.IDENTITY_CHECK, S.PLANNED, S.APPROVED})
"""Nothing has been done yet; the request may be cancelled or rejected."""
RUNNING = frozenset({S.FENCED, S.EXECUTING, S.RETRY_WAIT, S.VERIFYING})
"""Workers go on with it by themselves."""
RESTING = frozenset({S.RETRY_WAIT, S.NEEDS_OPERATOR})
"""It waits for another attempt, or was given up; a person may have it tried now."""
COMPLETE = frozenset({S.COMPLETED, S.COMPLETED_WITH_RETENTION})
"""Read back and found gone; reopened only when something turns up again."""
ENDED = frozenset({S.REJECTED, S.CANCELLED, S.DUPLICATE})
"""Nothing was erased, and nothing will be under this reference."""
OPEN = frozenset(S) - COMPLETE - ENDED
"""The clock runs; a person has at most one such request."""
EXECUTABLE = RUNNING | {S.APPROVED}
"""A worker may be asked to go on."""

_LEAVING = frozenset({S.REJECTED, S.CANCELLED})

TRANSITIONS: Mapping[S, frozenset[S]] = {
    S.RECEIVED: frozenset({S.IDENTITY_CHECK, S.PLANNED, S.BLOCKED_HOLD}) | _LEAVING,
    S.IDENTITY_CHECK: frozenset({S.RECEIVED, S.BLOCKED_HOLD}) | _LEAVING,
    # Planned again: a new plan, which voids what was approved. Whoever reviews it may doubt who asks.
    S.PLANNED: frozenset({S.PLANNED, S.APPROVED, S.IDENTITY_CHECK, S.BLOCKED_HOLD}) | _LEAVING,
    S.APPROVED: frozenset({S.PLANNED, S.FENCED, S.BLOCKED_HOLD}) | _LEAVING,
    S.FENCED: frozenset({S.EXECUTING, S.BLOCKED_HOLD}),
    S.EXECUTING: frozenset({S.RETRY_WAIT, S.VERIFYING, S.BLOCKED_HOLD, S.NEEDS_OPERATOR}),
    S.RETRY_WAIT: frozenset({S.EXECUTING, S.BLOCKED_HOLD, S.NEEDS_OPERATOR}),
    S.NEEDS_OPERATOR: frozenset({S.EXECUTING, S.BLOCKED_HOLD}),
    S.VERIFYING: COMPLETE | {S.EXECUTING, S.RETRY_WAIT, S.BLOCKED_HOLD, S.NEEDS_OPERATOR},
    # A hold that is released returns the request to where it was; before the fence, as planned anew.
    S.BLOCKED_HOLD: frozenset({S.RECEIVED, S.IDENTITY_CHECK, S.PLANNED, S.EXECUTING}) | _LEAVING,
    S.COMPLETED: frozenset({S.EXECUTING}),
    S.COMPLETED_WITH_RETENTION: frozenset({S.EXECUTING}),
    S.REJECTED: frozenset(),
    S.CANCELLED: frozenset(),
    S.DUPLICATE: frozenset(),
}


def check(current: S, target: S) -> None:
    """
    Make sure that a state may follow another.

    Raises:
        IllegalTransition: It may not.
    """
    if target not in TRANSITIONS[current]:
        allowed = ", ".join(sorted(TRANSITIONS[current])) or "nothing; it is over"
        raise IllegalTransition(
            say("A request that is “{current}” can't become “{target}”.", current=current, target=target),
            hint=say("From “{current}” it can become: {allowed}.", current=current, allowed=allowed),
        )


def after_release(held_in: S) -> S:
    """
    Say where a request goes on once the last hold on it is released.

    Args:
        held_in: State that it was in when the hold stopped it.

    Returns:
        An approval doesn't outlive a hold: the plan may have changed meanwhile.
    """
    if held_in is S.APPROVED:
        return S.PLANNED
    return held_in if held_in in BEFORE_FENCE else S.EXECUTING
