"""
Durable steps: one entry of the data map within one request, as the database remembers them.

Holding a step's row for a transaction is the claim on it, and nothing of that outlives a kill. Between
two batches a step is kept from others by the name of its process, for as long as that lives and
shows itself. `lease_until` is its last sign of life, or how soon the next one is due.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import connections, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce, Now

from accord import arrays, process
from accord.audit import trail
from accord.audit.events import EventKind, EventOutcome, ObjectKind
from gdpr.datamap import actions
from gdpr.datamap.actions import Manual
from gdpr.datamap.entries import Entry
from gdpr.datamap.map import DataMap
from gdpr.documents import PlanDocument
from gdpr.erasure import holds, policy, state_changes, transitions
from gdpr.erasure.schedule import StepView
from gdpr.errors import DeletionQueued, WhoseIsIt
from gdpr.models import ErasureRequest, ErasureStep
from gdpr.states import RequestState, StepState
from gdpr.stores.lookups import Values

_BY_HAND = actions.name(Manual(""))

# Many requests have tens of thousands of steps; as models they would take longer than what they do.
_CREATE = """
    INSERT INTO gdpr_erasurestep (
        request_id, position, entry, again, store, target, action, state, found,
        attempt, failures, fence, owner, affected, batches, kept, error_code, server, lease_until
    )
    SELECT request, %s, %s, %s, %s, %s, %s, state, found, 0, 0, 0, '', 0, 0, 0, '', '', now()
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS planned (request, state, found)
    ON CONFLICT DO NOTHING
"""
_NOTE = """
    UPDATE gdpr_erasurestep AS step
    SET affected = step.affected + batch.changed,
        found = greatest(step.found, step.affected + batch.changed),
        batches = step.batches + 1,
        attempt = step.attempt + CASE WHEN step.started_at IS NULL OR step.failures > 0 THEN 1 ELSE 0 END,
        failures = 0,
        error_code = '',
        next_attempt_at = NULL,
        started_at = coalesce(step.started_at, transaction_timestamp()),
        state = CASE WHEN batch.done THEN 'done' ELSE 'running' END,
        owner = CASE WHEN batch.done THEN '' ELSE %s END,
        lease_until = CASE WHEN batch.done THEN NULL ELSE clock_timestamp() + %s * interval '1 second' END,
        finished_at = CASE WHEN batch.done THEN clock_timestamp() END
    FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[]) AS batch (id, changed, done)
    WHERE step.id = batch.id
    RETURNING step.request_id, step.found, step.affected, step.attempt, batch.done
"""
_QUEUED = timedelta(seconds=30)
"""How long an external place is left alone at least that has queued a deletion."""
Counts = Mapping[int, int]
"""Rows or documents, by request."""
Requests = Mapping[int, ErasureRequest]
"""Requests by primary key; of what changes only what is read under a lock counts."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """
    One entry, for the first time or again.

    Attributes:
        entry: The entry.
        again: Whether it is the second look at a copy.
        expected: Rows or documents that were planned, of everybody whose turn it is.
    """

    entry: Entry
    again: bool
    expected: int = 0


def passes(the_map: DataMap) -> list[Pass]:
    """List what is done with a person's data, in order: every entry, then the copies once more."""
    first = [Pass(entry=entry, again=False) for entry in the_map.entries if entry.holds_data]
    return first + [Pass(entry=entry, again=True) for entry in the_map.derived() if entry.is_automatic]


def left(the_map: DataMap, requests: Collection[int]) -> list[Pass]:
    """List what is not done of any request and can be done without a person, in order."""
    rows = ErasureStep.objects.filter(request__among=Values(requests)).order_by()
    rows = rows.exclude(state=StepState.DONE)
    counted = rows.values_list("entry", "again").annotate(expected=Sum("found"))
    planned = {(entry, again): int(expected) for entry, again, expected in counted}
    return [
        replace(one, expected=planned[one.entry.id, one.again])
        for one in passes(the_map)
        if one.entry.is_automatic and (one.entry.id, one.again) in planned
    ]


def create(the_map: DataMap, plans: Mapping[int, PlanDocument]) -> None:
    """
    Write the steps of requests whose rows are held, by one statement a pass of an entry.

    Args:
        the_map: The data map.
        plans: The plan that counts of each request.
    """
    found = {key: {line["entry"]: line["found"] for line in plan["entries"]} for key, plan in plans.items()}
    keys = arrays.of_numbers(found)
    with connections[state_changes.alias()].cursor() as cursor:
        for position, one in enumerate(passes(the_map)):
            entry = one.entry
            counts = [0 if one.again else counted[entry.id] for counted in found.values()]
            states = [str(_initial(entry, counted[entry.id])) for counted in found.values()]
            named: list[Any] = [position, entry.id, one.again, entry.store, entry.target]
            planned = (keys, arrays.of_texts(states), arrays.of_numbers(counts))
            cursor.execute(_CREATE, [*named, actions.name(entry.action), *planned])


