"""What the admin's pages of this app have in common."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accord import clock
from accord.admin_parts import OfferedDecision, Pages, person_of
from accord.errors import AccordError
from accord.wording import worded
from gdpr.states import RequestState

if TYPE_CHECKING:
    from accord.acting import Account

OVER = (
    RequestState.COMPLETED,
    RequestState.COMPLETED_WITH_RETENTION,
    RequestState.REJECTED,
    RequestState.CANCELLED,
    RequestState.DUPLICATE,
)
STUCK = (RequestState.NEEDS_OPERATOR, RequestState.BLOCKED_HOLD, RequestState.IDENTITY_CHECK)
WEEK = timedelta(days=7)


class DueFilter(admin.SimpleListFilter):
    """How soon open requests are due."""

    title = _("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("over", _("overdue")), ("week", _("within a week")), ("later", _("later"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = due().get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


class WaitingFilter(admin.SimpleListFilter):
    """Whom requests wait for."""

    title = _("what waits")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", _("open")),
            ("mine", _("for my approval")),
            ("stuck", _("for somebody to act")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = waiting(request).get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


class CountsFilter(admin.SimpleListFilter):
    """
    Whether something still counts.

    Attributes:
        ended: The column that is empty as long as it does.
        over: What it is called once it doesn't.
    """

    title = _("state")
    parameter_name = "counts"
    ended = ""
    over: Any = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("active")), ("no", self.over)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = {"yes": True, "no": False}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(**{f"{self.ended}__isnull": chosen})


def due() -> dict[str, Q]:
    """Return the conditions on how soon a request is due."""
    now = clock.now()
    still_open = ~Q(state__in=OVER)
    return {
        "over": still_open & Q(due_at__lt=now),
        "week": still_open & Q(due_at__gte=now, due_at__lt=now + WEEK),
        "later": still_open & Q(due_at__gte=now + WEEK),
    }


def waiting(request: HttpRequest) -> dict[str, Q]:
    """Return the conditions on whom a request waits for."""
    from gdpr.erasure import undecided

    return {
        "open": ~Q(state__in=OVER),
        "mine": undecided.by(person_of(request)),
        "stuck": Q(state__in=STUCK),
    }


def masked(kind: str, tag: str) -> SafeString:
    """Name a person by the end of their tag: enough to see that two are the same one."""
    return format_html('<span class="nowrap">{} …{}</span>', kind.rpartition(".")[2], tag[-8:])


def name(account: int | str | None) -> str:
    """Name an account of staff, which may be gone."""
    from gdpr.screens import request_context

    return request_context.name_of(account)


def hindered(decision: OfferedDecision, person: Account, *permissions: str) -> OfferedDecision:
    """
    Return a decision with what hinders an account, as far as permissions do.

    Args:
        decision: What would be offered.
        person: Who would take it.
        permissions: Of which one is enough.
    """
    from gdpr.erasure import actors

    try:
        actors.require(person, *permissions)
    except AccordError as exc:
        return replace(decision, hindrance=worded(exc.message))
    return decision


class GdprPages(Pages):
    """Pages of this app."""

    class Media:
        """How stages and tiles look."""

        css = {"all": ("gdpr/erasure.css",)}  # noqa: RUF012 - Django reads it from the class
