"""
Erasures in the admin: requests with what would happen and what did, and receipts.

Nothing is edited here. What may be decided is asked for on a page of its own, and done by the
services, which commands use as well; they refuse what a button doesn't offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters

from accord import clock
from accord.admin_parts import OfferedDecision, person_of
from accord.display import chip, day
from gdpr.models import ErasureRequest, Receipt
from gdpr.screens.base import (
    OVER,
    WEEK,
    DueFilter,
    GdprPages,
    WaitingFilter,
    due,
    masked,
    name,
    waiting,
)
from gdpr.states import RequestState

# Services are loaded when a page needs them: every command imports this module.

APPROVE = "gdpr.approve_erasurerequest"
FILE = "gdpr.add_erasurerequest"
ACTS = (
    *("approve", "identity", "plan", "retry", "confirm", "whose", "verify"),
    *("ask", "extend", "hold", "revoke", "reject", "cancel"),
)


@admin.register(ErasureRequest)
class ErasureRequestAdmin(GdprPages):
    """Demands for erasure: open ones by their deadline, those that are over behind."""

    list_display = ("short", "shown_state", "due", "subject", "approval")
    list_filter = (WaitingFilter, DueFilter, "state")
    search_fields = ("reference__startswith",)
    search_help_text = _("Reference, or the beginning of it")
    show_full_result_count = False
    change_list_template = "admin/gdpr/erasurerequest/change_list.html"
    page_template = "admin/gdpr/request.html"
    empty_says = _(
        "Nobody has asked to be erased yet. “File a demand…” puts one on record, as “gdpr_erase KEY --as "
        "USERNAME” does; it is planned, and then approved by another person."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm pages."""
        own = [
            self.address("file", self.file, of_row=False),
            self.address("person", self.person, of_row=False),
            self.address("letter", self.letter),
        ]
        return own + [self.address(act, self.decide, act=act) for act in ACTS] + super().get_urls()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow whoever may decide to look, too."""
        return super().has_view_permission(request, obj) or request.user.has_perm(APPROVE)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what waits above the list of all requests."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        shown = {"tiles": self._tiles(request), "may_file": request.user.has_perm(FILE)}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def _tiles(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """Count what waits, in one query."""
        whose, when = waiting(request), due()
        listed = (
            ("open", _("open"), "?waiting=open", whose["open"], ""),
            ("week", _("due within a week"), "?due=week", when["week"], "wait"),
            ("over", _("overdue"), "?due=over", when["over"], "bad"),
            ("mine", _("wait for my approval"), "?waiting=mine", whose["mine"], "busy"),
            ("stuck", _("need somebody to act"), "?waiting=stuck", whose["stuck"], "wait"),
        )
        counts = self.get_queryset(request).aggregate(
            **{key: Count("pk", filter=chosen) for key, _label, _link, chosen, _tone in listed}
        )
        may_approve = request.user.has_perm(APPROVE)
        return [
            {"count": counts[key], "label": label, "link": link, "tone": tone if counts[key] else ""}
            for key, label, link, _chosen, tone in listed
            if key != "mine" or may_approve
        ]

    def title_of(self, shown: ErasureRequest) -> str:
        """Name a request."""
        return str(_("Erasure request %s") % self.short(shown))

    def facts(self, request: HttpRequest, shown: ErasureRequest) -> dict[str, Any]:
        """Show a request: how far it is, what would happen, and what did."""
        from gdpr.screens import request_context

        return {
            "state": self.shown_state(shown),
            "subject": self.subject(shown),
            "filer": self.filer(shown),
            "approver": self.approval(shown),
            "due": self.due(shown),
            "over": shown.state in OVER,
            "stages": request_context.stages(shown),
            "plan": request_context.plan_by_store(shown),
            "untouched": request_context.untouched(shown),
            "open_findings": request_context.open_findings(shown),
            "restrictions": request_context.restrictions(shown),
            "steps": request_context.steps_by_store(shown),
            "holds": request_context.active_holds(shown),
            **request_context.timeline(shown),
        }

    def decisions(self, request: HttpRequest, shown: ErasureRequest) -> Sequence[OfferedDecision]:
        """Return what can be decided about a request as it stands, with what hinders this person."""
        from gdpr.screens import actions, letters

        person = person_of(request)
        return [*actions.decisions(shown, person), *letters.offered(shown, person)]

    @method_decorator(sensitive_post_parameters("key"))
    def file(self, request: HttpRequest) -> HttpResponse:
        """Put a demand on record."""
        from gdpr.screens.filing import filing

        return filing(self, request)

    @method_decorator(sensitive_post_parameters("key"))
    def person(self, request: HttpRequest) -> HttpResponse:
        """Show what is on record of a person."""
        from gdpr.screens.whom import finding

        return finding(self, request)

    @method_decorator(sensitive_post_parameters("to"))
    def letter(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write to the person; only a POST does."""
        from gdpr.screens.letters import writing

        shown: ErasureRequest = self.found(request, object_id)
        return writing(self, request, shown, {"subject": self.subject(shown)})

    def decide(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Ask what a decision needs, and have it taken; only a POST decides."""
        from gdpr.screens import actions, request_context

        shown: ErasureRequest = self.found(request, object_id)
        chosen, person = actions.ACTS[act], person_of(request)
        form = chosen.form(request.POST if request.method == "POST" else None, shown)
        # The digest of the plan that stood on the page with the button.
        form.initial.update(request.GET.items())
        if request.method == "POST" and form.is_valid():
            return self.have_done(
                request, lambda: chosen.take(shown, person, form.cleaned_data), chosen.said, shown
            )
        context = {
            **self.asking(request, shown, chosen.described(shown, person), form),
            "subject": self.subject(shown),
            "filer": self.filer(shown),
            "totals": request_context.totals(shown, str(form["digest"].value())) if act == "approve" else {},
        }
        return TemplateResponse(request, "admin/gdpr/decide.html", context)

    @admin.display(description=_("reference"), ordering="reference")
    def short(self, shown: ErasureRequest) -> str:
        """Show as much of the reference as a command needs."""
        return str(shown.reference)[:8]

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, shown: ErasureRequest) -> SafeString:
        """Show the state as a chip."""
        return chip(shown.state, shown.get_state_display())

    @admin.display(description=_("due"), ordering="due_at")
    def due(self, shown: ErasureRequest) -> str | SafeString:
        """Show the days that are left."""
        from gdpr.erasure import deadlines

        if shown.state in OVER:
            return "-"
        days = deadlines.days_left(shown.due_at, clock.now())
        if days < 0:
            return chip("overdue", ngettext("%d day late", "%d days late", -days) % -days)
        left = ngettext("in %d day", "in %d days", days) % days
        return chip("soon", left) if days < WEEK.days else left

    @admin.display(description=_("person"))
    def subject(self, shown: ErasureRequest) -> SafeString:
        """Show the person masked."""
        return masked(shown.subject_kind, shown.subject_tag)

    def filer(self, shown: ErasureRequest) -> str:
        """Show who filed it."""
        return name(shown.filed_by_id)

    @admin.display(description=_("approved by"))
    def approval(self, shown: ErasureRequest) -> str:
        """Show who approved it, or that an account has to."""
        if shown.state != RequestState.PLANNED:
            return name(shown.approved_by_id)
        from gdpr.screens import offers

        return offers.so_far(shown) or str(_("none yet"))


@admin.register(Receipt)
class ReceiptAdmin(GdprPages):
    """What was read back from the stores, signed."""

    list_display = ("short", "kind", "of_request", "made")
    list_filter = ("kind", "made_at")
    search_fields = ("reference__startswith", "request__reference__startswith")
    search_help_text = _("Reference of the receipt or of the request, or the beginning of it")
    list_select_related = ("request",)
    page_template = "admin/gdpr/receipt.html"
    empty_says = _("No erasure is complete yet. Each one that is gets its receipt here by itself.")

    def get_urls(self) -> list[URLPattern]:
        """Add the page to print, and the document."""
        own = [self.address("print", self.printed), self.address("json", self.downloaded)]
        return own + super().get_urls()

    def title_of(self, shown: Receipt) -> str:
        """Name a receipt."""
        return str(_("Receipt %s") % self.short(shown))

    def facts(self, request: HttpRequest, shown: Receipt) -> dict[str, Any]:
        """Show a receipt with the outcome of checking its signature."""
        from gdpr.erasure import receipts
        from gdpr.screens import request_context

        signer, fault = request_context.signature(shown)
        return {"signer": signer, "fault": fault, "summary": receipts.summary(shown.document)}

    def printed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the page to print."""
        from gdpr.erasure import receipts

        return HttpResponse(receipts.render_html(self.found(request, object_id)))

    def downloaded(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the signed document as a file."""
        from gdpr.erasure import receipts

        shown: Receipt = self.found(request, object_id)
        answer = JsonResponse(receipts.signed_document(shown), json_dumps_params={"indent": 2})
        answer["Content-Disposition"] = f'attachment; filename="receipt-{shown.reference}.json"'
        return answer

    @admin.display(description=_("receipt"), ordering="reference")
    def short(self, shown: Receipt) -> str:
        """Show the beginning of the reference."""
        return str(shown.reference)[:8]

    @admin.display(description=_("request"))
    def of_request(self, shown: Receipt) -> str:
        """Show the beginning of the request's reference."""
        return str(shown.request.reference)[:8]

    @admin.display(description=_("made"), ordering="made_at")
    def made(self, shown: Receipt) -> str:
        """Show when it was made, short enough for a list."""
        return day(shown.made_at)