def _initial(entry: Entry, found: int) -> StepState:
    """Make a manual entry wait for an operator unless it is certain that nothing is there."""
    if not isinstance(entry.action, Manual):
        return StepState.PENDING
    return StepState.DONE if entry.is_looked_at and found == 0 else StepState.MANUAL


def views(requests: Collection[int]) -> dict[int, list[StepView]]:
    """Read the steps that are not done, by request, judged by the server's clock and by who still lives."""
    rows = (
        ErasureStep.objects.filter(request__among=Values(requests))
        .exclude(state=StepState.DONE)
        .order_by("request_id", "position")
        .annotate(silent=Q(lease_until__lte=Now()), is_due=Coalesce(Q(next_attempt_at__lte=Now()), True))
    )
    found: dict[int, list[StepView]] = {key: [] for key in requests}
    own = process.identity()
    for row in rows:
        view = StepView(
            entry=row.entry,
            store=row.store,
            again=row.again,
            state=StepState(row.state),
            due=bool(row.is_due),
            abandoned=row.state == StepState.RUNNING and _is_free(row.owner, own, silent=row.silent),
            next_attempt_at=row.next_attempt_at,
        )
        found[row.request_id].append(view)
    return found


def _is_free(owner: str, own: str, *, silent: bool | None) -> bool:
    """Return whether a step that is between two batches may be taken by this process."""
    return bool(silent) or owner == own or process.is_dead(owner)


def take(one: Pass, requests: Requests) -> dict[int, int]:
    """Lock the free steps of each person who may be worked on; step by request."""
    tags = {key: requests[key].subject_tag for key in state_changes.share(requests, RequestState.EXECUTING)}
    rows = _free_steps(one, _not_held(one, tags)).select_for_update(skip_locked=True, of=("self",))
    found = rows.annotate(silent=Q(lease_until__lte=Now()))
    own = process.identity()
    return {
        request: step
        for request, step, state, owner, silent in found.values_list(
            "request_id", "pk", "state", "owner", "silent"
        )
        if state != StepState.RUNNING or _is_free(owner, own, silent=silent)
    }


def pass_over(one: Pass, requests: Requests) -> set[int]:
    """
    Note with one statement that a pass has nothing to do of people of whom its store has nothing.

    Without a claim: nothing is changed in the store, and what comes later is found by the verification.

    Returns:
        The requests whose step that was for; others are held, are done, or another process is at them.
    """
    free = _not_held(one, {key: each.subject_tag for key, each in requests.items()})
    rows = _free_steps(one, free).exclude(state=StepState.RUNNING)
    rows = rows.filter(found=0, affected=0, request__state=RequestState.EXECUTING)
    chosen = dict(rows.values_list("pk", "request_id"))
    first = Case(When(Q(started_at__isnull=True) | Q(failures__gt=0), then=1), default=0)
    # Chosen a moment ago: it is enough that no other process has begun with them since.
    unchanged = ErasureStep.objects.filter(pk__among=Values(chosen), found=0, affected=0)
    unchanged.filter(state__in=(StepState.PENDING, StepState.RETRY_WAIT)).update(
        state=StepState.DONE,
        batches=F("batches") + 1,
        attempt=F("attempt") + first,
        failures=0,
        error_code="",
        next_attempt_at=None,
        started_at=Coalesce("started_at", Now()),
        owner="",
        lease_until=None,
        finished_at=Now(),
    )
    return set(chosen.values())


def _not_held(one: Pass, tags: Mapping[int, str]) -> list[int]:
    """Return the requests of people of whom neither everything is held nor what the entry finds."""
    held, stopping = holds.among(tags.values()), {holds.EVERYTHING, one.entry.id}
    return [key for key, tag in tags.items() if not stopping & held.get(tag, frozenset())]


def _free_steps(one: Pass, requests: Collection[int]) -> QuerySet[ErasureStep]:
    """Return the steps of an entry that are due and that nothing in their store comes before."""
    due = Q(state__in=(StepState.PENDING, StepState.RUNNING))
    due |= Q(state=StepState.RETRY_WAIT, next_attempt_at__lte=Now())
    open_steps = ErasureStep.objects.filter(request=OuterRef("request"))
    open_steps = open_steps.exclude(state__in=(StepState.DONE, StepState.MANUAL))
    before = open_steps.filter(store=one.entry.store, again=one.again, position__lt=OuterRef("position"))
    found = ErasureStep.objects.filter(
        due, request__among=Values(requests), entry=one.entry.id, again=one.again
    )
    found = found.exclude(Exists(before))
    return found.exclude(Exists(open_steps.filter(again=False))) if one.again else found


