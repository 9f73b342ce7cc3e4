"""Recipients in the admin: who is declared, who was told of what, and what waits for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accord.admin_parts import OfferedDecision, person_of
from accord.display import chip, day
from gdpr.models import ErasureRequest, RecipientNotice, Restriction, RightsRequest
from gdpr.screens.base import GdprPages, hindered, name
from gdpr.states import NoticeKind, NoticeState

# Services are loaded when a page needs them: every command imports this module.

EXECUTE = "gdpr.execute_erasurerequest"
TONES = {
    NoticeState.WAITING: "retry_wait",
    NoticeState.INFORMED: "completed",
    NoticeState.BY_HAND: "needs_operator",
    NoticeState.LATER: "planned",
    NoticeState.NEEDLESS: "cancelled",
}
DECISIONS: Mapping[str, OfferedDecision] = {
    "retry": OfferedDecision(
        name="retry",
        label=_("Try again…"),
        submit=_("Try again"),
        explains=_("The next run of gdpr_process sends this notice once more, under the same number."),
        leads=True,
    ),
    "told": OfferedDecision(
        name="told",
        label=_("Told by hand…"),
        submit=_("Confirm that the recipient was told"),
        explains=_(
            "You vouch that the recipient was told. Who it was about isn't kept any more then. The page of "
            "the request says which erasure it is."
        ),
    ),
}
CAUSES: Mapping[NoticeKind, Any] = {
    NoticeKind.ERASURE: ErasureRequest,
    NoticeKind.RECTIFICATION: RightsRequest,
    NoticeKind.RESTRICTION: Restriction,
    NoticeKind.LIFTING: Restriction,
}
SAID = {
    "retry": _("It is due now. The next run of gdpr_process sends it."),
    "told": _("Noted. The recipient counts as told."),
}


@admin.register(RecipientNotice)
class RecipientNoticeAdmin(GdprPages):
    """What recipients are told, the newest first."""

    list_display = ("short", "recipient", "kind", "shown_state", "entered", "informed")
    list_filter = ("state", "recipient")
    search_fields = ("reference__startswith", "cause__startswith")
    search_help_text = _("Reference of the notice or of the request, or the beginning of it")
    change_list_template = "admin/gdpr/recipients.html"
    page_template = "admin/gdpr/recipient_notice.html"
    empty_says = _(
        "No recipient had to be told of anything yet. RECIPIENTS in the privacy.py of an app declares who "
        "gets data; they are told once an erasure is complete."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm pages."""
        return [self.address(act, self.decide, act=act) for act in DECISIONS] + super().get_urls()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow whoever may act to look, too."""
        return super().has_view_permission(request, obj) or request.user.has_perm(EXECUTE)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show who is declared above the list of notices."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        from gdpr.notices import declared

        return super().changelist_view(request, {"declared": declared.recipients(), **(extra_context or {})})

    def title_of(self, shown: RecipientNotice) -> str:
        """Name a notice."""
        return str(_("Notice %s") % self.short(shown))

    def facts(self, request: HttpRequest, shown: RecipientNotice) -> dict[str, Any]:
        """Show a notice, with what it tells of."""
        return {
            "state": self.shown_state(shown),
            "cause_url": self._cause_url(shown),
            "by_hand": name(shown.informed_by_id) if shown.informed_by_id else "",
        }

    def _cause_url(self, shown: RecipientNotice) -> str:
        """Return the address of what it tells of; empty where that is gone."""
        model = CAUSES[NoticeKind(shown.kind)]
        cause = model.objects.filter(reference=shown.cause).first()
        name = f"{self.admin_site.name}:gdpr_{model._meta.model_name}_change"
        return reverse(name, args=[cause.pk]) if cause else ""

    def decisions(self, request: HttpRequest, shown: RecipientNotice) -> Sequence[OfferedDecision]:
        """Offer what can be done about a recipient that isn't told yet."""
        if shown.state not in (NoticeState.WAITING, NoticeState.BY_HAND):
            return ()
        offered = [one for one in DECISIONS if one != "retry" or shown.sealed_person is not None]
        return [self._offered(one, request) for one in offered]

    def _offered(self, act: str, request: HttpRequest) -> OfferedDecision:
        return hindered(DECISIONS[act], person_of(request), EXECUTE)

    def decide(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Have it tried again, or note that it is done; only a POST does."""
        from gdpr.notices import delivery

        shown: RecipientNotice = self.found(request, object_id)
        person = person_of(request)
        service = delivery.retry if act == "retry" else delivery.confirm
        if request.method == "POST":
            return self.have_done(request, lambda: service(shown, by=person), SAID[act], shown)
        context = {**self.asking(request, shown, self._offered(act, request)), **self.facts(request, shown)}
        return TemplateResponse(request, "admin/gdpr/recipient_decide.html", context)

    @admin.display(description=_("reference"), ordering="reference")
    def short(self, shown: RecipientNotice) -> str:
        """Show the beginning of the reference."""
        return str(shown.reference)[:8]

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, shown: RecipientNotice) -> SafeString:
        """Show the state as a chip."""
        return chip(TONES[NoticeState(shown.state)], shown.get_state_display())

    @admin.display(description=_("entered"), ordering="entered_at")
    def entered(self, shown: RecipientNotice) -> str:
        """Show since when it is to be told."""
        return day(shown.entered_at)

    @admin.display(description=_("informed"), ordering="informed_at")
    def informed(self, shown: RecipientNotice) -> str:
        """Show when it was told."""
        return day(shown.informed_at)
