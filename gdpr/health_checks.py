"""Health checks of erasure: no person waits past the deadline, no step is stuck, no hold is forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from accord import clock, quorum_looks
from accord.approvals import expiry
from accord.errors import AccordError
from accord.health.runner import Check, Finding, Level
from gdpr import register_health
from gdpr.erasure import policy

if TYPE_CHECKING:
    from gdpr.models import RetentionRun
    from gdpr.retention.due import Due

DUE_SOON = timedelta(days=7)
"""Time before the deadline of Art. 12(3) from which on a request that isn't done is a warning."""
STUCK = timedelta(hours=1)
"""Time after which a step that no worker took up although it could be is stuck: cron isn't working on it."""
RETENTION_LATE = timedelta(days=2)
"""Age of the last run of retention from which on what is overdue is a warning: cron lets it go once a day."""
RETENTION_COUNTED = 1_000
"""Rows of each term that the check counts at most."""


def checks() -> Iterable[Check]:
    """Yield the checks."""
    yield Check(name="erasure.deadlines", look=look_at_deadlines)
    yield Check(name="erasure.requests", look=look_at_requests)
    yield Check(name="erasure.steps", look=look_at_steps)
    yield Check(name="erasure.holds", look=look_at_holds)
    yield Check(name="erasure.keys", look=look_at_keys)
    yield Check(name="erasure.recipients", look=look_at_recipients)
    yield Check(name="erasure.register", look=register_health.look)
    yield Check(name="retention", look=look_at_retention)
    yield from quorum_looks.health("erasure.approvals", policy.asked)
    for alias in _externals():
        yield Check(name=alias.replace(":", "."), look=partial(look_at_external, alias))


def _externals() -> Iterable[str]:
    """Name the external places; a data map that can't be read names none, which its own check tells."""
    from gdpr.datamap.map import load_data_map

    try:
        return load_data_map().externals
    except AccordError:
        return ()


def look_at_external(alias: str) -> Iterator[Finding]:
    """Ask an external place where it is: nobody is erased from one that is away."""
    from gdpr.stores.base import opened_stores

    name = alias.replace(":", ".")
    try:
        with opened_stores() as stores:
            where = stores[alias].fingerprint()
    except AccordError as exc:
        yield Finding(name=name, level=Level.CRITICAL, message=exc.message, hint=exc.hint)
        return
    yield Finding(name=name, level=Level.OK, message=f"It answers: {where}.")


def look_at_deadlines() -> Iterator[Finding]:
    """Count the requests that are overdue or soon will be, by the server's clock."""
    from gdpr.models import ErasureRequest, RightsRequest
    from gdpr.rights.requests import OPEN
    from gdpr.states import RequestState

    closed = (
        RequestState.COMPLETED, RequestState.COMPLETED_WITH_RETENTION,
        RequestState.REJECTED, RequestState.CANCELLED, RequestState.DUPLICATE,
    )  # fmt: skip
    waiting = ErasureRequest.objects.exclude(state__in=closed), RightsRequest.objects.filter(state__in=OPEN)
    erasures, rights = (_due(requests, Now()) for requests in waiting)
    if erasures[0] or rights[0]:
        yield _overdue(erasures, rights)
        return
    soon = sum(_due(requests, Now() + DUE_SOON)[0] for requests in waiting)
    yield Finding(
        name="erasure.deadlines",
        level=Level.WARN if soon else Level.OK,
        message=f"No erasure request is overdue; {soon or 'none'} due within {DUE_SOON.days} days.",
        value=0,
        threshold=1,
        hint="Decide about them, or extend them in time, in the admin." if soon else "",
    )


def _due(requests: QuerySet[Any], by: Any) -> tuple[int, datetime | None]:
    """Count the requests that are due by a moment, and say since when the first is."""
    found = requests.filter(due_at__lt=by).aggregate(count=Count("pk"), first=Min("due_at"))
    return int(found["count"]), found["first"]


def _overdue(erasures: tuple[int, datetime | None], rights: tuple[int, datetime | None]) -> Finding:
    named = ((erasures[0], "erasure request"), (rights[0], "other request"))
    listed = [f"{_counted(count, what)} overdue." for count, what in named if count]
    first = min(moment for moment in (erasures[1], rights[1]) if moment is not None)
    return Finding(
        name="erasure.deadlines",
        level=Level.CRITICAL,
        message=" ".join(listed),
        value=erasures[0] + rights[0],
        threshold=1,
        age=(clock.now() - first).total_seconds(),
        hint="The month of Art. 12(3) is over: see the requests in the admin, oldest first.",
    )


