"""
Erasures in the admin: requests with what would happen and what did, receipts, legal holds, consent.

Nothing is edited here. What may be decided is asked for on a page of its own, and done by the
services, which commands use as well; they refuse what a button doesn't offer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accord.admin_parts import chip, person_of
from gdpr.admin_base import OVER, WEEK, DueFilter, Pages, day, masked, name
from gdpr.models import ConsentEvent, ErasureRequest, LegalHold, Receipt
from gdpr.states import RequestState

if TYPE_CHECKING:
    # Django's classes take parameters in the stubs only.
    Requests = admin.ModelAdmin[ErasureRequest]
    Receipts = admin.ModelAdmin[Receipt]
    Holds = admin.ModelAdmin[LegalHold]
    Consents = admin.ModelAdmin[ConsentEvent]
else:
    Requests = Receipts = Holds = Consents = admin.ModelAdmin

# Services are loaded when a page needs them: every command imports this module.

APPROVE = "gdpr.approve_erasurerequest"


@admin.register(ErasureRequest)
class ErasureRequestAdmin(Pages, Requests):
    """Demands for erasure, the next deadline first."""

    list_display = ("short", "shown_state", "due", "filer", "approval", "subject")
    list_filter = (DueFilter, "state")
    search_fields = ("reference__startswith",)
    search_help_text = _("Reference, or the beginning of it")
    list_per_page = 50
    show_full_result_count = False
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm pages."""
        own = [self.address(act, self.decide, act=act) for act in ("approve", "reject", "hold")]
        return own + super().get_urls()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let whoever may decide look, too."""
        return super().has_view_permission(request, obj) or request.user.has_perm(APPROVE)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a request: how far it is, what would happen, what did, and what can be decided."""
        from gdpr import pages

        shown: ErasureRequest = self.found(request, object_id)
        context = {
            **self.context_of(request, shown, str(_("Erasure request %s") % self.short(shown))),
            "state": self.shown_state(shown),
            "subject": self.subject(shown),
            "filer": self.filer(shown),
            "approver": name(shown.approved_by_id),
            "due": self.due(shown),
            "stages": pages.stages(shown),
            "plan": pages.plan_by_store(shown),
            "untouched": pages.untouched(shown),
            "steps": pages.steps_by_store(shown),
            "holds": pages.active_holds(shown),
            "timeline": pages.timeline(shown),
            "decisions": pages.decisions(shown, person_of(request)),
        }
        return TemplateResponse(request, "admin/gdpr/request.html", context)

    def decide(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Ask for the reason of a decision, and have it taken; only a POST decides."""
        from gdpr import pages

        shown: ErasureRequest = self.found(request, object_id)
        offered = {one.name: one for one in pages.decisions(shown, person_of(request))}
        form = self._form(request, shown, act)
        if request.method == "POST" and form.is_valid():
            return self._take(request, shown, act, form.cleaned_data)
        context = {
            **self.context_of(request, shown, str(_("Erasure request %s") % self.short(shown))),
            "form": form,
            "act": act,
            "subject": self.subject(shown),
            "filer": self.filer(shown),
            "hindrance": offered[act].hindrance if act in offered else _("Its state doesn't allow that."),
        }
        return TemplateResponse(request, "admin/gdpr/decide.html", context)

    def _form(self, request: HttpRequest, shown: ErasureRequest, act: str) -> forms.Form:
        from gdpr import pages
        from gdpr.forms import ApproveForm, HoldForm, RejectForm

        sent = request.POST if request.method == "POST" else None
        if act == "approve":
            # The digest of the plan that stood on the page with the button.
            return ApproveForm(sent, initial={"digest": request.GET.get("digest", shown.plan_digest)})
        return RejectForm(sent) if act == "reject" else HoldForm(sent, entries=pages.entries_of(shown))

    def _take(
        self, request: HttpRequest, shown: ErasureRequest, act: str, answer: dict[str, Any]
    ) -> HttpResponse:
        from gdpr import pages

        person = person_of(request)
        said = pages.SAID[act]
        return self.have_done(request, lambda: pages.TAKE[act](shown, person, answer), said, shown)

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
        if shown.state in OVER:
            return "-"
        days = (shown.due_at - timezone.now()).days
        if days < 0:
            return chip("overdue", ngettext("%d day late", "%d days late", -days) % -days)
        left = ngettext("in %d day", "in %d days", days) % days
        return chip("soon", left) if days < WEEK.days else left

    @admin.display(description=_("person"))
    def subject(self, shown: ErasureRequest) -> str:
        """Show the person masked."""
        return masked(shown.subject_kind, shown.subject_tag)

    @admin.display(description=_("filed by"))
    def filer(self, shown: ErasureRequest) -> str:
        """Show who filed it."""
        return name(shown.filed_by_id)

    @admin.display(description=_("approved by"))
    def approval(self, shown: ErasureRequest) -> str:
        """Show who approved it, or that somebody has to."""
        if shown.state == RequestState.PLANNED:
            return str(_("none yet"))
        return name(shown.approved_by_id)


@admin.register(Receipt)
class ReceiptAdmin(Pages, Receipts):
    """What was read back from the stores, signed."""

    list_display = ("short", "kind", "of_request", "made")
    list_filter = ("kind", "made_at")
    search_fields = ("reference__startswith", "request__reference__startswith")
    search_help_text = _("Reference of the receipt or of the request, or the beginning of it")
    list_select_related = ("request",)
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Add the page to print, and the document."""
        own = [self.address("print", self.printed), self.address("json", self.downloaded)]
        return own + super().get_urls()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a receipt with the outcome of checking its signature."""
        from gdpr import pages

        shown: Receipt = self.found(request, object_id)
        signer, fault = pages.signature(shown)
        title = str(_("Receipt %s") % self.short(shown))
        context = {**self.context_of(request, shown, title), "signer": signer, "fault": fault}
        return TemplateResponse(request, "admin/gdpr/receipt.html", context)

    def printed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the page to print."""
        from gdpr.services import receipts

        return HttpResponse(receipts.render_html(self.found(request, object_id)))

    def downloaded(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the signed document as a file."""
        from gdpr.services import receipts

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


@admin.register(LegalHold)
class LegalHoldAdmin(Pages, Holds):
    """Reasons to keep data for the time being."""

    list_display = ("short", "shown_state", "reason", "scope", "subject", "placer", "review")
    list_filter = ("reason", ("released_at", admin.EmptyFieldListFilter))
    search_fields = ("reference__startswith",)
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm page."""
        return [self.address("release", self.release), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a hold, and its release."""
        shown: LegalHold = self.found(request, object_id)
        return TemplateResponse(request, "admin/gdpr/hold.html", self._hold_context(request, shown))

    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Release a hold; only a POST does."""
        from gdpr.services import holds

        shown: LegalHold = self.found(request, object_id)
        if request.method == "POST":
            said = _("The hold is released.")
            return self.have_done(
                request, lambda: holds.release_hold(shown, by=person_of(request)), said, shown
            )
        context = {**self._hold_context(request, shown), "confirm": True}
        return TemplateResponse(request, "admin/gdpr/hold.html", context)

    def _hold_context(self, request: HttpRequest, shown: LegalHold) -> dict[str, Any]:
        from gdpr import pages

        return {
            **self.context_of(request, shown, str(_("Legal hold %s") % self.short(shown))),
            "state": self.shown_state(shown),
            "scope": self.scope(shown),
            "subject": self.subject(shown),
            "placer": self.placer(shown),
            "releaser": name(shown.released_by_id),
            "decision": pages.release(shown, person_of(request)),
        }

    @admin.display(description=_("hold"), ordering="reference")
    def short(self, shown: LegalHold) -> str:
        """Show the beginning of the reference."""
        return str(shown.reference)[:8]

    @admin.display(description=_("state"))
    def shown_state(self, shown: LegalHold) -> SafeString:
        """Show whether it counts."""
        released = shown.released_at is not None
        return chip("cancelled", str(_("released"))) if released else chip("blocked_hold", str(_("active")))

    @admin.display(description=_("what is held"), ordering="entry")
    def scope(self, shown: LegalHold) -> str:
        """Show what it covers."""
        return str(shown.entry) or str(_("everything"))

    @admin.display(description=_("person"))
    def subject(self, shown: LegalHold) -> str:
        """Show the person masked."""
        return masked(shown.subject_kind, shown.subject_tag)

    @admin.display(description=_("placed by"))
    def placer(self, shown: LegalHold) -> str:
        """Show who placed it."""
        return name(shown.placed_by_id)

    @admin.display(description=_("review due"), ordering="review_at")
    def review(self, shown: LegalHold) -> str:
        """Show when somebody has to look again."""
        return day(shown.review_at)


@admin.register(ConsentEvent)
class ConsentEventAdmin(Pages, Consents):
    """What happened to consents, newest first."""

    list_display = ("happened", "purpose", "shown_type", "subject", "notice", "method", "channel")
    list_filter = ("type", "purpose", "method")
    search_fields = ("reference__startswith",)
    list_select_related = ("notice",)
    ordering = ("-at", "-pk")
    actions = None
    fields = (
        ("reference", "subject", "shown_type"),
        ("purpose", "notice", "explicit"),
        ("method", "channel"),
        ("at", "valid_until"),
        ("number", "previous_hash", "hash"),
    )
    readonly_fields = ("reference", "subject", "shown_type")

    @admin.display(description=_("at"), ordering="at")
    def happened(self, shown: ConsentEvent) -> str:
        """Show when, short enough for a list."""
        return day(shown.at)

    @admin.display(description=_("event"), ordering="type")
    def shown_type(self, shown: ConsentEvent) -> SafeString:
        """Show the event as a chip."""
        return chip(shown.type, shown.get_type_display())

    @admin.display(description=_("person"))
    def subject(self, shown: ConsentEvent) -> str:
        """Show the person masked."""
        return masked(shown.subject_kind, shown.subject_tag)
