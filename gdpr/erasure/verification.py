"""
Verification: after the last step, every store is asked again, by other code on fresh connections.

What is found is erased by reopening its step. Nothing is called complete on the word of the
code that erased. A second verification comes after a delay, for writers that were late.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connections, transaction

from accord import arrays, clock
from accord.audit.events import EventKind, EventOutcome, ObjectKind
from accord.erased import tombstones
from accord.errors import StoreError
from gdpr.datamap.actions import Manual, Retain
from gdpr.datamap.entries import Entry
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import (
    encryption,
    outbox,
    planning,
    policy,
    receipts,
    registering,
    state_changes,
    steps,
    transitions,
)
from gdpr.erasure.refusals import Refusals, raise_first, together_or_apart
from gdpr.erasure.verdicts import EntryResidue, Verdict, Verdicts
from gdpr.models import ErasureRequest, ErasureStep, Receipt
from gdpr.states import RequestState
from gdpr.stores import per_person
from gdpr.stores.base import Stores, opened_stores
from gdpr.stores.lookups import Values
from gdpr.stores.per_person import People

_ONE = 0
_TOLD = """
    UPDATE gdpr_erasurestep AS step SET residue = reading.residue, kept = reading.kept
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[])
        AS reading (request, entry, residue, kept)
    WHERE step.request_id = reading.request AND step.entry = reading.entry