def look_at_requests() -> Iterator[Finding]:
    """Count the requests that wait for a person, and those whose second look nobody has taken."""
    from gdpr.models import ErasureRequest
    from gdpr.states import RequestState

    complete = (RequestState.COMPLETED, RequestState.COMPLETED_WITH_RETENTION)
    waiting = ErasureRequest.objects.filter(state=RequestState.NEEDS_OPERATOR).count()
    late = ErasureRequest.objects.filter(state__in=complete, verify_again_at__lt=Now() - STUCK)
    count, first = late.count(), late.aggregate(first=Min("verify_again_at"))["first"]
    hints = [
        "See the requests that need a person in the admin." if waiting else "",
        "Is cron running gdpr_process? It looks once more at what is complete." if count else "",
    ]
    yield Finding(
        name="erasure.requests",
        level=Level.WARN if waiting or count else Level.OK,
        message=f"{_counted(waiting, 'erasure request')} waiting for a person. "
        f"{_counted(count, 'second look')} overdue.",
        value=waiting + count,
        threshold=1,
        age=None if first is None else (clock.now() - first).total_seconds(),
        hint=" ".join(filter(None, hints)),
    )


def look_at_steps() -> Iterator[Finding]:
    """Count the steps that no worker works on although one should."""
    from gdpr.models import ErasureStep
    from gdpr.states import RequestState, StepState

    late = Now() - STUCK
    at_work = (RequestState.EXECUTING, RequestState.RETRY_WAIT, RequestState.VERIFYING)
    abandoned = Q(state=StepState.RUNNING, lease_until__lt=late)
    untaken = Q(state=StepState.RETRY_WAIT, next_attempt_at__lt=late, request__state__in=at_work)
    stuck = ErasureStep.objects.filter(abandoned | untaken | _left_lying(late))
    first = stuck.aggregate(lease=Min("lease_until"), attempt=Min("next_attempt_at"))
    since = min((moment for moment in first.values() if moment is not None), default=None)
    count = stuck.count()
    by_hand = Q(state__in=(StepState.MANUAL, StepState.FAILED), request__state=RequestState.NEEDS_OPERATOR)
    for_people = ErasureStep.objects.filter(by_hand).count()
    yield Finding(
        name="erasure.steps",
        level=Level.WARN if count or for_people else Level.OK,
        message=f"{_counted(count, 'step')} stuck. {_counted(for_people, 'step')} waiting for a person.",
        value=count + for_people,
        threshold=1,
        age=None if since is None else (clock.now() - since).total_seconds(),
        hint=_steps_hint(count, for_people),
    )


def _left_lying(late: CombinedExpression) -> Q:
    """Find steps that wait for their turn in requests of which no step has shown life for long."""
    from gdpr.models import ErasureStep
    from gdpr.states import RequestState, StepState

    shown = Q(lease_until__gte=late) | Q(started_at__gte=late) | Q(finished_at__gte=late)
    lively = ErasureStep.objects.filter(shown, request=OuterRef("request"))
    waits = Q(state=StepState.PENDING, lease_until__lt=late, request__state=RequestState.EXECUTING)
    return waits & ~Q(Exists(lively))


def _steps_hint(stuck: int, for_people: int) -> str:
    if stuck:
        return "Is cron running gdpr_process? It takes over what a dead worker left."
    return "See the requests that need a person in the admin." if for_people else ""


def look_at_holds() -> Iterator[Finding]:
    """Count the legal holds whose review is due."""
    from gdpr.models import LegalHold

    due = LegalHold.objects.filter(released_at__isnull=True, review_at__lt=Now())
    count, first = due.count(), due.aggregate(first=Min("review_at"))["first"]
    yield Finding(
        name="erasure.holds",
        level=Level.WARN if count else Level.OK,
        message=f"{_counted(count, 'legal hold')} past the day of review.",
        value=count,
        threshold=1,
        age=None if first is None else (clock.now() - first).total_seconds(),
        hint="Review them: release each hold, or place it anew with its reason." if count else "",
    )


