"""The audit trail in the admin: to read, to search, and to verify."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accord import (
    admin_batches,  # noqa: F401 - registers its pages
    admin_tokens,  # noqa: F401 - as above
    conf,
)
from accord.admin_parts import Folded, Pages, refused
from accord.audit.verification import verify
from accord.display import chip, counted, day
from accord.errors import AccordError
from accord.models import AuditEvent
from accord.wording import explained

_REFERENCES = ("request_ref", "object_ref", "actor_ref", "plan_digest", "hash")


@admin.register(AuditEvent)
class AuditEventAdmin(Pages):
    """Events, newest first; no account adds, changes or deletes one here."""

    list_display = (
        "seq",
        "happened",
        "event",
        "shown_outcome",
        "shown_counters",
        "shown_request",
    )
    list_filter = (("event", Folded), "outcome", ("object_kind", Folded), "actor_kind", "at")
    # Shows the field; get_search_results decides what is compared.
    search_fields = _REFERENCES
    search_help_text = _("Whole reference of a request, object or actor; whole plan digest or hash")
    date_hierarchy = "at"
    show_full_result_count = False
    empty_says = _("Nothing has happened yet that is kept here. What the suite does is added by itself.")
    change_list_template = "admin/accord/auditevent/change_list.html"
    fieldsets = (
        (None, {"fields": (("seq", "at"), ("event", "shown_outcome"), "shown_counters")}),
        (
            _("Who and what"),
            {"fields": (("actor_kind", "actor_ref"), ("object_kind", "object_ref"), "request_ref")},
        ),
        (_("Proof"), {"fields": ("plan_digest", "prev_hash", "hash")}),
    )
    readonly_fields = ("shown_outcome", "shown_counters")

    def has_verify_permission(self, request: HttpRequest) -> bool:
        """Return whether an account may start a verification of the trail."""
        return request.user.has_perm("accord.verify_audit")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        return super().get_queryset(request).using(conf.load().coordinator)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Find whole references and digests, by their indexes."""
        wanted = search_term.strip().lower()
        if not wanted:
            return queryset, False
        anywhere = [Q(**{field: wanted}) for field in _REFERENCES]
        return queryset.filter(reduce(or_, anywhere)), False

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the verification."""
        view = self.admin_site.admin_view(self.verify_view)
        return [path("verify/", view, name="accord_auditevent_verify"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, with the button for those who may press it."""
        shown = {**(extra_context or {}), "may_verify": self.has_verify_permission(request)}
        return super().changelist_view(request, shown)

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Verify the whole trail and show what was found; only as a POST, because it takes a while."""
        if not self.has_verify_permission(request):
            raise refused(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        context = self.context_of(request, None, str(_("Verification of the audit trail")))
        try:
            context["report"] = verify()
        except AccordError as exc:
            messages.error(request, explained(exc))
        return render(request, "admin/accord/auditevent/verified.html", context)

    @admin.display(description=_("at"), ordering="at")
    def happened(self, event: AuditEvent) -> str:
        """Show when, short enough for a list."""
        return day(event.at)

    @admin.display(description=_("outcome"), ordering="outcome")
    def shown_outcome(self, event: AuditEvent) -> SafeString:
        """Show the outcome as a word in a coloured frame; the word says it, the colour helps."""
        return chip(event.outcome, event.get_outcome_display())

    @admin.display(description=_("numbers"))
    def shown_counters(self, event: AuditEvent) -> str:
        """Show the numbers in one line."""
        return counted(event.counters) or "-"

    @admin.display(description=_("request"), ordering="request_ref")
    def shown_request(self, event: AuditEvent) -> str:
        """Show the beginning of the request's reference; the whole of it stands on the event's page."""
        return event.request_ref[:8] or "-"
