"""The beginning of what can't be undone: steps written, keys collected, the register told; then rows go."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.db import transaction

from accord.audit.events import EventKind
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.erasure import encryption, planning, registering, replays, state_changes, steps
from gdpr.erasure.refusals import Refusals, together_or_apart
from gdpr.errors import RegisterError
from gdpr.models import ErasureRequest
from gdpr.states import RequestState
from gdpr.stores.base import Stores
from gdpr.stores.lookups import Values
from gdpr.stores.per_person import People


def begin(requests: Collection[int], stores: Stores) -> tuple[set[int], Refusals]:
    """
    Write the steps, and collect the keys that some of them need while their rows are still there.

    A store that can't be asked keeps nothing else back: its keys are collected before its first step. The
    register of erasures does: what isn't entered there is not begun.
    """
    the_map = load_data_map()
    fenced = ErasureRequest.objects.filter(pk__among=Values(requests), state=RequestState.FENCED)
    unvouched = replays.unvouched(fenced.exclude(replays=""))
    people, refused = encryption.people_of(set(requests) - unvouched.keys(), RequestState.FENCED)
    refused |= unvouched
    # The fence may have come a moment after the last look at the keys.
    fresh, _ = together_or_apart(people, planning.renewed)
    people |= fresh
    for entry in the_map.to_collect():
        collect = partial(planning.collected, entries=[entry], stores=stores)
        found, _ = together_or_apart(people, collect)
        people |= found
    # From the fence on, whoever turns up with this e-mail may be somebody else.
    people = {key: keys.settle(the_map.reusable & keys.collected.keys()) for key, keys in people.items()}
    try:
        _begin(people, the_map)
    except RegisterError as exc:
        return set(), {**refused, **dict.fromkeys(people, exc)}
    return set(), refused


def _begin(people: People, the_map: DataMap) -> None:
    with transaction.atomic(using=state_changes.alias()):
        held = state_changes.lock(list(people), RequestState.FENCED)
        encryption.keep_collected(held, people)
        plans = planning.current_among([one.pk for one in held])
        steps.create(the_map, {one.pk: plans[one.pk].document for one in held})
        registering.intend(held, people)
        state_changes.move(held, RequestState.EXECUTING, EventKind.ERASURE_STARTED)