"""


def read(keys: SubjectKeys) -> Verdict:
    """
    Ask every store what it still holds of a person. Nothing is changed.

    Raises:
        StoreUnavailable: A store can't be asked.
    """
    with opened_stores() as stores:
        people = planning.collected({_ONE: keys}, load_data_map().to_collect(), stores)
        return _read(people, stores)[_ONE]


def verify(requests: Collection[int], stores: Stores) -> tuple[set[int], Refusals]:
    """
    Verify requests whose steps are all done; complete them, or reopen what left something.

    Args:
        requests: Primary keys; only those that are to be verified are looked at.
        stores: What is asked.

    Returns:
        Those that were reopened and can go on at once; and those that can't be verified. One that waits
        for a store that can't be asked is neither.
    """
    people, refused = encryption.people_of(requests, RequestState.VERIFYING)
    verdicts, troubles = together_or_apart(people, partial(_read_again, stores))
    waiting = {key: one for key, one in troubles.items() if isinstance(one, StoreError)}
    with transaction.atomic(using=state_changes.alias()):
        _wait(waiting)
        held = state_changes.lock(list(verdicts), RequestState.VERIFYING)
        _write_down(held, verdicts)
        _complete([one for one in held if verdicts[one.pk].is_clean], verdicts)
        unclean = [one for one in held if not verdicts[one.pk].is_clean]
        reopened = {one.pk for one in unclean if _reopen(one, verdicts[one.pk])}
    return reopened, {**refused, **{key: one for key, one in troubles.items() if key not in waiting}}


def verify_again(request: ErasureRequest, *, close: bool = True) -> Verdict:
    """
    Verify a completed request once more. See :func:`second_look`.

    Args:
        request: A completed request that is not closed.
        close: Whether this is the second verification that was due.

    Raises:
        StoreUnavailable: A store can't be asked; it stays due.
        KeysDestroyed: The request is closed.
    """
    with opened_stores() as stores:
        verdicts, refused = second_look([request.pk], stores, close=close)
    raise_first(refused)
    return verdicts[request.pk]


def second_look(
    requests: Collection[int], stores: Stores, *, close: bool = True
) -> tuple[Verdicts, Refusals]:
    """
    Verify completed requests once more. Clean, they are closed and their keys are destroyed.

    Args:
        requests: Primary keys of completed requests that are not closed.
        stores: What is asked.
        close: Whether this is the second verification that was due.

    Returns:
        What the stores said; and those of whom they can't be asked, which stay due. So do those that can't be
        entered in the register of erasures, which needs their keys.
    """
    _, unregistered = registering.conclude(requests) if close else (set(), {})
    people, refused = encryption.people_of(set(requests) - unregistered.keys(), *transitions.COMPLETE)
    verdicts, troubles = together_or_apart(people, partial(_read_again, stores))
    with transaction.atomic(using=state_changes.alias()):
        held = state_changes.lock(list(verdicts), *transitions.COMPLETE)
        still = [one for one in held if one.closed_at is None]
        _write_down(still, verdicts)
        for one in still:
            if not verdicts[one.pk].is_clean:
                one.reopened = 0
                _reopen(one, verdicts[one.pk])
        if close:
            _close([one for one in still if verdicts[one.pk].is_clean], verdicts)
    return verdicts, {**refused, **unregistered, **troubles}


# --- asking --------------------------------------------------------------------------------------


def _read_again(stores: Stores, people: People) -> Verdicts:
    """Collect once more, since a late writer may have added rows that others refer to; then ask."""
    the_map = load_data_map()
    settled = {one: keys.settle(the_map.reusable) for one, keys in people.items()}
    found = planning.collected(settled, the_map.to_collect(), stores)
    with transaction.atomic(using=state_changes.alias()):
        open_states = (RequestState.VERIFYING, *transitions.COMPLETE)
        encryption.keep_collected(state_changes.lock(list(found), *open_states), found)
    return _read(found, stores)


def _read(people: People, stores: Stores) -> Verdicts:
    entries = load_data_map().looked_at()
    readings = [_read_entry(entry, people, stores) for entry in entries]
    servers = {alias: stores[alias].fingerprint() for alias in dict.fromkeys(one.store for one in entries)}
    at = clock.now()
    return {
        one: Verdict(readings=[found[one] for found in readings], servers=servers, at=at) for one in people
    }


def _read_entry(entry: Entry, people: People, stores: Stores) -> Mapping[int, EntryResidue]:
    store = stores[entry.store]
    nothing = dict.fromkeys(people, 0)
    found, until = nothing, dict[int, str]()
    if isinstance(entry.action, Manual | Retain):
        there = per_person.find(store, entry, people)
        found = {one: each.count for one, each in there.items()}
        until = planning.days_kept(store, entry, people, there)
    # What a person should have done by hand is counted all the same.
    by_hand = isinstance(entry.action, Manual)
    left = found if by_hand else per_person.residue(store, entry, people)
    kept = nothing if by_hand else found
    return {
        one: EntryResidue(
            entry=entry.id,
            store=entry.store,
            residue=left[one],
            kept=kept[one],
            until=until.get(one, ""),
            newer=len(keys.newer.get(entry.id, ())),
        )
        for one, keys in people.items()
    }


# --- concluding ----------------------------------------------------------------------------------


def _wait(troubles: Refusals) -> None:
    """Make requests that are being verified wait for stores that can't be asked."""
    held = state_changes.lock(list(troubles), RequestState.VERIFYING)
    due = clock.now() + policy.load().delay(1)
    for code in sorted({troubles[one.pk].code for one in held}):
        waiting = [one for one in held if troubles[one.pk].code == code]
        event, outcome = EventKind.ERASURE_STEP_RETRIED, EventOutcome.PARTIAL
        state_changes.move(
            waiting,
            RequestState.RETRY_WAIT,
            event,
            outcome=outcome,
            changes={"trouble": code, "next_attempt_at": due},
        )


def _write_down(held: Sequence[ErasureRequest], verdicts: Verdicts) -> None:
    """Write into the steps what was read; of most entries nothing is left and nothing kept."""
    rows = ErasureStep.objects.filter(request__among=Values(one.pk for one in held))
    for some in held[:1]:
        for store, server in verdicts[some.pk].servers.items():
            entries = [one.entry for one in verdicts[some.pk].readings if one.store == store]
            rows.filter(entry__in=entries).update(residue=0, kept=0, server=server[:200])
    told = [
        (one.pk, reading.entry, reading.residue, reading.kept)
        for one in held
        for reading in verdicts[one.pk].readings
        if reading.residue or reading.kept
    ]
    with connections[state_changes.alias()].cursor() as cursor:
        columns: Sequence[Sequence[Any]] = list(zip(*told, strict=True)) or [(), (), (), ()]
        of, named, residue, kept = columns
        counted = (arrays.of_numbers(residue), arrays.of_numbers(kept))
        cursor.execute(_TOLD, [arrays.of_numbers(of), arrays.of_texts(named), *counted])


