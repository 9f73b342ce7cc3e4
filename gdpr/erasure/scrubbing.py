"""
Scrubbing after an erasure: every store that was touched is asked to write over what it deleted.

It can be repeated, and needs no key of anybody: what was touched stands in the steps of a request, also
once that is closed. Nothing waits for it; an erasure is complete without it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.db import transaction

from accord.acting import Account
from accord.audit.events import EventKind, EventOutcome, ObjectKind
from accord.errors import StoreError
from accord.wording import say
from gdpr.datamap.entries import Entry
from gdpr.datamap.map import load_data_map
from gdpr.erasure import actors, state_changes, transitions
from gdpr.errors import IllegalTransition
from gdpr.models import ErasureRequest, ErasureStep
from gdpr.states import RequestState
from gdpr.stores.base import Stores, opened_stores
from gdpr.stores.scrubs import Refusal, Scrubbed

Acts = Mapping[str, Sequence[Scrubbed]]
"""What each store did, by alias."""


def scrub_one(request: ErasureRequest, *, by: Account) -> Acts:
    """
    Scrub what the erasure of one person has touched.

    Args:
        request: A complete one; it may be closed.
        by: Who asks.

    Raises:
        IllegalTransition: It is not complete.
        StoreError: A store can't be asked.
    """
    actors.require(by, actors.EXECUTE, about=request)
    if RequestState(request.state) not in transitions.COMPLETE:
        raise IllegalTransition(
            say(
                "Request {reference} is not complete; nothing is scrubbed before.",
                reference=request.reference,
            ),
            hint="Let it finish: gdpr_erase --request REFERENCE.",
        )
    with opened_stores() as stores:
        return scrub([request.pk], stores, by=by)


def scrub(requests: Collection[int], stores: Stores, *, by: Account | None = None) -> Acts:
    """
    Scrub what the erasures of several people have touched, each place once.

    Args:
        requests: Primary keys.
        stores: Where.
        by: Who asks; None for Accord itself.

    Raises:
        StoreError: A store can't be asked; the others before it are done.
    """
    acts: dict[str, Sequence[Scrubbed]] = {}
    for alias, entries in _touched(requests).items():
        acts[alias] = stores[alias].scrub(entries)
    _record(requests, acts, by)
    return acts


def scrub_all(requests: Collection[int], stores: Stores) -> str:
    """
    Scrub as :func:`scrub` does, for a round that nothing of this may stop.

    Returns:
        The code of what kept a store from being asked; empty for nothing.
    """
    try:
        scrub(requests, stores)
    except StoreError as exc:
        return exc.code
    return ""


def _touched(requests: Collection[int]) -> dict[str, list[Entry]]:
    """Return the entries of which rows or documents were changed, by store."""
    steps = ErasureStep.objects.filter(request__in=requests, affected__gt=0).order_by()
    changed = set(steps.values_list("entry", flat=True).distinct())
    found: dict[str, list[Entry]] = {}
    for entry in load_data_map().entries:
        if entry.id in changed and entry.is_automatic:
            found.setdefault(entry.store, []).append(entry)
    return found


def _record(requests: Collection[int], acts: Acts, by: Account | None) -> None:
    done = [one for each in acts.values() for one in each]
    refused = sum(one.refusal is not Refusal.NONE for one in done)
    counters = {"stores": len(acts), "done": len(done) - refused, "skipped": refused}
    outcome = EventOutcome.PARTIAL if refused else EventOutcome.DONE
    with transaction.atomic(using=state_changes.alias()):
        state_changes.record(
            [
                state_changes.act(
                    one,
                    EventKind.ERASURE_STEP_DONE,
                    object_kind=ObjectKind.ERASURE_STEP,
                    counters=counters,
                    outcome=outcome,
                )
                for one in ErasureRequest.objects.filter(pk__in=requests).order_by("pk")
            ],
            by=by,
        )
