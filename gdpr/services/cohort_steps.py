"""
The steps of many erasures: one entry of the data map after the other, for everybody at once.

A batch is one transaction, which holds everybody's step and keeps everybody's request as it is:
that is the claim, and nothing of it outlives a kill. Between two batches anybody may be taken
over, held, or found done; the next one looks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from django.db import connections, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from accord.audit_events import Event, ObjectKind, Outcome
from accord.errors import AccordError, StoreUnavailable
from gdpr.datamap import DataMap, load_data_map
from gdpr.entries import Entry
from gdpr.models import ErasureRequest, ErasureStep
from gdpr.services import holds, moving, policy, sealing, steps
from gdpr.services.erasure import Stop
from gdpr.states import RequestState, StepState
from gdpr.stores import each
from gdpr.stores.base import erasure_store
from gdpr.subjects import SubjectKeys

_LARGEST = 50_000
"""Rows or documents of one batch, however many people it is for; search engines give less at once."""

_NOTE = """
    UPDATE gdpr_erasurestep AS step
    SET affected = step.affected + batch.moved,
        found = greatest(step.found, step.affected + batch.moved),
        batches = step.batches + 1,
        attempt = step.attempt + CASE WHEN step.started_at IS NULL OR step.failures > 0 THEN 1 ELSE 0 END,
        failures = 0,
        error_code = '',
        next_attempt_at = NULL,
        started_at = coalesce(step.started_at, transaction_timestamp()),
        state = CASE WHEN batch.done THEN 'done' ELSE 'pending' END,
        finished_at = CASE WHEN batch.done THEN clock_timestamp() END
    FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[]) AS batch (id, moved, done)
    WHERE step.id = batch.id
    RETURNING step.request_id, step.found, step.affected, step.attempt, batch.done
"""


@dataclass(frozen=True, kw_only=True)
class Member:
    """
    One person of a cohort.

    Attributes:
        request: The request, as it was when its steps were begun with.
        keys: The person's keys.
    """

    request: ErasureRequest
    keys: SubjectKeys


Members = Mapping[int, Member]
Counts = Mapping[int, int]


@dataclass(frozen=True, kw_only=True)
class Pass:
    """
    One entry, for the first time or again.

    Attributes:
        entry: The entry.
        again: Whether it is the second look at a copy.
    """

    entry: Entry
    again: bool


def execute(requests: Sequence[int], stop: Stop) -> None:
    """
    Do the steps of requests, as far as they can be done for several people together.

    Args:
        requests: Primary keys; only those that are executing are looked at.
        stop: Asked between two batches.
    """
    the_map = load_data_map()
    opened = sealing.opened(requests, RequestState.EXECUTING)
    members = {request.pk: Member(request=request, keys=keys) for request, keys in opened}
    for lanes in (_lanes(the_map.entries, again=False), _lanes(the_map.derived(), again=True)):
        # Stores don't wait for each other; each lane has database connections of its own.
        with ThreadPoolExecutor(max_workers=max(len(lanes), 1)) as pool:
            list(pool.map(partial(_follow, members=members, the_map=the_map, stop=stop), lanes))


def _lanes(entries: Iterable[Entry], *, again: bool) -> list[list[Pass]]:
    """Group what is done without a person by store, in the order of the map."""
    lanes: dict[str, list[Pass]] = {}
    for entry in entries:
        if entry.is_automatic:
            lanes.setdefault(entry.store, []).append(Pass(entry=entry, again=again))
    return list(lanes.values())


def _follow(lane: Sequence[Pass], members: Members, the_map: DataMap, stop: Stop) -> None:
    """Do one store's entries one after the other."""
    try:
        for one in lane:
            able = _able(one.entry, members, the_map)
            left: Counts | None = {} if able else None
            while left is not None and not stop():
                left = moving.through_deadlocks(partial(_batch, one, able, left))
    finally:
        connections.close_all()


def _able(entry: Entry, members: Members, the_map: DataMap) -> Members:
    """Pass over those of whom something has yet to be collected before this entry can be looked at."""
    wanted = steps.needed(entry, the_map) & {one.id for one in the_map.to_collect() if one.is_looked_at}
    return {key: one for key, one in members.items() if wanted <= one.keys.collected.keys()}


