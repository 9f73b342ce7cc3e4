"""What cron does: whatever is due. A request that fails stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from django.db.models import Q, QuerySet

from accord import clock
from accord.acting import Account, working_for
from gdpr import kept_exports
from gdpr.consent import register
from gdpr.erasure import (
    actors,
    approvals,
    encryption,
    policy,
    registering,
    request_keys,
    saga,
    scrubbing,
    transitions,
    verification,
)
from gdpr.erasure.refusals import Refusals, raise_first
from gdpr.erasure.saga import Requests
from gdpr.erasure.schedule import Stop, never
from gdpr.errors import ApprovalVoid, AwaitingApproval, KeysDestroyed, OnHold, RegisterError
from gdpr.models import ErasureRequest
from gdpr.notices import delivery
from gdpr.states import RequestState
from gdpr.stores.base import Stores, opened_stores
from gdpr.stores.lookups import Values

logger = logging.getLogger(__name__)


@dataclass
class Processed:
    """
    What one round came to.

    Attributes:
        completed: References of requests that were completed.
        waiting: References that wait for a store, and why.
        blocked: References that wait for a hold, an approval or a person, and why.
        verified: References whose second verification was clean.
        reopened: References where something had turned up again.
        expired_approvals: References whose approval ran out.
        expired_consents: How many consents ran out.
        expired_exports: How many exports that were kept for their reader were deleted.
        register: Why complete requests could not be entered in the register of erasures; empty for no reason.
        destroyed: From how many entries of the register what led to a person was taken.
        unscrubbed: The code of what kept a store from writing over what it deleted; empty for nothing.
        informed: References of notices that recipients took.
        uninformed: References of notices that they didn't take, and why.
        failed: References that failed in an unexpected way, and how.
    """

    completed: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    verified: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    expired_approvals: list[str] = field(default_factory=list)
    expired_consents: int = 0
    expired_exports: int = 0
    register: str = ""
    destroyed: int = 0
    unscrubbed: str = ""
    informed: list[str] = field(default_factory=list)
    uninformed: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def process_due(*, by: Account | None = None, stop: Stop = never) -> Processed:
    """
    Do everything that is due now. May run beside itself.

    Args:
        by: Who has it done; None for Accord itself.
        stop: Asked between two sets of requests, two phases and two batches.

    Raises:
        ForeignEnvironment: A store belongs to another environment. Nothing was begun.
        NotAllowed: The account may not carry erasures out.
    """
    if by is not None:
        actors.require(by, actors.EXECUTE)
    found = Processed()
    with opened_stores() as stores, working_for(by):
        stores.own.require_all(stores)
        encryption.carry_over()
        for handle, due in (
            (_expire, approvals.expired()),
            (partial(_verify_again, stores=stores), _second_verifications()),
            (partial(_carry_out, stores=stores, stop=stop), _going_on()),
        ):
            for chunk in _chunks(due):
                if not stop():
                    _guarded(handle, chunk, found)
    found.expired_consents = register.expire_due(failed=found.failed)
    _delete_exports(found)
    _keep_register(found)
    with working_for(by):
        told = delivery.deliver_due(stop=stop)
    found.informed, found.uninformed = told.informed, {**told.waiting, **told.by_hand}
    # What a kill between a request's end and the destruction of its key has left.
    request_keys.destroy_ended()
    return found


def _delete_exports(found: Processed) -> None:
    """Delete exports that are due; a folder that can't be written to stops nothing else."""
    try:
        found.expired_exports = kept_exports.delete_due()
    except OSError as exc:
        logger.exception("Exports that are due can't be deleted")
        found.failed["exports"] = type(exc).__name__


def _keep_register(found: Processed) -> None:
    """Enter what is complete and not entered yet, and destroy what no backup can bring back any more."""
    try:
        for chunk in _chunks(registering.unregistered()):
            raise_first(registering.conclude(chunk)[1])
        registering.tell_stores()
        found.destroyed = registering.destroy_due()
    except (RegisterError, KeysDestroyed) as exc:
        found.register = exc.code


def _chunks(requests: QuerySet[ErasureRequest]) -> Iterator[list[int]]:
    """Split requests into sets that are worked on together."""
    keys = list(requests.values_list("pk", flat=True))
    size = max(int(policy.load().together), 1)
    return (keys[start : start + size] for start in range(0, len(keys), size))


_Handle = Callable[[Requests, Processed], None]


def _guarded(handle: _Handle, requests: Requests, found: Processed) -> None:
    """Do something for a set of requests. What breaks it is one request's trouble: alone, it shows whose."""
    try:
        handle(requests, found)
    except Exception as exc:
        if len(requests) > 1:
            logger.exception("A set of requests failed; they are taken up one by one")
            for one in requests:
                _guarded(handle, [one], found)
            return
        # The next request has its own clock; this one is reported and tried again next time.
        reference = ErasureRequest.objects.get(pk=min(requests)).reference
        logger.exception("Request %s failed", reference)
        found.failed[reference] = type(exc).__name__


def _expire(requests: Requests, found: Processed) -> None:
    expired = approvals.expire(requests)
    found.expired_approvals += expired
    found.blocked |= dict.fromkeys(expired, ApprovalVoid.code)


def _verify_again(requests: Requests, found: Processed, stores: Stores) -> None:
    if policy.load().scrub:
        found.unscrubbed = scrubbing.scrub_all(requests, stores) or found.unscrubbed
    verdicts, refused = verification.second_look(requests, stores)
    references = _references(requests)
    found.verified += [references[key] for key, verdict in verdicts.items() if verdict.is_clean]
    found.reopened += [references[key] for key, verdict in verdicts.items() if not verdict.is_clean]
    _note_refusals(refused, references, found)


def _carry_out(requests: Requests, found: Processed, stores: Stores, stop: Stop) -> None:
    refused = saga.carry_out(requests, stores, stop=stop)
    _note_refusals(refused, _references(requests), found)
    rested_ones = ErasureRequest.objects.filter(pk__among=Values(set(requests) - refused.keys()))
    for rested in rested_ones:
        if rested.state in transitions.COMPLETE:
            found.completed.append(rested.reference)
        elif rested.state in (RequestState.BLOCKED_HOLD, RequestState.NEEDS_OPERATOR):
            found.blocked[rested.reference] = str(rested.state)
        else:
            found.waiting[rested.reference] = rested.trouble or str(rested.state)


def _references(requests: Requests) -> dict[int, str]:
    rows = ErasureRequest.objects.filter(pk__among=Values(requests))
    return dict(rows.values_list("pk", "reference"))


def _note_refusals(refused: Refusals, references: Mapping[int, str], found: Processed) -> None:
    for key, refusal in refused.items():
        waits_for_people = isinstance(refusal, OnHold | AwaitingApproval)
        (found.blocked if waits_for_people else found.waiting)[references[key]] = refusal.code


def _second_verifications() -> QuerySet[ErasureRequest]:
    complete = ErasureRequest.objects.filter(state__in=transitions.COMPLETE, closed_at__isnull=True)
    return complete.filter(verify_again_at__lte=clock.now())


def _going_on() -> QuerySet[ErasureRequest]:
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=clock.now())
    return ErasureRequest.objects.filter(due, state__in=transitions.EXECUTABLE)