def note(requests: Requests, taken: Mapping[int, int], before: Counts, after: Counts) -> None:
    """Record what a batch did, person by person: whoever has nothing left is done."""
    columns = (
        arrays.of_numbers(taken.values()),
        arrays.of_numbers(max(before[key] - after[key], 0) for key in taken),
        arrays.of_numbers(after[key] == 0 for key in taken),
    )
    with connections[state_changes.alias()].cursor() as cursor:
        cursor.execute(_NOTE, [process.identity(), policy.load().lease_seconds, *columns])
        rows = sorted(cursor.fetchall())
    # Where nothing was, nothing was done: the receipt says so, and the trail is about acts.
    state_changes.record(
        [
            state_changes.act(
                requests[request],
                EventKind.ERASURE_STEP_DONE,
                object_kind=ObjectKind.ERASURE_STEP,
                counters={"found": found, "affected": affected, "attempt": attempt},
            )
            for request, found, affected, attempt, done in rows
            if done and (found or affected)
        ]
    )


def fail(one: Pass, requests: Collection[int], code: str) -> set[int]:
    """Note that steps failed: they wait longer each time, and in the end for a person."""
    with transaction.atomic(using=state_changes.alias()):
        # The request's row comes before the step's, here as in a batch: the other way round two workers
        # would wait for each other.
        held = state_changes.lock(requests, RequestState.EXECUTING)
        rows = _free_steps(one, [request.pk for request in held]).select_for_update(of=("self",))
        failed = sorted(rows, key=attrgetter("failures"))
        for failures, steps in groupby(failed, key=attrgetter("failures")):
            _wait([step.pk for step in steps], failures + 1, code)
        by_key = {request.pk: request for request in held}
        troubled = {step.request_id: by_key[step.request_id] for step in failed}
        state_changes.save(list(troubled.values()), trouble=code)
        state_changes.record([_failure(troubled[step.request_id], step) for step in failed])
    return set(troubled)


def _wait(steps: Sequence[int], failures: int, code: str) -> None:
    rules = policy.load()
    # What a place has queued comes in the place's own time; the deadline tells when that is too late.
    queued = code == DeletionQueued.code
    given_up = failures >= rules.attempts and not queued
    pause = max(rules.delay(failures), _QUEUED) if queued else rules.delay(failures)
    rows = ErasureStep.objects.filter(pk__among=Values(steps))
    first = Q(started_at__isnull=True) if failures == 1 else Q()
    rows.filter(first).update(attempt=F("attempt") + 1, started_at=Coalesce("started_at", Now()))
    rows.update(
        failures=failures,
        error_code=code,
        state=StepState.FAILED if given_up else StepState.RETRY_WAIT,
        owner="",
        lease_until=None,
        next_attempt_at=Now() + pause,
    )


def _failure(request: ErasureRequest, step: ErasureStep) -> trail.Act:
    again = bool(step.failures or step.started_at is None)
    return state_changes.act(
        request,
        EventKind.ERASURE_STEP_FAILED,
        object_kind=ObjectKind.ERASURE_STEP,
        outcome=EventOutcome.FAILED,
        counters={"found": step.found, "affected": step.affected, "attempt": step.attempt + again},
    )


def reopen(held: ErasureRequest, entries: Sequence[str]) -> None:
    """Reopen the steps whose entries still hold something; the last pass of each entry."""
    for entry in entries:
        step = held.steps.filter(entry=entry).order_by("-again").first()
        if step is not None:
            by_hand = step.action == _BY_HAND
            held.steps.filter(pk=step.pk).update(
                state=StepState.MANUAL if by_hand else StepState.PENDING,
                failures=0,
                next_attempt_at=None,
                owner="",
                lease_until=Now(),
            )


def ask_whose(held: ErasureRequest, entries: Sequence[str]) -> None:
    """Make the steps of entries wait until a person says whose their newer rows are."""
    for entry in entries:
        step = held.steps.filter(entry=entry).order_by("-again").first()
        if step is not None:
            asked = held.steps.filter(pk=step.pk)
            asked.update(state=StepState.MANUAL, error_code=WhoseIsIt.code, owner="", lease_until=None)


def hurry(held: ErasureRequest) -> None:
    """Allow steps that wait, or that were given up, to be tried now."""
    waiting = held.steps.filter(state__in=(StepState.RETRY_WAIT, StepState.FAILED))
    waiting.update(state=StepState.PENDING, failures=0, next_attempt_at=None, lease_until=Now())


def by_hand(request: ErasureRequest) -> Sequence[str]:
    """Name the entries that a person has to see to."""
    waiting = request.steps.filter(state=StepState.MANUAL).exclude(error_code=WhoseIsIt.code)
    return list(waiting.values_list("entry", flat=True))


def in_doubt(request: ErasureRequest) -> Sequence[str]:
    """Name the entries of which a person has to say whose their newer rows are."""
    asked = request.steps.filter(state=StepState.MANUAL, error_code=WhoseIsIt.code)
    return list(asked.values_list("entry", flat=True))


def can_end(request: ErasureRequest) -> bool:
    """Return whether a request may still be rejected or cancelled: nothing was fenced or erased yet."""
    reachable = transitions.TRANSITIONS[RequestState(request.state)]
    return RequestState.REJECTED in reachable and request.fenced_at is None
