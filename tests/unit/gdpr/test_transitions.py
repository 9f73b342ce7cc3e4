"""The state machine of an erasure request."""

from __future__ import annotations

import pytest

from gdpr.erasure import transitions
from gdpr.errors import IllegalTransition
from gdpr.states import RequestState as S


def reachable(start: S) -> set[S]:
    """Follow every transition from a state."""
    found, waiting = {start}, [start]
    while waiting:
        new = transitions.TRANSITIONS[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found


def test_every_state_has_its_transitions_and_is_reached() -> None:
    """No state is forgotten; only a duplicate is never moved to, because it is filed as one."""
    assert set(transitions.TRANSITIONS) == set(S)
    assert reachable(S.RECEIVED) == set(S) - {S.DUPLICATE}


def test_nothing_is_fenced_without_an_approval() -> None:
    """The only way to the fence leads through an approval."""
    assert [state for state, after in transitions.TRANSITIONS.items() if S.FENCED in after] == [S.APPROVED]
    assert [state for state, after in transitions.TRANSITIONS.items() if S.APPROVED in after] == [S.PLANNED]


def test_completion_comes_from_verification_alone() -> None:
    """No state but verifying leads to complete."""
    for complete in transitions.COMPLETE:
        before = [state for state, after in transitions.TRANSITIONS.items() if complete in after]
        assert before == [S.VERIFYING]


@pytest.mark.parametrize("state", [S.FENCED, S.EXECUTING, S.RETRY_WAIT, S.VERIFYING, S.NEEDS_OPERATOR])
@pytest.mark.parametrize("target", [S.CANCELLED, S.REJECTED, S.PLANNED, S.APPROVED])
def test_behind_the_fence_there_is_only_forward(state: S, target: S) -> None:
    """What has begun can't be cancelled, refused or planned anew."""
    with pytest.raises(IllegalTransition):
        transitions.check(state, target)


@pytest.mark.parametrize("state", sorted(transitions.ENDED))
def test_what_ended_stays_ended(state: S) -> None:
    """Rejected, cancelled and duplicate lead nowhere, and the error says so."""
    with pytest.raises(IllegalTransition) as raised:
        transitions.check(state, S.PLANNED)

    assert "it is over" in raised.value.hint


def test_reviewer_may_doubt_who_asks_until_the_plan_is_approved() -> None:
    """A plan may go back to the question of identity; what is approved may not."""
    transitions.check(S.PLANNED, S.IDENTITY_CHECK)

    with pytest.raises(IllegalTransition):
        transitions.check(S.APPROVED, S.IDENTITY_CHECK)


def test_every_open_state_can_be_held() -> None:
    """A legal hold stops whatever is not over, and nothing else."""
    holdable = {state for state in S if S.BLOCKED_HOLD in transitions.TRANSITIONS[state]}

    assert holdable == transitions.OPEN - {S.BLOCKED_HOLD}


@pytest.mark.parametrize(
    ("held_in", "then"),
    [
        (S.RECEIVED, S.RECEIVED),
        (S.PLANNED, S.PLANNED),
        (S.APPROVED, S.PLANNED),
        (S.FENCED, S.EXECUTING),
        (S.RETRY_WAIT, S.EXECUTING),
        (S.VERIFYING, S.EXECUTING),
    ],
)
def test_released_request_goes_on_where_it_can(held_in: S, then: S) -> None:
    """An approval doesn't outlive a hold; behind the fence the steps go on."""
    assert transitions.after_release(held_in) is then
    transitions.check(S.BLOCKED_HOLD, then)