def _batch(one: Pass, members: Members, left: Counts) -> Counts | None:
    """
    Do one batch and record it in the same transaction.

    Args:
        one: Of what.
        members: For whom.
        left: What the batch before has left of each.

    Returns:
        What is left of each; None when there is nothing more to do together.
    """
    try:
        with transaction.atomic(using=moving.alias()):
            taken = _take(one, members)
            return _erase(one.entry, taken, members, left) if taken else None
    except StoreUnavailable as exc:
        _fail(one, members, exc.code)
    except AccordError:
        # It is somebody's rows that are refused; each alone shows whose.
        pass
    return None


def _take(one: Pass, members: Members) -> Mapping[int, int]:
    """Hold the free steps of everybody who may be worked on; step by request."""
    executing = moving.share_locks(list(members), RequestState.EXECUTING)
    stopped = holds.held_among([members[key].request.subject_tag for key in executing])
    free = [key for key in executing if members[key].request.subject_tag not in stopped]
    found = _free_steps(one, free).select_for_update(skip_locked=True, of=("self",))
    return dict(found.values_list("request_id", "pk"))


def _free_steps(one: Pass, requests: Sequence[int]) -> QuerySet[ErasureStep]:
    """Give the steps of an entry that nobody works on and that nothing in their store comes before."""
    due = Q(state=StepState.PENDING) | Q(state=StepState.RETRY_WAIT, next_attempt_at__lte=Now())
    open_steps = ErasureStep.objects.filter(request=OuterRef("request"))
    open_steps = open_steps.exclude(state__in=(StepState.DONE, StepState.MANUAL))
    before = open_steps.filter(store=one.entry.store, again=one.again, position__lt=OuterRef("position"))
    found = ErasureStep.objects.filter(due, request__in=requests, entry=one.entry.id, again=one.again)
    found = found.exclude(Exists(before))
    return found.exclude(Exists(open_steps.filter(again=False))) if one.again else found


def _erase(entry: Entry, taken: Mapping[int, int], members: Members, left: Counts) -> Counts | None:
    people = {key: members[key].keys for key in taken}
    known = left.keys() >= people.keys()
    before = {key: left[key] for key in people} if known else each.pending_each(entry, people)
    if not any(before.values()):
        _note(taken, members, before, before)
        return None
    limit = min(int(policy.load().batch_size) * len(people), _LARGEST)
    erased = erasure_store(entry.store).erase(entry, each.several(people), limit)
    after = dict.fromkeys(people, 0) if erased.done else each.pending_each(entry, people)
    _note(taken, members, before, after)
    # Rows that somebody else has locked: whoever they belong to tries again alone.
    return after if erased.matched and not erased.done else None


def _note(taken: Mapping[int, int], members: Members, before: Counts, after: Counts) -> None:
    """Record what a batch did, person by person: whoever has nothing left is done."""
    columns = (
        list(taken.values()),
        [max(before[key] - after[key], 0) for key in taken],
        [after[key] == 0 for key in taken],
    )
    with connections[moving.alias()].cursor() as cursor:
        cursor.execute(_NOTE, columns)
        rows = sorted(cursor.fetchall())
    moving.record_all(
        [
            moving.act(
                members[request].request,
                Event.ERASURE_STEP_DONE,
                object_kind=ObjectKind.ERASURE_STEP,
                counters={"found": found, "affected": affected, "attempt": attempt},
            )
            for request, found, affected, attempt, done in rows
            if done and (found or affected)
        ]
    )


def _fail(one: Pass, members: Members, code: str) -> None:
    """Note for everybody that their store is away; they wait, and go on elsewhere meanwhile."""
    with transaction.atomic(using=moving.alias()):
        held = moving.locked_all(list(members), RequestState.EXECUTING)
        found = _free_steps(one, [request.pk for request in held]).select_for_update(of=("self",))
        failed = list(found)
        for step in failed:
            steps.note_failure(step, code)
        waiting = ErasureRequest.objects.filter(pk__in=[step.request_id for step in failed])
        waiting.update(trouble=code)
        moving.record_all(
            [
                moving.act(
                    members[step.request_id].request,
                    Event.ERASURE_STEP_FAILED,
                    object_kind=ObjectKind.ERASURE_STEP,
                    outcome=Outcome.FAILED,
                    counters={"found": step.found, "affected": step.affected, "attempt": step.attempt},
                )
                for step in failed
            ]
        )
