"""Verification of many erasures: every store is asked once for all of them, by its second look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connections, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from accord import tombstones
from accord.audit_events import Event, ObjectKind
from accord.errors import AccordError, StoreError, StoreUnavailable
from gdpr.actions import Manual, Retain
from gdpr.datamap import load_data_map
from gdpr.entries import Entry
from gdpr.models import ErasureRequest, ErasureStep, Receipt
from gdpr.services import moving, planning, policy, receipts, sealing, transitions, verification
from gdpr.services.verification import Reading, Verdict
from gdpr.states import RequestState
from gdpr.stores import each
from gdpr.stores.base import erasure_store

Verdicts = Mapping[int, Verdict]

_KEPT = """
    UPDATE gdpr_erasurestep AS step SET kept = reading.kept
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS reading (request, entry, kept)
    WHERE step.request_id = reading.request AND step.entry = reading.entry
"""


def verify(requests: Sequence[int]) -> Mapping[int, str]:
    """
    Verify requests whose steps are all done, and complete those of whom nothing is left.

    Args:
        requests: Primary keys; only those that are to be verified are looked at.

    Returns:
        Those that wait for a store that can't be asked, with the code of its error.
    """
    people = sealing.people_of(requests, RequestState.VERIFYING)
    try:
        verdicts = _read(people)
    except (StoreUnavailable, StoreError) as exc:
        return _wait(list(people), exc)
    with transaction.atomic(using=moving.alias()):
        held = moving.locked_all(_clean(verdicts), RequestState.VERIFYING)
        _write_down(held, verdicts)
        _complete(held, verdicts)
    return {}


def verify_again(requests: Sequence[int]) -> list[str]:
    """
    Verify completed requests once more, and close those of whom nothing is left.

    Args:
        requests: Primary keys of requests whose second verification is due.

    Returns:
        References of those that were closed; the others are for :func:`.verification.verify_again`.

    Raises:
        StoreUnavailable: A store can't be asked; all of them stay due.
    """
    people = sealing.people_of(requests, *transitions.COMPLETE)
    verdicts = _read(people)
    with transaction.atomic(using=moving.alias()):
        held = moving.locked_all(_clean(verdicts), *transitions.COMPLETE)
        still = [one for one in held if one.closed_at is None]
        _write_down(still, verdicts)
        _close(still, verdicts)
    return [str(one.reference) for one in still]


def _read(people: each.People) -> Verdicts:
    """Ask every store what it still holds of each person, after collecting once more."""
    if not people:
        return {}
    the_map = load_data_map()
    people = planning.collect_each(people, the_map)
    with transaction.atomic(using=moving.alias()):
        open_states = (RequestState.VERIFYING, *transitions.COMPLETE)
        sealing.keep_collected(moving.locked_all(list(people), *open_states), people)
    readings = [_read_entry(entry, people) for entry in the_map.looked_at()]
    servers = {alias: erasure_store(alias).fingerprint() for alias in _aliases(the_map.looked_at())}
    at = timezone.now()
    return {
        one: Verdict(readings=[found[one] for found in readings], servers=servers, at=at) for one in people
    }


def _aliases(entries: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys(entry.store for entry in entries))


def _read_entry(entry: Entry, people: each.People) -> Mapping[int, Reading]:
    nothing = dict.fromkeys(people, 0)
    found = nothing
    if isinstance(entry.action, Manual | Retain):
        found = {one: each_found.count for one, each_found in each.find_each(entry, people).items()}
    by_hand = isinstance(entry.action, Manual)
    left = found if by_hand else each.residue_each(entry, people)
    kept = nothing if by_hand else found
    return {
        one: Reading(entry=entry.id, store=entry.store, residue=left[one], kept=kept[one]) for one in people
    }


def _clean(verdicts: Verdicts) -> list[int]:
    return [one for one, verdict in verdicts.items() if not verdict.residue]


def _wait(requests: Sequence[int], trouble: AccordError) -> Mapping[int, str]:
    for request in ErasureRequest.objects.filter(pk__in=requests):
        verification.wait(request, trouble)
    return dict.fromkeys(requests, trouble.code)


def _write_down(held: Sequence[ErasureRequest], verdicts: Verdicts) -> None:
    """Write into the steps what was read: nothing is left of anybody here, and some things are kept."""
    if not held:
        return
    some = verdicts[held[0].pk]
    rows = ErasureStep.objects.filter(request__in=[one.pk for one in held])
    for alias, server in some.servers.items():
        entries = [reading.entry for reading in some.readings if reading.store == alias]
        rows.filter(entry__in=entries).update(residue=0, kept=0, server=server[:200])
    kept = [
        (one.pk, reading.entry, reading.kept)
        for one in held
        for reading in verdicts[one.pk].readings
        if reading.kept
    ]
    with connections[moving.alias()].cursor() as cursor:
        cursor.execute(_KEPT, [list(column) for column in zip(*kept, strict=True)] or [[], [], []])


def _complete(held: Sequence[ErasureRequest], verdicts: Verdicts) -> None:
    tombstones.mark_all_erased([one.subject_tag for one in held], using=moving.alias())
    moving.record_all(
        [
            moving.act(one, Event.ERASURE_VERIFIED, counters=verification.counters(verdicts[one.pk]))
            for one in held
        ]
    )
    for target in sorted({verification.target_of(verdicts[one.pk]) for one in held}):
        chosen = [one for one in held if verification.target_of(verdicts[one.pk]) == target]
        _complete_as(target, chosen, verdicts)


def _complete_as(target: RequestState, held: Sequence[ErasureRequest], verdicts: Verdicts) -> None:
    at = verdicts[held[0].pk].at
    moving.move_all(
        held,
        target,
        Event.ERASURE_COMPLETED,
        lambda one: verification.counters(verdicts[one.pk]),
        verify_again_at=at + policy.load().verify_again,
        trouble="",
        next_attempt_at=None,
    )
    # A verification that reopened an erasure later does not make it late: it was answered then.
    rows = ErasureRequest.objects.filter(pk__in=[one.pk for one in held])
    rows.update(completed_at=Coalesce(F("completed_at"), at))
    for one in held:
        one.completed_at = one.completed_at or at
    _issue(held, Receipt.Kind.ERASURE, verdicts)


def _close(held: Sequence[ErasureRequest], verdicts: Verdicts) -> None:
    """Destroy the keys. From here on nothing of the requests can be changed any more."""
    counted = [(one, {"residue": 0, "retained": verdicts[one.pk].kept}) for one in held]
    moving.record_all([moving.act(one, Event.ERASURE_VERIFIED, counters=numbers) for one, numbers in counted])
    _issue(held, Receipt.Kind.VERIFICATION, verdicts)
    keys = [one.pk for one in held]
    ErasureStep.objects.filter(request__in=keys).update(sealed_keys=None)
    closed_at = max((verdicts[key].at for key in keys), default=timezone.now())
    rows = ErasureRequest.objects.filter(pk__in=keys)
    rows.update(sealed_keys=None, verify_again_at=None, closed_at=closed_at)


def _issue(held: Sequence[ErasureRequest], kind: Receipt.Kind, verdicts: Verdicts) -> None:
    """Make and sign everybody's receipt."""
    if not held:
        return
    some = verdicts[held[0].pk]
    made = receipts.make_all(held, kind, verified_at=some.at, servers=some.servers)
    moving.record_all(
        [
            moving.act(
                receipt.request,
                Event.RECEIPT_ISSUED,
                object_kind=ObjectKind.RECEIPT,
                object_ref=receipt.reference,
            )
            for receipt in made
        ]
    )
