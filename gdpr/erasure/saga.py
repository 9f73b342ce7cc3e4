"""
The saga: fence, steps, verification, and again where something turned up. Forward only.

Each phase takes a set of requests as far as it goes together and gives a refusal for each that it can't
take further. Every function may be killed between any two lines and called again: what is recorded is done,
what is not recorded is done again and finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from accord import clock
from accord.acting import Account, working_for
from accord.audit.events import EventKind, EventOutcome
from accord.erased import tombstones
from accord.errors import AccordError
from accord.wording import say
from gdpr.datamap.map import load_data_map
from gdpr.documents import PlanDraft
from gdpr.erasure import (
    actors,
    approvals,
    batches,
    encryption,
    flaws,
    holds,
    newer,
    planning,
    policy,
    registering,
    schedule,
    state_changes,
    steps,
    transitions,
    verification,
)
from gdpr.erasure.beginning import begin
from gdpr.erasure.refusals import Refusals, raise_first, together_or_apart
from gdpr.erasure.schedule import Outlook, Stop
from gdpr.errors import ApprovalVoid, IllegalTransition, OnHold
from gdpr.models import ErasureRequest, ErasureStep
from gdpr.states import RequestState, StepState
from gdpr.stores.base import Stores, opened_stores
from gdpr.stores.lookups import Values
from gdpr.stores.per_person import People

Requests = Collection[int]
"""Primary keys of requests. A phase looks at those in its own states, and passes over the others."""
_Done = tuple[set[int], Refusals]
"""Those that can go on at once, and why others can't."""


def work(
    request: ErasureRequest, *, by: Account | None = None, stop: Stop = schedule.never
) -> ErasureRequest:
    """
    Go on with one request for as long as something can be done now.

    Args:
        request: Which.
        by: Who asks; None for Accord itself.
        stop: Asked between two phases and between two batches; true makes it rest where it is.

    Returns:
        The request as it came to rest: complete, waiting, blocked or in need of a person.

    Raises:
        InvalidDataMap: The map contradicts itself, so nothing was begun.
        ForeignEnvironment: A store belongs to another environment, so nothing was begun.
        ApprovalVoid, OnHold, StoreUnavailable: As for :func:`start`.
    """
    if by is not None:
        actors.require(by, actors.EXECUTE, about=request)
    # Read before anything is begun: it takes longer than most phases, and may refuse.
    load_data_map()
    if request.state == RequestState.APPROVED:
        planning.require_map()
    with opened_stores() as stores, working_for(by):
        stores.own.require_all(stores)
        refused = carry_out([request.pk], stores, stop=stop)
    registering.tell_stores()
    raise_first(refused)
    return ErasureRequest.objects.get(pk=request.pk)


def carry_out(requests: Requests, stores: Stores, *, stop: Stop = schedule.never) -> Refusals:
    """
    Go on with requests for as long as something can be done now, for whom this process works.

    Args:
        requests: Approved ones, or ones that are under way.
        stores: Where to erase.
        stop: Asked between two phases and between two batches; true makes them rest where they are.

    Returns:
        What refused those that were refused; the states of the others say how far they came.
    """
    phases: Sequence[Callable[[Requests], _Done]] = (
        wake,
        partial(start, stores=stores),
        partial(begin, stores=stores),
        partial(_execute, stores=stores, stop=stop),
        partial(verification.verify, stores=stores),
        registering.conclude,
    )
    refused: dict[int, AccordError] = {}
    going: set[int] = set(requests)
    while going and not stop():
        following: set[int] = set()
        for phase in phases:
            if not stop():
                moved, kept_back = state_changes.through_deadlocks(partial(phase, going - refused.keys()))
                following |= moved
                refused |= kept_back
        going = following
    return refused


def wake(requests: Requests) -> _Done:
    """Resume those whose time to wait is over, by the server's clock."""
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=Now())
    with transaction.atomic(using=state_changes.alias()):
        held = {one.pk: one for one in state_changes.lock(requests, RequestState.RETRY_WAIT)}
        woken = ErasureRequest.objects.filter(due, pk__among=Values(held)).values_list("pk", flat=True)
        resumed = EventKind.ERASURE_RESUMED
        chosen = [held[key] for key in sorted(woken)]
        state_changes.move(chosen, RequestState.EXECUTING, resumed, changes={"next_attempt_at": None})
    return set(), {}