def _reopen(held: ErasureRequest, verdict: Verdict) -> bool:
    """Return leftovers to their steps; too often, and an operator has to look."""
    held.reopened += 1
    steps.reopen(held, verdict.leftovers)
    steps.ask_whose(held, verdict.doubtful)
    counted = {
        "residue": verdict.residue + verdict.newer,
        "entries": len({*verdict.leftovers, *verdict.doubtful}),
    }
    event, outcome = EventKind.ERASURE_RESIDUE_FOUND, EventOutcome.PARTIAL
    state_changes.record([state_changes.act(held, event, counters=counted, outcome=outcome)])
    changes: dict[str, object] = {"reopened": held.reopened}
    if held.reopened > policy.load().reopenings:
        event = EventKind.ERASURE_NEEDS_OPERATOR
        state_changes.move([held], RequestState.NEEDS_OPERATOR, event, changes=changes)
        return False
    numbers = {held.pk: counted}
    state_changes.move(
        [held], RequestState.EXECUTING, EventKind.ERASURE_REOPENED, counters=numbers, changes=changes
    )
    return True


def _complete(held: Sequence[ErasureRequest], verdicts: Verdicts) -> None:
    tombstones.mark_all_erased([one.subject_tag for one in held], using=state_changes.alias())
    numbers = {one.pk: verdicts[one.pk].counters for one in held}
    verified = EventKind.ERASURE_VERIFIED
    state_changes.record([state_changes.act(one, verified, counters=numbers[one.pk]) for one in held])
    ends = {one.pk: _end(one, verdicts[one.pk]) for one in held}
    for at, target, first in sorted(set(ends.values())):
        state_changes.move(
            [one for one in held if ends[one.pk] == (at, target, first)],
            target,
            EventKind.ERASURE_COMPLETED,
            counters=numbers,
            changes={
                "completed_at": first,
                "verify_again_at": at + policy.load().verify_again,
                "trouble": "",
                "next_attempt_at": None,
                "registered": None,
            },
        )
    outbox.enter(held)
    _issue([one for one in held if not one.replays], Receipt.Kind.ERASURE, verdicts)
    _issue([one for one in held if one.replays], Receipt.Kind.REPLAY, verdicts)


def _end(held: ErasureRequest, verdict: Verdict) -> tuple[datetime, RequestState, datetime]:
    """Return when a request was verified, its last state, and when it was answered."""
    # A verification that reopened an erasure later does not make it late.
    return verdict.at, verdict.target, held.completed_at or verdict.at


def _close(held: Sequence[ErasureRequest], verdicts: Verdicts) -> None:
    """Destroy the keys. From here on nothing of the requests can be changed any more."""
    verified = EventKind.ERASURE_VERIFIED
    counted = [(one, {"residue": 0, "retained": verdicts[one.pk].kept}) for one in held]
    state_changes.record([state_changes.act(one, verified, counters=numbers) for one, numbers in counted])
    _issue(held, Receipt.Kind.VERIFICATION, verdicts)
    keys = [one.pk for one in held]
    ErasureStep.objects.filter(request__among=Values(keys)).update(sealed_keys=None)
    closed_at = max((verdicts[key].at for key in keys), default=None)
    state_changes.save(held, sealed_keys=None, verify_again_at=None, closed_at=closed_at)
    encryption.destroy_ended()


def _issue(held: Sequence[ErasureRequest], kind: Receipt.Kind, verdicts: Verdicts) -> None:
    """Make and sign the receipt of each request."""
    made = receipts.make(held, kind, verdicts) if held else []
    event, of_receipt = EventKind.RECEIPT_ISSUED, ObjectKind.RECEIPT
    state_changes.record(
        [
            state_changes.act(
                one.request, event, object_kind=of_receipt, object_ref=one.reference, digest=one.digest
            )
            for one in made
        ]
    )
