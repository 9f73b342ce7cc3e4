"""State changes: requests are found, their rows held, and moved on here, and nowhere else."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from django.db import OperationalError, connections, transaction

from accord import arrays, clock, conf
from accord.acting import Account, actor, worker
from accord.audit import trail
from accord.audit.events import EventKind, EventOutcome, ObjectKind
from accord.connecting import code_of
from accord.retry import Backoff, again
from accord.wording import say
from gdpr.erasure import transitions
from gdpr.errors import UnknownRequest
from gdpr.models import Approval, ErasureRequest
from gdpr.states import Decision, RequestState
from gdpr.stores.lookups import Values

_SHORTEST = 4
_DEADLOCKS = 5
_DEADLOCK_DETECTED = "40P01"
_APART = Backoff(first=0.01, most=0.2)
_Result = TypeVar("_Result")


def alias() -> str:
    """Name the database that holds the requests."""
    return conf.load().coordinator


def find(reference: str) -> ErasureRequest:
    """
    Find a request by its reference, or by the beginning of it.

    Raises:
        UnknownRequest: There is none, or more than one.
    """
    text = reference.strip().lower()
    if not re.fullmatch(rf"[0-9a-f]{{{_SHORTEST},32}}", text):
        raise UnknownRequest(
            "That is no reference of a request.",
            hint=say(
                "A reference has 32 hexadecimal digits; its first {shortest} or more are enough.",
                shortest=_SHORTEST,
            ),
        )
    found = list(ErasureRequest.objects.filter(reference__startswith=text)[:2])
    if not found:
        raise UnknownRequest(
            say("No request has a reference that begins with {text}.", text=text),
            hint="See the list of requests, in the admin or under erasure-requests/ of the API.",
        )
    if len(found) > 1:
        raise UnknownRequest(
            say("More than one request has a reference that begins with {text}.", text=text),
            hint="Give more digits of it.",
        )
    return found[0]


@contextmanager
def locked(request: ErasureRequest | int) -> Iterator[ErasureRequest]:
    """
    Hold a request's row for one transaction.

    Args:
        request: The request, or its primary key.

    Yields:
        The request as it is now. What was read before may be old.
    """
    key = request if isinstance(request, int) else request.pk
    with transaction.atomic(using=alias()):
        yield ErasureRequest.objects.select_for_update().get(pk=key)


def lock(requests: Collection[int], *states: RequestState) -> list[ErasureRequest]:
    """
    Hold the rows of those requests that are in one of these states, for the open transaction.

    Every process takes them in the same order, so that no two wait for each other.

    Args:
        requests: Primary keys.
        states: Which states.
    """
    rows = ErasureRequest.objects.select_for_update().filter(pk__among=Values(requests), state__in=states)
    return list(rows.order_by("pk"))


def through_deadlocks(act: Callable[[], _Result]) -> _Result:
    """
    Do something again when PostgreSQL chose its transaction to end a deadlock: nothing of it was done.

    Workers on one request, holds and erased rows lock each other's rows in an order that nothing
    decides, the application's own transactions included.

    Args:
        act: One or more whole transactions that look at the state anew; called outside of any other.

    Raises:
        OperationalError: It was chosen again and again.
    """
    return again(act, when=_is_deadlock, retries=_DEADLOCKS, backoff=_APART, sleep=time.sleep)


def _is_deadlock(exc: Exception) -> bool:
    return isinstance(exc, OperationalError) and code_of(exc) == _DEADLOCK_DETECTED


def share(requests: Collection[int], state: RequestState) -> set[int]:
    """
    Keep requests in a state until the transaction ends, beside others who do the same.

    A hold waits for it: once a hold is placed, no batch follows.

    Returns:
        Those that are in that state.
    """
    with connections[alias()].cursor() as cursor:
        cursor.execute(
            "SELECT id FROM gdpr_erasurerequest WHERE id = ANY(%s::bigint[]) AND state = %s "
            "ORDER BY id FOR SHARE",
            [arrays.of_numbers(requests), state],
        )
        return {key for (key,) in cursor.fetchall()}


def move(
    held: Sequence[ErasureRequest],
    target: RequestState,
    event: EventKind,
    *,
    by: Account | None = None,
    counters: Mapping[int, Mapping[str, int]] | None = None,
    outcome: EventOutcome = EventOutcome.DONE,
    changes: Mapping[str, object] | None = None,
) -> None:
    """
    Change the state of requests whose rows are held, and record it in the same transaction.

    Args:
        held: The requests.
        target: Their new state.
        event: What happened.
        by: Who did it; whom this process works for unless given.
        counters: Numbers of each request's event, by primary key.
        outcome: How it ended.
        changes: Further fields, the same for all.

    Raises:
        IllegalTransition: The state of one of them doesn't allow it.
    """
    for request in held:
        transitions.check(RequestState(request.state), target)
    save(held, **{"state": target, **(changes or {})})
    numbers = counters or {}
    record([act(one, event, counters=numbers.get(one.pk), outcome=outcome) for one in held], by=by)


def save(held: Sequence[ErasureRequest], **changes: object) -> None:
    """
    Write fields of requests whose rows are held, the same for all.

    One alone is saved as a model, so that django-auditlog shows the change in the admin. Several are
    written by one statement: a log entry of each would cost more than the change, and the audit trail,
    which is the evidence, has an event of each in any case.
    """
    for request in held:
        for name, value in changes.items():
            setattr(request, name, value)
    if len(held) == 1:
        held[0].save(update_fields=list(changes))
    else:
        ErasureRequest.objects.filter(pk__among=Values(request.pk for request in held)).update(**changes)


def void_approvals(held: Sequence[ErasureRequest]) -> dict[str, object]:
    """
    Make approvals of requests whose rows are held count no more.

    Returns:
        What the move away from “approved” has to write: the database refuses an approved request
        without an approver.
    """
    standing = Approval.objects.filter(
        request__among=Values(request.pk for request in held),
        decision=Decision.APPROVED,
        voided_at__isnull=True,
    )
    standing.update(voided_at=clock.now())
    return {"approved_by_id": None, "approval_expires_at": None}


def act(
    request: ErasureRequest,
    event: EventKind,
    *,
    counters: Mapping[str, int] | None = None,
    outcome: EventOutcome = EventOutcome.DONE,
    object_kind: ObjectKind = ObjectKind.ERASURE_REQUEST,
    object_ref: str = "",
    digest: str = "",
) -> trail.Act:
    """Describe in the words of the audit trail what was done about a request; by its plan, or a digest."""
    return trail.Act(
        event=event,
        object_kind=object_kind,
        object_ref=object_ref or request.reference,
        request_ref=request.reference,
        outcome=outcome,
        counters=counters or {},
        plan_digest=digest or request.plan_digest,
    )


def record(acts: Sequence[trail.Act], *, by: Account | None = None) -> None:
    """Write audit events about requests, in the transaction that is open; done by whom it works for."""
    if acts:
        trail.record_all(acts, actor=actor(by or worker()), using=alias())


def is_going_on(request: ErasureRequest) -> bool:
    """Return whether a worker has something to do with a request."""
    return RequestState(request.state) in transitions.EXECUTABLE
