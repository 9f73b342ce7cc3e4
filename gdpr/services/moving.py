"""Finding a request, holding its row, and moving it: every change of state goes through here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from django.db import OperationalError, connections, transaction

from accord import audit, conf
from accord.audit_events import Event, ObjectKind, Outcome
from gdpr.errors import UnknownRequest
from gdpr.models import ErasureRequest
from gdpr.services import transitions
from gdpr.services.actors import Person, actor
from gdpr.states import RequestState

_SHORTEST = 4
_DEADLOCKS = 5
_DEADLOCK_DETECTED = "40P01"
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
            hint=f"A reference has 32 hexadecimal digits; its first {_SHORTEST} or more are enough.",
        )
    found = list(ErasureRequest.objects.filter(reference__startswith=text)[:2])
    if len(found) != 1:
        number = "No request has" if not found else "More than one request has"
        raise UnknownRequest(f"{number} a reference that begins with {text}.", hint="Give more digits of it.")
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


def locked_all(requests: Sequence[int], *states: RequestState) -> list[ErasureRequest]:
    """
    Hold the rows of those of several requests that are in one of these states, for the open transaction.

    Everybody takes them in the same order, so that nobody waits for somebody who waits for them.

    Args:
        requests: Primary keys.
        states: Which states.
    """
    rows = ErasureRequest.objects.select_for_update().filter(pk__in=requests, state__in=states)
    return list(rows.order_by("pk"))


def through_deadlocks(act: Callable[[], _Result]) -> _Result:
    """
    Do something again when PostgreSQL chose its transaction to end a deadlock: nothing of it was done.

    Workers on one request, holds and erased rows lock each other's rows in an order that nobody
    decides, the application's own transactions included.

    Args:
        act: One or more whole transactions that look at the state anew; called outside of any other.

    Raises:
        OperationalError: It was chosen again and again.
    """
    for _ in range(_DEADLOCKS):
        try:
            return act()
        except OperationalError as exc:
            if getattr(exc.__cause__, "pgcode", None) != _DEADLOCK_DETECTED:
                raise
    return act()


def share_lock(request_id: int) -> RequestState:
    """
    Keep a request's state as it is until the transaction ends, beside others who do the same.

    A hold waits for it: once a hold is placed, no batch follows.
    """
    with connections[alias()].cursor() as cursor:
        cursor.execute("SELECT state FROM gdpr_erasurerequest WHERE id = %s FOR SHARE", [request_id])
        return RequestState(cursor.fetchone()[0])


def share_locks(requests: Sequence[int], state: RequestState) -> set[int]:
    """Keep several requests in a state until the transaction ends; give those that are in it."""
    with connections[alias()].cursor() as cursor:
        cursor.execute(
            "SELECT id FROM gdpr_erasurerequest WHERE id = ANY(%s) AND state = %s ORDER BY id FOR SHARE",
            [list(requests), state],
        )
        return {key for (key,) in cursor.fetchall()}


def move(
    request: ErasureRequest,
    target: RequestState,
    event: Event,
    *,
    by: Person | None = None,
    counters: Mapping[str, int] | None = None,
    outcome: Outcome = Outcome.DONE,
) -> None:
    """
    Change the state of a request whose row is held, and record it in the same transaction.

    Raises:
        IllegalTransition: The state doesn't allow it.
    """
    transitions.check(RequestState(request.state), target)
    request.state = target
    request.save()
    record(request, event, by=by, counters=counters, outcome=outcome)


def move_all(
    held: Sequence[ErasureRequest],
    target: RequestState,
    event: Event,
    counters: Callable[[ErasureRequest], Mapping[str, int]] | None = None,
    **changes: object,
) -> None:
    """
    Change the state of several requests whose rows are held. See :func:`move`.

    Args:
        held: The requests.
        target: Their new state.
        event: What happened.
        counters: Gives the numbers of a request's event.
        changes: Further fields, the same for all.

    Raises:
        IllegalTransition: The state of one of them doesn't allow it.
    """
    for request in held:
        transitions.check(RequestState(request.state), target)
        for name, value in {**changes, "state": target}.items():
            setattr(request, name, value)
    rows = ErasureRequest.objects.filter(pk__in=[request.pk for request in held])
    rows.update(state=target, **changes)
    record_all([act(request, event, counters=counters(request) if counters else None) for request in held])


def record(
    request: ErasureRequest,
    event: Event,
    *,
    by: Person | None = None,
    counters: Mapping[str, int] | None = None,
    outcome: Outcome = Outcome.DONE,
    object_kind: ObjectKind = ObjectKind.ERASURE_REQUEST,
    object_ref: str = "",
) -> None:
    """Write an audit event about a request, in the transaction that is open."""
    done = act(
        request, event, counters=counters, outcome=outcome, object_kind=object_kind, object_ref=object_ref
    )
    audit.record_all([done], actor=actor(by), using=alias())


def record_all(acts: Sequence[audit.Act]) -> None:
    """Write audit events of Accord itself about several requests, in the transaction that is open."""
    if acts:
        audit.record_all(acts, actor=actor(None), using=alias())


def act(
    request: ErasureRequest,
    event: Event,
    *,
    counters: Mapping[str, int] | None = None,
    outcome: Outcome = Outcome.DONE,
    object_kind: ObjectKind = ObjectKind.ERASURE_REQUEST,
    object_ref: str = "",
) -> audit.Act:
    """Say in the words of the audit trail what was done about a request."""
    return audit.Act(
        event=event,
        object_kind=object_kind,
        object_ref=object_ref or request.reference,
        request_ref=request.reference,
        outcome=outcome,
        counters=counters or {},
        plan_digest=request.plan_digest,
    )
