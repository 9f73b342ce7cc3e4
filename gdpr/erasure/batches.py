"""
Batches: what erases, one entry of the data map after the other, for as many people as can be done together.

A batch is one transaction, which holds the steps that it is about and keeps their requests as they
are; the next one looks again who may be worked on. It has to leave less to do than it found: where a
store takes changes and they come to nothing (it rounds, a trigger or a pipeline puts things back,
rows are locked), the step fails, waits, and in the end asks for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from django.db import connections, transaction

from accord.acting import Account, worker, working_for
from accord.batches import Sizes, work_through
from accord.errors import AccordError
from accord.wording import say
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import needs
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.erasure import encryption, planning, policy, schedule, state_changes, steps
from gdpr.erasure.refusals import Refusals, together_or_apart
from gdpr.erasure.schedule import Stop
from gdpr.erasure.steps import Counts, Pass
from gdpr.errors import ErasureIncomplete
from gdpr.models import ErasureRequest
from gdpr.states import RequestState
from gdpr.stores import per_person
from gdpr.stores.base import Stores
from gdpr.stores.per_person import People

_LARGEST = 50_000
"""Rows or documents of one batch, however many people it is for; search engines give less at once."""
# What one person has is asked for at once, whatever it is; a batch that keeps rows for longer gets smaller.
_SIZES = Sizes(first=_LARGEST, most=_LARGEST, slow=5, quick=1)
_Follow = Callable[[Sequence[Pass]], set[int]]


@dataclass(frozen=True, kw_only=True)
class Work:
    """
    What batches need to know.

    Attributes:
        the_map: The data map.
        stores: Where to erase.
        requests: The requests, by primary key; of what changes only what was read under a lock counts.
        stop: Asked between two batches; true makes it rest where it is.
    """

    the_map: DataMap
    stores: Stores
    requests: Mapping[int, ErasureRequest] = field(repr=False)
    stop: Stop


def execute(
    requests: Collection[int], stores: Stores, stop: Stop = schedule.never
) -> tuple[set[int], Refusals]:
    """
    Do the steps of requests, as far as they can be done now.

    Args:
        requests: Primary keys; only those that are executing are looked at.
        stores: Where to erase.
        stop: Asked between two batches.

    Returns:
        Those of whom any step was worked on, whatever came of it; and those whose keys can't be opened.
    """
    people, refused = encryption.people_of(requests, RequestState.EXECUTING)
    the_map = load_data_map()
    work = Work(the_map=the_map, stores=stores, requests=ErasureRequest.objects.in_bulk(people), stop=stop)
    touched: set[int] = set()
    for again in (False, True):
        lanes = _lanes([one for one in steps.left(the_map, people) if one.again is again])
        touched |= _side_by_side(partial(_follow, work, people), lanes, alone=len(people) == 1)
    return touched, refused


def _lanes(listed: Iterable[Pass]) -> list[list[Pass]]:
    """Group by store; within one, rows refer to each other."""
    lanes: dict[str, list[Pass]] = {}
    for one in listed:
        lanes.setdefault(one.entry.store, []).append(one)
    return list(lanes.values())


def _side_by_side(follow: _Follow, lanes: Sequence[Sequence[Pass]], *, alone: bool) -> set[int]:
    """Follow stores side by side; for one person threads would cost more than they save."""
    if alone:
        return set[int]().union(*map(follow, lanes))
    with ThreadPoolExecutor(max_workers=max(len(lanes), 1)) as pool:
        return set[int]().union(*pool.map(partial(_with_own_connections, follow, worker()), lanes))


def _with_own_connections(follow: _Follow, person: Account | None, lane: Sequence[Pass]) -> set[int]:
    try:
        with working_for(person):
            return follow(lane)
    finally:
        connections.close_all()


def _follow(work: Work, people: People, lane: Sequence[Pass]) -> set[int]:
    """Do one store's entries one after the other; return those for whom anything was done or failed."""
    touched: set[int] = set()
    for one in lane:
        if work.stop():
            break
        touched |= finish(work, one, people)
    return touched


def finish(work: Work, one: Pass, people: People) -> set[int]:
    """
    Do one entry for people whose turn it is, batch by batch, and note with each who is refused why.

    Returns:
        Those for whom anything was done or failed.
    """
    touched: set[int] = set()
    _, refused = together_or_apart(people, partial(_finish, work, one, touched))
    for code in sorted({refusal.code for refusal in refused.values()}):
        chosen = [key for key, refusal in refused.items() if refusal.code == code]
        touched |= steps.fail(one, chosen, code)
    return touched


