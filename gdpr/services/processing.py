"""What cron does: whatever is due, request by request. One that fails stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from django.db.models import Q, QuerySet
from django.utils import timezone

from accord.errors import AccordError
from gdpr.errors import ApprovalVoid, AwaitingApproval, OnHold
from gdpr.models import ErasureRequest
from gdpr.services import (
    approvals,
    cohort_verification,
    cohorts,
    consent,
    erasure,
    policy,
    transitions,
    verification,
)
from gdpr.services.erasure import Stop
from gdpr.states import RequestState

logger = logging.getLogger(__name__)
_Result = TypeVar("_Result")


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
        failed: References that failed in a way that nobody expected, and how.
    """

    completed: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    verified: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    expired_approvals: list[str] = field(default_factory=list)
    expired_consents: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def process_due(*, stop: Stop = lambda: False) -> Processed:
    """
    Do everything that is due now. May run beside itself.

    Args:
        stop: Asked between two requests and between two steps.
    """
    found = Processed()
    for request in _expired_approvals():
        _guarded(request, found, _expire)
    _verify_together(found, stop)
    for request in _second_verifications():
        if not stop():
            _guarded(request, found, _verify_again)
    waiting = _work_together(found, stop)
    for request in _going_on().exclude(pk__in=waiting):
        if not stop():
            _guarded(request, found, lambda one, into: _work(one, into, stop))
    found.expired_consents = consent.expire_due()
    return found


def _verify_together(found: Processed, stop: Stop) -> None:
    for chunk in _chunks(_second_verifications()):
        if not stop():
            found.verified += _unless_broken(partial(cohort_verification.verify_again, chunk), [])


def _work_together(found: Processed, stop: Stop) -> set[int]:
    """Carry out what can be carried out together; give those for whom it is no use to try again now."""
    given_up: set[int] = set()
    for chunk in _chunks(_going_on()):
        waiting: Mapping[int, str] = {}
        if not stop():
            waiting = _unless_broken(partial(cohorts.work, chunk, stop), waiting)
        given_up |= waiting.keys()
        for one in ErasureRequest.objects.filter(pk__in=chunk).only("reference", "state"):
            if one.pk in waiting:
                found.waiting[one.reference] = waiting[one.pk]
            elif one.state in transitions.COMPLETE:
                found.completed.append(one.reference)
    return given_up


def _unless_broken(act: Callable[[], _Result], nothing: _Result) -> _Result:
    """Do something for a cohort. What breaks it is one request's trouble: taken up alone, it shows whose."""
    try:
        return act()
    except AccordError:
        return nothing
    except Exception:
        logger.exception("A cohort failed; its requests are taken up one by one")
        return nothing


def _chunks(requests: QuerySet[ErasureRequest]) -> Iterator[list[int]]:
    """Cut requests into cohorts. One alone is none."""
    keys = list(requests.values_list("pk", flat=True))
    size = max(int(policy.load().together), 1)
    chunks = (keys[start : start + size] for start in range(0, len(keys), size))
    return (chunk for chunk in chunks if len(chunk) > 1)


Handle = Callable[[ErasureRequest, Processed], None]


def _guarded(request: ErasureRequest, found: Processed, handle: Handle) -> None:
    try:
        handle(request, found)
    except (OnHold, AwaitingApproval) as exc:
        found.blocked[request.reference] = exc.code
    except AccordError as exc:
        found.waiting[request.reference] = exc.code
    except Exception as exc:
        # The next request has its own clock; this one is reported and tried again next time.
        logger.exception("Request %s failed", request.reference)
        found.failed[request.reference] = type(exc).__name__


def _expire(request: ErasureRequest, found: Processed) -> None:
    if approvals.expire(request):
        found.expired_approvals.append(request.reference)
        raise ApprovalVoid("The approval expired.")


def _verify_again(request: ErasureRequest, found: Processed) -> None:
    verdict = verification.verify_again(request)
    if verdict.residue:
        found.reopened.append(request.reference)
    else:
        found.verified.append(request.reference)


def _work(request: ErasureRequest, found: Processed, stop: Stop) -> None:
    rested = erasure.work(request, stop=stop)
    if rested.state in transitions.COMPLETE:
        found.completed.append(rested.reference)
    elif rested.state in (RequestState.BLOCKED_HOLD, RequestState.NEEDS_OPERATOR):
        found.blocked[rested.reference] = str(rested.state)
    else:
        found.waiting[rested.reference] = rested.trouble or str(rested.state)


def _expired_approvals() -> QuerySet[ErasureRequest]:
    approved = ErasureRequest.objects.filter(state=RequestState.APPROVED)
    return approved.filter(approval_expires_at__lte=timezone.now())


def _second_verifications() -> QuerySet[ErasureRequest]:
    complete = ErasureRequest.objects.filter(state__in=transitions.COMPLETE, closed_at__isnull=True)
    return complete.filter(verify_again_at__lte=timezone.now())


def _going_on() -> QuerySet[ErasureRequest]:
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=timezone.now())
    return ErasureRequest.objects.filter(due, state__in=transitions.EXECUTABLE)