def look_at_keys() -> Iterator[Finding]:
    """Count the requests whose key is lost, and the keys that should be destroyed and aren't."""
    from gdpr.erasure import request_keys

    found = request_keys.census()
    hints = [
        "Name each person again: gdpr_erase --request REFERENCE --key KEY." if found.lost else "",
        "Is cron running gdpr_process? It destroys what a killed process left." if found.ended else "",
    ]
    yield Finding(
        name="erasure.keys",
        level=Level.CRITICAL if found.lost else Level.WARN if found.ended else Level.OK,
        message=f"{_counted(found.lost, 'open request')} without a key. "
        f"{_counted(found.ended, 'key')} left of a request that is over.",
        value=found.lost + found.ended,
        threshold=1,
        hint=" ".join(filter(None, hints)),
    )


def look_at_retention() -> Iterator[Finding]:
    """Count what has run out and is still there, and ask how the last run of retention ended."""
    from gdpr.models import RetentionPlan, RetentionRun
    from gdpr.retention import due
    from gdpr.states import RetentionPlanState
    from gdpr.stores.base import opened_stores

    with opened_stores() as stores:
        found = list(due.look(stores, most=RETENTION_COUNTED))
    unread = [one for one in found if one.trouble not in ("", due.UNTOLD)]
    last = RetentionRun.objects.filter(finished_at__isnull=False).first()
    age = None if last is None else (clock.now() - last.started_at).total_seconds()
    waiting = RetentionPlan.objects.filter(~expiry.late(), state=RetentionPlanState.WAITING).count()
    yield _with_plans(_retention(found, unread, last, age), waiting)


def _with_plans(found: Finding, waiting: int) -> Finding:
    """Say that a plan of retention waits for a person: that nothing goes meanwhile is as the policy asks."""
    if not waiting:
        return found
    said = f"{_counted(waiting, 'plan')} waiting for a second person."
    level = found.level if found.level is Level.UNKNOWN else Level.WARN
    hint = "See what waits: gdpr_retention --dry-run. Another person approves or rejects it."
    return replace(found, level=level, message=f"{said} {found.message}", hint=hint)


def _retention(
    found: Sequence[Due], unread: Sequence[Due], last: RetentionRun | None, age: float | None
) -> Finding:
    overdue = [one for one in found if one.due]
    number = sum(one.due for one in overdue)
    lazy = bool(number) and (age is None or age > RETENTION_LATE.total_seconds())
    failed = last is not None and last.is_of_a_failed_run()
    listed = ", ".join(f"{one.entry} {one.due}{'+' * one.more}" for one in overdue)
    told = f"Overdue by its term: {listed}." if overdue else "Nothing is overdue by its term."
    level = Level.UNKNOWN if unread else Level.WARN if lazy or failed else Level.OK
    return Finding(
        name="retention",
        level=level,
        message=f"{told} {_asked(unread)}{_last_run(last)}",
        value=number,
        threshold=1,
        age=age,
        hint="Is cron running gdpr_retention? It lets go what has run out." if lazy or failed else "",
    )


def _asked(unread: Sequence[Due]) -> str:
    return f"Not asked: {', '.join(f'{one.entry} ({one.trouble})' for one in unread)}. " if unread else ""


def _last_run(last: RetentionRun | None) -> str:
    return "There was no run yet." if last is None else f"Last run: {last.entry} {last.state}."


def look_at_recipients() -> Iterator[Finding]:
    """Count the recipients that nobody told, and those that nobody tries to tell."""
    from gdpr.models import RecipientNotice
    from gdpr.states import NoticeState

    by_hand = RecipientNotice.objects.filter(state=NoticeState.BY_HAND)
    waiting = RecipientNotice.objects.filter(state=NoticeState.WAITING)
    late = waiting.filter(next_attempt_at__lt=Now() - STUCK)
    people, untaken = by_hand.count(), late.count()
    first = (by_hand | late).aggregate(first=Min("entered_at"))["first"]
    hints = [
        "See the notices to recipients in the admin." if people else "",
        "Is cron running gdpr_process? It tells recipients." if untaken else "",
    ]
    yield Finding(
        name="erasure.recipients",
        level=Level.WARN if people or untaken else Level.OK,
        message=f"{_counted(people, 'notice to a recipient', 'notices to recipients')} waiting for a person; "
        f"{waiting.count()} under way, {untaken or 'none'} of them an hour late.",
        value=people + untaken,
        threshold=1,
        age=None if first is None else (clock.now() - first).total_seconds(),
        hint=" ".join(filter(None, hints)),
    )


def _counted(count: int, what: str, several: str = "") -> str:
    """Describe how many there are, as the subject of a sentence: `No step is`, `2 steps are`."""
    number = str(count) if count else "No"
    return f"{number} {what} is" if count in (0, 1) else f"{number} {several or what + 's'} are"
