"""
Verification: after the last step, every store is asked again, by other code on fresh connections.

What is found is erased by reopening its step. Nothing is called complete on the word of the
code that erased. A second verification comes after a delay, for writers that were late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accord import tombstones
from accord.audit_events import Event, ObjectKind, Outcome
from accord.errors import AccordError, StoreError, StoreUnavailable
from gdpr.actions import Manual, Retain
from gdpr.datamap import DataMap, load_data_map
from gdpr.entries import Entry
from gdpr.models import ErasureRequest, Receipt
from gdpr.services import moving, planning, policy, receipts, sealing, steps, transitions
from gdpr.states import RequestState
from gdpr.stores.base import erasure_store
from gdpr.subjects import SubjectKeys


@dataclass(frozen=True, kw_only=True)
class Reading:
    """
    What one entry still holds.

    Attributes:
        entry: Its id.
        store: Alias of its store.
        residue: What an erasure should have removed and didn't.
        kept: What stays on a legal ground.
    """

    entry: str
    store: str
    residue: int
    kept: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """
    What all stores said.

    Attributes:
        readings: One for each entry, in the order of the map.
        servers: Which servers answered, by alias.
        at: When the last one had answered.
    """

    readings: Sequence[Reading]
    servers: dict[str, str]
    at: datetime

    @property
    def residue(self) -> int:
        """Everything that is left and shouldn't be."""
        return sum(reading.residue for reading in self.readings)

    @property
    def kept(self) -> int:
        """Everything that stays on a legal ground."""
        return sum(reading.kept for reading in self.readings)

    @property
    def leftovers(self) -> Sequence[str]:
        """Ids of the entries that hold something that they shouldn't."""
        return [reading.entry for reading in self.readings if reading.residue]


def counters(verdict: Verdict) -> dict[str, int]:
    """Give the numbers that the audit trail keeps of a verdict."""
    return {"residue": verdict.residue, "retained": verdict.kept, "entries": len(verdict.readings)}


def read(keys: SubjectKeys, the_map: DataMap | None = None) -> Verdict:
    """
    Ask every store what it still holds. Nothing is changed.

    Raises:
        StoreUnavailable: A store can't be asked.
    """
    data_map = the_map or load_data_map()
    readings = [_read(entry, keys) for entry in data_map.looked_at()]
    aliases = dict.fromkeys(reading.store for reading in readings)
    servers = {alias: erasure_store(alias).fingerprint() for alias in aliases}
    return Verdict(readings=readings, servers=servers, at=timezone.now())


def _read(entry: Entry, keys: SubjectKeys) -> Reading:
    store = erasure_store(entry.store)
    if isinstance(entry.action, Manual):
        # What a person should have done by hand is counted all the same.
        left = store.find(entry, keys).count
        return Reading(entry=entry.id, store=entry.store, residue=left, kept=0)
    kept = store.find(entry, keys).count if isinstance(entry.action, Retain) else 0
    return Reading(entry=entry.id, store=entry.store, residue=store.residue(entry, keys), kept=kept)


def verify(request: ErasureRequest) -> bool:
    """
    Verify a request whose steps are all done, and complete it or reopen what left something.

    Returns:
        True when there is more to do at once.
    """
    try:
        verdict = read(_fresh_keys(request))
    except (StoreUnavailable, StoreError) as exc:
        wait(request, exc)
        return False
    with moving.locked(request) as held:
        if held.state != RequestState.VERIFYING:
            # Another worker was quicker.
            return held.state in transitions.RUNNING
        _write_down(held, verdict)
        if verdict.residue:
            return _reopen(held, verdict)
        _complete(held, verdict)
    return False


def _fresh_keys(request: ErasureRequest) -> SubjectKeys:
    """Collect once more: a late writer may have added rows that others refer to."""
    keys = sealing.keys_of(request)
    return steps.keep_collected(request.pk, planning.collect(keys, load_data_map()))