def _finish(work: Work, one: Pass, touched: set[int], people: People) -> People:
    try:
        work.stores.own.require(one.entry.store)
        people = _with_what_is_needed(work, one.entry, people)
        passed = _passed_over(work, one, people)
        touched |= passed
        left = {key: keys for key, keys in people.items() if key not in passed}
        if left:
            work_through(_Pending(work, one, left, touched).batch, _SIZES, stop=work.stop)
    except AccordError:
        raise
    except Exception:
        # A fault of ours: the step of whoever has it is given back, and the fault is shown.
        if len(people) == 1:
            steps.fail(one, people, AccordError.code)
        raise
    return people


def _passed_over(work: Work, one: Pass, people: People) -> set[int]:
    """Note at once that there is nothing to do where nothing was planned, nor is there: mostly so."""
    store, requests = work.stores[one.entry.store], {key: work.requests[key] for key in people}
    if one.expected or any(per_person.pending(store, one.entry, people).values()):
        return set()
    return state_changes.through_deadlocks(partial(steps.pass_over, one, requests))


def _with_what_is_needed(work: Work, entry: Entry, people: People) -> People:
    """Make sure that keys which others refer to are sealed with the requests before their rows go."""
    wanted = _needed(entry, work.the_map)
    entries = [one for one in work.the_map.to_collect() if one.is_looked_at and one.id in wanted]
    names = {one.id for one in entries}
    reusable = names & work.the_map.reusable
    lacking = {
        key: keys
        for key, keys in people.items()
        if not (names <= keys.collected.keys() and reusable <= keys.settled)
    }
    if not lacking:
        return people
    # What was collected already is not asked for again: by now somebody else may have the key.
    begun = {key: keys.settle(reusable & keys.collected.keys()) for key, keys in lacking.items()}
    found = planning.collected(begun, entries, work.stores)
    found = {key: keys.settle(reusable) for key, keys in found.items()}
    with transaction.atomic(using=state_changes.alias()):
        encryption.keep_collected(state_changes.lock(list(found), RequestState.EXECUTING), found)
    return {**people, **found}


def _needed(entry: Entry, the_map: DataMap) -> set[str]:
    """Return an entry's id, and those of all entries that must be collected before it can be found."""
    wanted, waiting = {entry.id}, [entry]
    while waiting:
        for need in needs(waiting.pop().locator):
            if need in the_map.by_id and need not in wanted:
                wanted.add(need)
                waiting.append(the_map.entry(need))
    return wanted


class _Pending:
    """What one entry has of people: less after each batch."""

    def __init__(self, work: Work, one: Pass, people: People, touched: set[int]) -> None:
        self._next = partial(_batch, work, one, people, touched)
        self._left: Counts = {}

    def batch(self, size: int) -> bool:
        """Do one batch of this size at most; return whether anything is left that can be done now."""
        left = state_changes.through_deadlocks(partial(self._next, self._left, size))
        self._left = left or {}
        return left is not None


def _batch(
    work: Work, one: Pass, people: People, touched: set[int], left: Counts, size: int
) -> Counts | None:
    """
    Do one batch and record it in the same transaction.

    Args:
        work: What there is to know.
        one: Of what.
        people: For whom.
        touched: Is told for whom anything was done.
        left: What the batch before has left of each.
        size: Rows or documents at most.

    Returns:
        What is left of each; None when nothing is, or no person may be worked on now.

    Raises:
        ErasureIncomplete: The store has as much left as before.
    """
    with transaction.atomic(using=state_changes.alias()):
        taken = steps.take(one, {key: work.requests[key] for key in people})
        if not taken:
            return None
        before, after = _erase(work, one.entry, {key: people[key] for key in taken}, left, size)
        moved = sum(after.values()) < sum(before.values())
        if moved or not any(after.values()):
            steps.note(work.requests, taken, before, after)
    if any(after.values()) and not moved:
        # What the store did stays done, and its own count says that it is not enough.
        raise ErasureIncomplete(
            say(
                "The store {store} has as much of {id} left after a batch as before it.",
                store=one.entry.store,
                id=one.entry.id,
            ),
            hint="Rows may be locked: that is tried again. See whether a trigger, a pipeline or the type of "
            "a column changes what is written.",
        )
    touched.update(taken)
    return after if any(after.values()) else None


def _erase(work: Work, entry: Entry, people: People, left: Counts, size: int) -> tuple[Counts, Counts]:
    """Erase one batch of people's rows, and count what is to be done of each before and afterwards."""
    store = work.stores[entry.store]
    known = left.keys() >= people.keys()
    before = {key: left[key] for key in people} if known else per_person.pending(store, entry, people)
    if not any(before.values()):
        return before, before
    limit = min(int(policy.load().batch_size) * len(people), size)
    done = store.erase(entry, per_person.several(people), limit).done
    return before, dict.fromkeys(people, 0) if done else per_person.pending(store, entry, people)
