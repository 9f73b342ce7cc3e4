"""
Durable steps: claimed by one worker at a time, done in bounded batches, recorded as they go.

A claim is a compare-and-set on the step's fencing token. A batch holds the step's row and keeps
the request's state as it is until it is over, so a step is never shared, a hold that was placed
is never followed by a batch, and whoever lost a step finds out before the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accord import process
from accord.audit_events import Event, ObjectKind, Outcome
from accord.errors import AccordError
from gdpr import actions
from gdpr.actions import Manual
from gdpr.datamap import DataMap, load_data_map
from gdpr.entries import Entry
from gdpr.errors import ErasureIncomplete, StepTaken
from gdpr.locators import needs
from gdpr.models import ErasureRequest, ErasureStep
from gdpr.services import holds, moving, policy, scheduling, sealing
from gdpr.services.planning import Document
from gdpr.services.scheduling import StepView
from gdpr.states import RequestState, StepState
from gdpr.stores.base import Erased, erasure_store
from gdpr.subjects import SubjectKeys

# A cohort has tens of thousands of steps; as models they would take longer than what they do.
_CREATE = """
    INSERT INTO gdpr_erasurestep (
        request_id, position, entry, again, store, target, action, state, found,
        attempt, failures, fence, owner, affected, batches, kept, error_code, server
    )
    SELECT request, %s, %s, %s, %s, %s, %s, state, found, 0, 0, 0, '', 0, 0, 0, '', ''
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS planned (request, state, found)
    ON CONFLICT DO NOTHING
"""
_BY_HAND = actions.name(Manual(""))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """
    The right to work on a step.

    Attributes:
        step_id: The step.
        request_id: Its request.
        entry: Its entry.
        fence: Token of the claim.
    """

    step_id: int
    request_id: int
    entry: Entry
    fence: int


def create(held: ErasureRequest, the_map: DataMap) -> None:
    """Write the steps of a request whose row is held: every entry, then the copies once more."""
    create_all(the_map, {held.pk: held.plans.order_by("-number")[0].document})


def create_all(the_map: DataMap, plans: Mapping[int, Document]) -> None:
    """
    Write the steps of several requests whose rows are held, by one statement a pass of an entry.

    Args:
        the_map: The data map.
        plans: The plan that counts of each request.
    """
    first = [(entry, False) for entry in the_map.entries if entry.holds_data]
    again = [(entry, True) for entry in the_map.derived() if entry.is_automatic]
    found = {key: {line["entry"]: line["found"] for line in plan["entries"]} for key, plan in plans.items()}
    with connections[moving.alias()].cursor() as cursor:
        for position, (entry, second) in enumerate([*first, *again]):
            counts = [0 if second else counted[entry.id] for counted in found.values()]
            states = [str(_initial(entry, counted[entry.id])) for counted in found.values()]
            named: list[Any] = [
                position,
                entry.id,
                second,
                entry.store,
                entry.target,
                actions.name(entry.action),
            ]
            cursor.execute(_CREATE, [*named, list(found), states, counts])


def _initial(entry: Entry, found: int) -> StepState:
    """Let a manual entry ask for a person unless it is certain that nothing is there."""
    if not isinstance(entry.action, Manual):
        return StepState.PENDING
    return StepState.DONE if entry.is_looked_at and found == 0 else StepState.MANUAL


def views(request_id: int) -> Sequence[StepView]:
    """Read the steps of a request, judged by the server's clock and by whose process still lives."""
    rows = (
        ErasureStep.objects.filter(request_id=request_id)
        .order_by("position")
        .annotate(silent=Q(lease_until__lte=Now()), is_due=Coalesce(Q(next_attempt_at__lte=Now()), True))
    )
    return [
        StepView(
            id=row.pk,
            entry=row.entry,
            store=row.store,
            again=row.again,
            state=StepState(row.state),
            fence=row.fence,
            due=bool(row.is_due),
            abandoned=bool(row.silent) or process.is_dead(row.owner),
            next_attempt_at=row.next_attempt_at,
        )
        for row in rows
    ]


