"""
The saga: fence, steps, verification, and again where something turned up. Forward only.

Every function may be killed between any two lines and called again: what is recorded is done,
what is not recorded is done again and finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.db.models.functions import Now
from django.utils import timezone

from accord import tombstones
from accord.audit_events import Event, Outcome
from accord.errors import AccordError
from gdpr.datamap import load_data_map
from gdpr.errors import ApprovalVoid, AwaitingApproval, IllegalTransition, OnHold, StepTaken
from gdpr.models import ErasureRequest, ErasureStep
from gdpr.services import (
    actors,
    approvals,
    holds,
    moving,
    planning,
    policy,
    sealing,
    steps,
    transitions,
    verification,
)
from gdpr.services.actors import Person
from gdpr.states import RequestState, StepState

Stop = Callable[[], bool]


def _never() -> bool:
    return False


def start(request: ErasureRequest, *, by: Person | None = None) -> ErasureRequest:
    """
    Raise the fence. From here on there is only forward.

    Raises:
        AwaitingApproval: Nobody has approved the plan.
        ApprovalVoid: The approval expired, or something else would happen now than was approved.
        OnHold: A legal hold covers everything.
        StoreUnavailable: A store can't be asked, so nobody can say what would happen. Nothing was done.
    """
    if by is not None:
        actors.require(by, actors.EXECUTE)
    if request.state != RequestState.APPROVED:
        raise AwaitingApproval(
            f"Request {request.reference} is “{request.state}”; it starts once its plan is approved.",
            hint="A second person approves it: gdpr_erase --request REFERENCE --approve, or in the admin.",
        )
    now_found = planning.preview(sealing.keys_of(request))
    with moving.locked(request) as held:
        # Refusals are recorded as well, so they are raised once the transaction is over.
        refusal = _refusal(held, now_found)
        if refusal is None:
            _fence(held, by)
    if refusal is not None:
        raise refusal
    return held


def _refusal(held: ErasureRequest, now_found: planning.Document) -> AccordError | None:
    if held.state != RequestState.APPROVED:
        return StepTaken(
            f"Request {held.reference} was moved on by somebody else.", hint="Run the same command again."
        )
    if holds.stop_if_held(held):
        return OnHold(
            f"Request {held.reference} waits for a legal hold to be released.",
            hint="Another person than the one who placed the hold releases it.",
        )
    if not approvals.standing(held):
        approvals.take_back(held)
        return ApprovalVoid(
            f"The approval of request {held.reference} expired.", hint="Have the plan approved again."
        )
    return _changed(held, now_found)


def _changed(held: ErasureRequest, now_found: planning.Document) -> AccordError | None:
    approved = planning.current(held).document
    if planning.same_work(approved, now_found, policy.load()):
        return None
    moving.record(held, Event.ERASURE_APPROVAL_VOIDED)
    planning.store(held, now_found, None)
    return ApprovalVoid(
        f"What would be erased for request {held.reference} is not what was approved; it was planned anew.",
        hint="Have the new plan approved.",
    )


def _fence(held: ErasureRequest, by: Person | None) -> None:
    tombstones.raise_fence(held.subject_tag, using=moving.alias())
    held.fenced_at = timezone.now()
    moving.move(held, RequestState.FENCED, Event.ERASURE_FENCED, by=by)


def begin(request: ErasureRequest) -> None:
    """
    Write the steps, and collect the keys that some of them need while their rows are still there.

    A store that is down keeps nobody back: its keys are collected before its first step.
    """
    the_map = load_data_map()
    for entry in the_map.to_collect():
        try:
            steps.ensure_collected(request.pk, entry)
        except AccordError:
            continue
    with moving.locked(request) as held:
        if held.state == RequestState.FENCED:
            steps.create(held, the_map)
            moving.move(held, RequestState.EXECUTING, Event.ERASURE_STARTED)


def work(request: ErasureRequest, *, by: Person | None = None, stop: Stop = _never) -> ErasureRequest:
    """
    Go on with a request for as long as something can be done now.

    Args:
        request: Which.
        by: Who asks; None for Accord itself.
        stop: Asked between two steps; true makes it rest where it is.

    Returns:
        The request as it came to rest: complete, waiting, blocked or in need of a person.

    Raises:
        AwaitingApproval, OnHold: As for :func:`start`.
    """
    while not stop():
        request = ErasureRequest.objects.get(pk=request.pk)
        if not moving.through_deadlocks(partial(_advance, request, by, stop)):
            break
    return ErasureRequest.objects.get(pk=request.pk)


def _advance(request: ErasureRequest, by: Person | None, stop: Stop) -> bool:
    """Take a request one state further. False when it rests."""
    match RequestState(request.state):
        case RequestState.APPROVED:
            start(request, by=by)
        case RequestState.FENCED:
            begin(request)
        case RequestState.EXECUTING:
            return _execute(request, stop)
        case RequestState.RETRY_WAIT:
            return _wake(request)
        case RequestState.VERIFYING:
            return verification.verify(request)
        case _:
            return False
    return True


def _execute(request: ErasureRequest, stop: Stop) -> bool:
    while not stop():
        claim = steps.claim_next(request)
        if claim is None:
            break
        try:
            steps.run(claim)
        except StepTaken:
            continue
    return settle(request)


def settle(request: ErasureRequest) -> bool:
    """
    Draw the conclusion from how the steps stand.

    Returns:
        True when the request can go on at once.
    """
    with moving.locked(request) as held:
        if held.state != RequestState.EXECUTING:
            return held.state == RequestState.VERIFYING
        if holds.stop_if_held(held):
            return False
        found = steps.outlook(held)
        if found.finished:
            _move(held, RequestState.VERIFYING, Event.ERASURE_STEP_DONE, Outcome.DONE)
        elif found.claimable:
            return True
        elif found.busy:
            return False
        elif found.waiting:
            held.next_attempt_at = found.next_attempt_at
            _move(held, RequestState.RETRY_WAIT, Event.ERASURE_STEP_RETRIED, Outcome.PARTIAL)
        elif found.held:
            holds.block(held)
        else:
            _move(held, RequestState.NEEDS_OPERATOR, Event.ERASURE_NEEDS_OPERATOR, Outcome.PARTIAL)
        return held.state == RequestState.VERIFYING


def _move(held: ErasureRequest, target: RequestState, event: Event, outcome: Outcome) -> None:
    moving.move(held, target, event, outcome=outcome, counters=progress(held))


def progress(request: ErasureRequest) -> dict[str, int]:
    """Count the steps of a request by how they stand."""
    states = list(request.steps.values_list("state", flat=True))
    return {
        "steps": len(states),
        "done": states.count(StepState.DONE),
        "failed": states.count(StepState.FAILED),
        "pending": len(states) - states.count(StepState.DONE) - states.count(StepState.FAILED),
    }


def _wake(request: ErasureRequest) -> bool:
    """Let a waiting request go on once its time has come, by the server's clock."""
    with moving.locked(request) as held:
        due = ErasureRequest.objects.filter(pk=held.pk, next_attempt_at__gt=Now()).exists() is False
        if held.state != RequestState.RETRY_WAIT:
            return True
        if not due:
            return False
        held.next_attempt_at = None
        moving.move(held, RequestState.EXECUTING, Event.ERASURE_RESUMED)
    return True