def wait(request: ErasureRequest, trouble: AccordError) -> None:
    """Have a request that is being verified wait for a store that can't be asked."""
    with moving.locked(request) as held:
        if held.state == RequestState.VERIFYING:
            held.trouble = trouble.code
            held.next_attempt_at = timezone.now() + policy.load().delay(1)
            moving.move(held, RequestState.RETRY_WAIT, Event.ERASURE_STEP_RETRIED, outcome=Outcome.PARTIAL)


def _write_down(held: ErasureRequest, verdict: Verdict) -> None:
    for reading in verdict.readings:
        held.steps.filter(entry=reading.entry).update(
            residue=reading.residue, kept=reading.kept, server=verdict.servers[reading.store][:200]
        )


def _reopen(held: ErasureRequest, verdict: Verdict) -> bool:
    """Give leftovers back to their steps; too often, and a person has to look."""
    held.reopened += 1
    steps.reopen(held, verdict.leftovers)
    counters = {"residue": verdict.residue, "entries": len(verdict.leftovers)}
    moving.record(held, Event.ERASURE_RESIDUE_FOUND, counters=counters, outcome=Outcome.PARTIAL)
    if held.reopened > policy.load().reopenings:
        moving.move(held, RequestState.NEEDS_OPERATOR, Event.ERASURE_NEEDS_OPERATOR)
        return False
    moving.move(held, RequestState.EXECUTING, Event.ERASURE_REOPENED, counters=counters)
    return True


def target_of(verdict: Verdict) -> RequestState:
    """Say what a clean verdict makes of a request."""
    return RequestState.COMPLETED_WITH_RETENTION if verdict.kept else RequestState.COMPLETED


def _complete(held: ErasureRequest, verdict: Verdict) -> None:
    target = target_of(verdict)
    numbers = counters(verdict)
    tombstones.mark_erased(held.subject_tag, using=moving.alias())
    # A verification that reopened an erasure later does not make it late: it was answered then.
    held.completed_at = held.completed_at or verdict.at
    held.verify_again_at = verdict.at + policy.load().verify_again
    held.trouble, held.next_attempt_at = "", None
    moving.record(held, Event.ERASURE_VERIFIED, counters=numbers)
    moving.move(held, target, Event.ERASURE_COMPLETED, counters=numbers)
    issue(held, Receipt.Kind.ERASURE, verdict)


def issue(held: ErasureRequest, kind: Receipt.Kind, verdict: Verdict) -> Receipt:
    """Make and sign a receipt of what was read back. The request's row is held."""
    receipt = receipts.make(held, kind, verified_at=verdict.at, servers=verdict.servers)
    moving.record(held, Event.RECEIPT_ISSUED, object_kind=ObjectKind.RECEIPT, object_ref=receipt.reference)
    return receipt


def verify_again(request: ErasureRequest, *, close: bool = True) -> Verdict:
    """
    Verify a completed request once more. Clean, it is closed and its keys are destroyed.

    Args:
        request: A completed request that is not closed.
        close: Whether this is the second verification that was due.

    Raises:
        StoreUnavailable: A store can't be asked; it stays due.
        KeysDestroyed: The request is closed.
    """
    verdict = read(_fresh_keys(request))
    with moving.locked(request) as held:
        if held.state not in transitions.COMPLETE or held.closed_at is not None:
            return verdict
        _write_down(held, verdict)
        if verdict.residue:
            held.reopened = 0
            _reopen(held, verdict)
        elif close:
            _close(held, verdict)
    return verdict


def _close(held: ErasureRequest, verdict: Verdict) -> None:
    """Destroy the keys. From here on nothing of the request can be changed any more."""
    counters = {"residue": 0, "retained": verdict.kept}
    moving.record(held, Event.ERASURE_VERIFIED, counters=counters)
    issue(held, Receipt.Kind.VERIFICATION, verdict)
    held.steps.update(sealed_keys=None)
    held.sealed_keys, held.verify_again_at, held.closed_at = None, None, verdict.at
    held.save()