# --- the fence ------------------------------------------------------------------------------------


def start(requests: Requests, stores: Stores) -> _Done:
    """
    Raise the fences of those of whom today would happen what was approved. From here on only forward.

    Args:
        requests: Approved ones.
        stores: Where what would happen is counted.

    Returns:
        Refusals: ApprovalVoid where no approval counts or something else would happen now; OnHold where
        everything is held; DataMapOpen, StoreUnavailable as :func:`gdpr.erasure.planning.drafts` says;
        RegisterError where the erasure could not be repeated after a restore.
    """
    people, refused = encryption.people_of(requests, RequestState.APPROVED)
    if unready := registering.refusals(people):
        return set(), {**refused, **unready}
    people, away = together_or_apart(people, planning.renewed)
    drafts, troubles = planning.drafts(people, stores)
    with transaction.atomic(using=state_changes.alias()):
        held = state_changes.lock(list(drafts), RequestState.APPROVED)
        stopped = _on_hold(held)
        void = _not_approved([one for one in held if one.pk not in stopped], people)
        free = [one for one in held if one.pk not in stopped and one.pk not in void]
        encryption.keep_collected(free, people)
        changed = _changed(free, people, drafts)
        _fence([one for one in free if one.pk not in changed])
    return set(), {**refused, **away, **troubles, **stopped, **void, **changed}


def _on_hold(held: Sequence[ErasureRequest]) -> Refusals:
    stopped = holds.held_as_a_whole(held)
    holds.block(stopped)
    return {
        one.pk: OnHold(
            say(
                "Request {reference} waits for a hold to be released, or a restriction to be lifted.",
                reference=one.reference,
            ),
            hint="Another person than the one who placed a hold releases it; a restriction is "
            "lifted once the person was told.",
        )
        for one in stopped
    }


def _not_approved(held: Sequence[ErasureRequest], people: People) -> Refusals:
    found = flaws.flaws_of({one.pk: people[one.pk] for one in held})
    void = [one for one in held if one.pk in found]
    approvals.take_back(void)
    return {
        one.pk: ApprovalVoid(
            say(
                "Request {reference} is not approved: {found}.", reference=one.reference, found=found[one.pk]
            ),
            hint="Have its plan approved again.",
        )
        for one in void
    }


def _changed(held: Sequence[ErasureRequest], people: People, drafts: Mapping[int, PlanDraft]) -> Refusals:
    plans, rules = planning.current_among([one.pk for one in held]), policy.load()
    changed = [one for one in held if not planning.same_work(plans[one.pk].document, drafts[one.pk], rules)]
    for one in changed:
        state_changes.record([state_changes.act(one, EventKind.ERASURE_APPROVAL_VOIDED)])
        planning.store(one, planning.digested(people[one.pk], drafts[one.pk]), None)
    return {
        one.pk: ApprovalVoid(
            say(
                "What would be erased for request {reference} is not what was approved; it was planned anew.",
                reference=one.reference,
            ),
            hint="Have the new plan approved.",
        )
        for one in changed
    }


def _fence(held: Sequence[ErasureRequest]) -> None:
    tombstones.raise_fences(dict.fromkeys(one.subject_tag for one in held), using=state_changes.alias())
    event, now = EventKind.ERASURE_FENCED, clock.now()
    state_changes.move(held, RequestState.FENCED, event, changes={"fenced_at": now})


# --- the steps ------------------------------------------------------------------------------------


def _execute(requests: Requests, stores: Stores, stop: Stop) -> _Done:
    touched, refused = batches.execute(requests, stores, stop)
    # Where nothing could be done although something is free, another process is at it.
    return settle(requests) & touched, refused


def settle(requests: Requests) -> set[int]:
    """
    Draw the conclusion from how the steps of each request stand.

    Returns:
        Those that have a step which could be worked on now.
    """
    with transaction.atomic(using=state_changes.alias()):
        executing = state_changes.lock(requests, RequestState.EXECUTING)
        stopped = holds.held_as_a_whole(executing)
        holds.block(stopped)
        held = [one for one in executing if one not in stopped]
        views = steps.views([one.pk for one in held])
        kept = holds.among([one.subject_tag for one in held])
        outlooks = {
            one.pk: schedule.outlook(views[one.pk], kept.get(one.subject_tag, frozenset())) for one in held
        }
        _conclude(held, outlooks)
    return {key for key, found in outlooks.items() if found.claimable}