def outlook(request: ErasureRequest) -> scheduling.Outlook:
    """Say how a request stands."""
    return scheduling.outlook(views(request.pk), holds.held_entries(request.subject_tag))


def claim_next(request: ErasureRequest) -> Claim | None:
    """
    Take the next step that is free.

    Returns:
        None when nothing is: all done, waiting, held, or in other hands.
    """
    for view in outlook(request).claimable:
        claim = _claim(request.pk, view)
        if claim is not None:
            return claim
    return None


def _claim(request_id: int, view: StepView) -> Claim | None:
    with transaction.atomic(using=moving.alias()):
        if moving.share_lock(request_id) is not RequestState.EXECUTING:
            return None
        # A row that is locked is in the hands of a worker that lives, whatever its lease says.
        rows = ErasureStep.objects.select_for_update(skip_locked=True)
        step = rows.filter(pk=view.id, fence=view.fence, state=view.state).first()
        if step is None:
            return None
        _take(step)
    return Claim(
        step_id=step.pk,
        request_id=request_id,
        entry=load_data_map().entry(step.entry),
        fence=step.fence,
    )


def _take(step: ErasureStep) -> None:
    step.state = StepState.RUNNING
    step.fence += 1
    step.attempt += 1
    step.owner = process.identity()
    step.started_at = step.started_at or timezone.now()
    step.save()
    _renew(step)


def _renew(step: ErasureStep) -> None:
    seconds = policy.load().lease_seconds
    ErasureStep.objects.filter(pk=step.pk).update(lease_until=Now() + timedelta(seconds=seconds))


def run(claim: Claim) -> bool:
    """
    Work on a claimed step until it is done, fails, is held or is lost.

    Returns:
        True when it is done.

    Raises:
        StepTaken: Another worker has it now.
    """
    try:
        keys = ensure_collected(claim.request_id, claim.entry)
        done: bool | None = False
        while done is False:
            done = moving.through_deadlocks(partial(_batch, claim, keys))
    except StepTaken:
        raise
    except AccordError as exc:
        fail(claim, exc.code)
        return False
    except Exception:
        # A fault of ours: the step is given back, and the fault is shown.
        fail(claim, AccordError.code)
        raise
    return done is True


def _batch(claim: Claim, keys: SubjectKeys) -> bool | None:
    """
    Do one batch and record it in the same transaction.

    Returns:
        Whether the step is done; None when a hold or an end stops it.
    """
    with transaction.atomic(using=moving.alias()):
        state = moving.share_lock(claim.request_id)
        step = _ours(claim)
        if state is not RequestState.EXECUTING or _is_held(step):
            _give_back(step)
            return None
        erased = erasure_store(step.store).erase(claim.entry, keys, int(policy.load().batch_size))
        _note(step, erased)
    if not erased.done and erased.matched == 0:
        raise ErasureIncomplete(
            f"The store {step.store} keeps rows of {step.entry} back: somebody else has them locked.",
            hint="They are tried again by themselves.",
        )
    return erased.done


def _ours(claim: Claim) -> ErasureStep:
    """
    Hold the row of a claimed step.

    Raises:
        StepTaken: The claim was taken over.
    """
    rows = ErasureStep.objects.select_for_update().select_related(None)
    step = rows.filter(pk=claim.step_id, fence=claim.fence, state=StepState.RUNNING).first()
    if step is None:
        raise StepTaken(
            f"Another worker has taken over the step {claim.entry.id}.",
            hint="Nothing needs to be done: the other one goes on.",
        )
    return step


def _is_held(step: ErasureStep) -> bool:
    tag = step.request.subject_tag
    return holds.covers_everything(tag) or step.entry in holds.held_entries(tag)


def _give_back(step: ErasureStep) -> None:
    step.state, step.owner, step.lease_until = StepState.PENDING, "", None
    step.save()