def retry(request: ErasureRequest, *, by: Person | None = None) -> ErasureRequest:
    """
    Try now what waits or was given up.

    Args:
        request: One that waits to retry or needs a person; any other is left as it is.
        by: Who asks.
    """
    if by is not None:
        actors.require(by, actors.EXECUTE)
    with moving.locked(request) as held:
        if held.state in (RequestState.RETRY_WAIT, RequestState.NEEDS_OPERATOR):
            steps.hurry(held)
            held.next_attempt_at, held.reopened = None, 0
            moving.move(held, RequestState.EXECUTING, Event.ERASURE_RESUMED, by=by)
    return held


def confirm_manual(request: ErasureRequest, entry: str, *, by: Person) -> ErasureRequest:
    """
    Note that a person has done what an entry's instructions ask for.

    Raises:
        IllegalTransition: No step of this entry waits for a person.
    """
    actors.require(by, actors.EXECUTE)
    with moving.locked(request) as held:
        waiting = ErasureStep.objects.filter(request=held, entry=entry, state=StepState.MANUAL)
        now = timezone.now()
        confirmed = waiting.update(state=StepState.DONE, confirmed_by_id=by.pk, finished_at=now)
        if not confirmed:
            raise IllegalTransition(
                f"No step “{entry}” of request {held.reference} waits for a person.",
                hint="See the steps: gdpr_erase --request REFERENCE.",
            )
        moving.record(held, Event.ERASURE_STEP_DONE, by=by)
        if held.state == RequestState.NEEDS_OPERATOR:
            moving.move(held, RequestState.EXECUTING, Event.ERASURE_RESUMED, by=by)
    return held


def is_going_on(request: ErasureRequest) -> bool:
    """Tell whether a worker has something to do with a request."""
    return RequestState(request.state) in transitions.EXECUTABLE