def _conclude(held: Sequence[ErasureRequest], outlooks: Mapping[int, Outlook]) -> None:
    conclusions = {one.pk: _conclusion(outlooks[one.pk]) for one in held}
    for conclusion in dict.fromkeys(conclusions.values()):
        if conclusion is None:
            continue
        target, due = conclusion
        chosen = [one for one in held if conclusions[one.pk] == conclusion]
        if target is RequestState.BLOCKED_HOLD:
            holds.block(chosen)
            continue
        event, outcome = _SAID[target]
        numbers = progress([one.pk for one in chosen])
        changes: dict[str, object] = {"next_attempt_at": due} if target is RequestState.RETRY_WAIT else {}
        state_changes.move(chosen, target, event, outcome=outcome, counters=numbers, changes=changes)


_SAID = {
    RequestState.VERIFYING: (EventKind.ERASURE_STEP_DONE, EventOutcome.DONE),
    RequestState.RETRY_WAIT: (EventKind.ERASURE_STEP_RETRIED, EventOutcome.PARTIAL),
    RequestState.NEEDS_OPERATOR: (EventKind.ERASURE_NEEDS_OPERATOR, EventOutcome.PARTIAL),
}


def _conclusion(found: Outlook) -> tuple[RequestState, object] | None:
    """Return what becomes of a request and until when it waits; None where it stays as it is."""
    if found.finished:
        return RequestState.VERIFYING, None
    if found.claimable or found.busy:
        return None
    if found.waiting:
        return RequestState.RETRY_WAIT, found.next_attempt_at
    return (RequestState.BLOCKED_HOLD if found.held else RequestState.NEEDS_OPERATOR), None


def progress(requests: Requests) -> dict[int, dict[str, int]]:
    """Count the steps of each request by how they stand."""
    rows = ErasureStep.objects.filter(request__among=Values(requests)).order_by().values("request_id")
    counted = rows.annotate(
        steps=Count("pk"),
        done=Count("pk", filter=Q(state=StepState.DONE)),
        failed=Count("pk", filter=Q(state=StepState.FAILED)),
    )
    numbers = {key: {"steps": 0, "done": 0, "failed": 0, "pending": 0} for key in requests}
    for key, every, done, failed in counted.values_list("request_id", "steps", "done", "failed"):
        numbers[key] = {"steps": every, "done": done, "failed": failed, "pending": every - done - failed}
    return numbers


# --- what people do about it ---------------------------------------------------------------------


def retry(request: ErasureRequest, *, by: Account | None = None) -> ErasureRequest:
    """
    Try now what waits or was given up.

    Args:
        request: One that waits to retry or needs a person; any other is left as it is.
        by: Who asks.
    """
    if by is not None:
        actors.require(by, actors.EXECUTE, about=request)
    with state_changes.locked(request) as held:
        if held.state in transitions.RESTING:
            steps.hurry(held)
            new: dict[str, object] = {"next_attempt_at": None, "reopened": 0}
            state_changes.move([held], RequestState.EXECUTING, EventKind.ERASURE_RESUMED, by=by, changes=new)
    return held


def confirm_manual(request: ErasureRequest, entry: str, *, by: Account) -> ErasureRequest:
    """
    Note that a person has done what an entry's instructions ask for.

    Raises:
        IllegalTransition, WhoseIsIt: No step of this entry waits for a person; or for another answer.
    """
    actors.require(by, actors.EXECUTE, about=request)
    with state_changes.locked(request) as held:
        if entry in steps.in_doubt(held):
            raise newer.question(held, entry)
        waiting = ErasureStep.objects.filter(request=held, entry=entry, state=StepState.MANUAL)
        now = clock.now()
        confirmed = waiting.update(state=StepState.DONE, confirmed_by_id=by.pk, finished_at=now)
        if not confirmed:
            raise IllegalTransition(
                say(
                    "No step “{entry}” of request {reference} waits for a person.",
                    entry=entry,
                    reference=held.reference,
                ),
                hint="See the steps: gdpr_erase --request REFERENCE.",
            )
        state_changes.record([state_changes.act(held, EventKind.ERASURE_STEP_DONE)], by=by)
        if held.state == RequestState.NEEDS_OPERATOR:
            state_changes.move([held], RequestState.EXECUTING, EventKind.ERASURE_RESUMED, by=by)
    return held