def _note(step: ErasureStep, erased: Erased) -> None:
    step.affected += erased.affected
    step.found = max(step.found, step.affected)
    step.batches += 1
    step.failures = 0
    step.error_code = ""
    if not erased.done:
        step.save()
        _renew(step)
        return
    step.state, step.finished_at = StepState.DONE, timezone.now()
    step.owner, step.lease_until, step.next_attempt_at = "", None, None
    step.save()
    if step.found or step.affected:
        # Where nothing was, nothing was done: the receipt says so, and the trail is about acts.
        _record(step, Event.ERASURE_STEP_DONE, Outcome.DONE)


def fail(claim: Claim, code: str) -> None:
    """Note that a step failed: it waits longer each time, and in the end for a person."""
    # The request's row comes before the step's, here as in a batch: the other way round two workers
    # would wait for each other.
    with moving.locked(claim.request_id) as held:
        step = _ours(claim)
        note_failure(step, code)
        held.trouble = code
        held.save(update_fields=["trouble"])
        _record(step, Event.ERASURE_STEP_FAILED, Outcome.FAILED)


def note_failure(step: ErasureStep, code: str) -> None:
    """Count a failure of a step whose row is held, and have it wait."""
    rules = policy.load()
    step.failures += 1
    step.error_code = code
    given_up = step.failures >= rules.attempts
    step.state = StepState.FAILED if given_up else StepState.RETRY_WAIT
    step.owner, step.lease_until = "", None
    step.save()
    waits = Now() + rules.delay(step.failures)
    ErasureStep.objects.filter(pk=step.pk).update(next_attempt_at=waits)


def _record(step: ErasureStep, event: Event, outcome: Outcome) -> None:
    moving.record(
        step.request,
        event,
        object_kind=ObjectKind.ERASURE_STEP,
        outcome=outcome,
        counters={"found": step.found, "affected": step.affected, "attempt": step.attempt},
    )


def ensure_collected(request_id: int, entry: Entry) -> SubjectKeys:
    """
    Make sure that keys which others refer to are sealed with the request before their rows go.

    Args:
        request_id: The request.
        entry: Entry that is about to be worked on.

    Returns:
        The person's keys, with everything that was collected.

    Raises:
        StoreUnavailable: A store that has to be asked is away.
    """
    request = ErasureRequest.objects.get(pk=request_id)
    keys = sealing.keys_of(request)
    the_map = load_data_map()
    wanted = needed(entry, the_map)
    missing = [
        one
        for one in the_map.to_collect()
        if one.is_looked_at and one.id in wanted and one.id not in keys.collected
    ]
    if not missing:
        return keys
    for one in missing:
        keys = keys.with_collected(erasure_store(one.store).collect(one, keys))
    return keep_collected(request_id, keys)


def needed(entry: Entry, the_map: DataMap) -> set[str]:
    """Give an entry's id, and those of all entries that must be collected before it can be found."""
    wanted, waiting = {entry.id}, [entry]
    while waiting:
        for need in needs(waiting.pop().locator):
            if need in the_map.by_id and need not in wanted:
                wanted.add(need)
                waiting.append(the_map.entry(need))
    return wanted


def keep_collected(request_id: int, found: SubjectKeys) -> SubjectKeys:
    """Seal collected keys with a request, beside those that others have collected meanwhile."""
    with moving.locked(request_id) as held:
        merged = sealing.keys_of(held).with_collected(found.collected)
        held.sealed_keys = sealing.seal_keys(merged)
        held.save(update_fields=["sealed_keys"])
    return merged


def reopen(held: ErasureRequest, entries: Sequence[str]) -> None:
    """Let steps be done again whose entries still hold something; the last pass of each entry."""
    for entry in entries:
        step = held.steps.filter(entry=entry).order_by("-again").first()
        if step is not None:
            by_hand = step.action == _BY_HAND
            held.steps.filter(pk=step.pk).update(
                state=StepState.MANUAL if by_hand else StepState.PENDING,
                failures=0,
                next_attempt_at=None,
                fence=F("fence") + 1,
                owner="",
            )


def hurry(held: ErasureRequest) -> None:
    """Let steps that wait, or that were given up, be tried now."""
    waiting = held.steps.filter(state__in=(StepState.RETRY_WAIT, StepState.FAILED))
    waiting.update(state=StepState.PENDING, failures=0, next_attempt_at=None)
