"""
Many erasures at once: what is the same for all of them is asked and done for all of them together.

A cohort leaves every request in the states, with the steps, events and receipt that it would have
alone, and each of its transactions ends in states that :mod:`gdpr.services.erasure` goes on from:
a kill loses nothing. Whoever is not the plain case (a hold, a changed plan, rows that are locked,
leftovers) is left to that module, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone

from accord import tombstones
from accord.audit_events import Event
from accord.errors import AccordError, StoreUnavailable
from gdpr.datamap import load_data_map
from gdpr.models import ErasurePlan, ErasureRequest, ErasureStep
from gdpr.services import (
    approvals,
    cohort_steps,
    cohort_verification,
    holds,
    moving,
    planning,
    policy,
    sealing,
    steps,
)
from gdpr.services.erasure import Stop
from gdpr.states import RequestState, StepState
from gdpr.stores import each

Requests = Sequence[int]
"""Primary keys of requests."""
Waiting = Mapping[int, str]
"""Requests that wait for a store, with the code of its error."""
Phase = Callable[[Requests], Waiting | None]


def work(requests: Requests, stop: Stop = lambda: False) -> Waiting:
    """
    Take requests as far as they go together.

    Args:
        requests: Approved ones, or ones that are under way.
        stop: Asked between two phases and between two batches.

    Returns:
        Those that can't go on because a store can't be reached; trying them alone is no use now.
    """
    erase = partial(cohort_steps.execute, stop=stop)
    phases: Sequence[Phase] = (_wake, _start, _begin, erase, _settle, cohort_verification.verify)
    waiting: dict[int, str] = {}
    for phase in phases:
        if not stop():
            found: Waiting | None = moving.through_deadlocks(partial(phase, requests))
            waiting |= found or {}
    return waiting


def _ready(requests: Requests, state: RequestState) -> list[ErasureRequest]:
    """Hold the rows of requests in a state, and pass over those of people of whom something is held."""
    held = moving.locked_all(requests, state)
    stopped = holds.held_among([one.subject_tag for one in held])
    return [one for one in held if one.subject_tag not in stopped]


def _wake(requests: Requests) -> None:
    """Let those go on whose time to wait is over."""
    with transaction.atomic(using=moving.alias()):
        held = {one.pk: one for one in _ready(requests, RequestState.RETRY_WAIT)}
        due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=Now())
        woken = ErasureRequest.objects.filter(due, pk__in=held).values_list("pk", flat=True)
        chosen = [held[key] for key in woken]
        moving.move_all(chosen, RequestState.EXECUTING, Event.ERASURE_RESUMED, next_attempt_at=None)


def _start(requests: Requests) -> Waiting:
    """Raise the fences of those of whom today would happen what was approved."""
    people = sealing.people_of(requests, RequestState.APPROVED)
    try:
        found = planning.draft_each(people)
    except StoreUnavailable as exc:
        return dict.fromkeys(people, exc.code)
    except AccordError:
        # Each alone says what is wrong with it.
        return {}
    same = [key for key, plan in planning.current_among(people).items() if _is_same(plan, found[key])]
    with transaction.atomic(using=moving.alias()):
        standing = approvals.standing_among(same)
        held = [one for one in _ready(same, RequestState.APPROVED) if one.pk in standing]
        tombstones.raise_fences([one.subject_tag for one in held], using=moving.alias())
        moving.move_all(held, RequestState.FENCED, Event.ERASURE_FENCED, fenced_at=timezone.now())
    return {}


def _is_same(plan: ErasurePlan, found: planning.Document) -> bool:
    return planning.same_work(plan.document, found, policy.load())


def _begin(requests: Requests) -> None:
    """Write the steps of all of them, and collect what others refer to while it is still there."""
    the_map = load_data_map()
    people: each.People = sealing.people_of(requests, RequestState.FENCED)
    for entry in the_map.to_collect():
        try:
            people = each.collect_each(entry, people) if entry.is_looked_at and people else people
        except AccordError:
            # A store that is down keeps nobody back: before its first step it is asked again.
            continue
    with transaction.atomic(using=moving.alias()):
        held = _ready(list(people), RequestState.FENCED)
        sealing.keep_collected(held, people)
        plans = planning.current_among([one.pk for one in held])
        steps.create_all(the_map, {one.pk: plans[one.pk].document for one in held})
        moving.move_all(held, RequestState.EXECUTING, Event.ERASURE_STARTED)


def _settle(requests: Requests) -> None:
    """Have those verified whose steps are all done. What keeps others back, each finds out alone."""
    with transaction.atomic(using=moving.alias()):
        held = {one.pk: one for one in _ready(requests, RequestState.EXECUTING)}
        counted = ErasureStep.objects.filter(request__in=held).values("request_id").order_by()
        counted = counted.annotate(all=Count("pk"), done=Count("pk", filter=Q(state=StepState.DONE)))
        numbers = {row["request_id"]: row["all"] for row in counted if row["all"] == row["done"]}
        moving.move_all(
            [held[key] for key in sorted(numbers)],
            RequestState.VERIFYING,
            Event.ERASURE_STEP_DONE,
            lambda one: {"steps": numbers[one.pk], "done": numbers[one.pk], "failed": 0, "pending": 0},
        )
