"""Legal holds in the admin: whose data stay for the time being, why, and until somebody looks again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accord.admin_parts import OfferedDecision, person_of
from accord.display import chip, day
from gdpr.models import LegalHold
from gdpr.screens.base import CountsFilter, GdprPages, masked, name

# Services are loaded when a page needs them: every command imports this module.


class HeldFilter(CountsFilter):
    """Whether a hold still holds."""

    ended, over = "released_at", _("released")


@admin.register(LegalHold)
class LegalHoldAdmin(GdprPages):
    """Reasons to keep data for the time being."""

    list_display = ("short", "shown_state", "reason", "scope", "subject", "placer", "review")
    list_filter = (HeldFilter, "reason")
    search_fields = ("reference__startswith",)
    search_help_text = _("Reference, or the beginning of it")
    change_list_template = "admin/gdpr/hold_change_list.html"
    page_template = "admin/gdpr/hold.html"
    empty_says = _(
        "Nothing is held. “Place hold…” on the page of an erasure request stops it; "
        "“gdpr_hold place KEY” holds the data of somebody who has not asked to be erased."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm page."""
        return [self.address("release", self.release), *super().get_urls()]

    def title_of(self, shown: LegalHold) -> str:
        """Name a hold."""
        return str(_("Legal hold %s") % self.short(shown))

    def facts(self, request: HttpRequest, shown: LegalHold) -> dict[str, Any]:
        """Show a hold."""
        return {
            "state": self.shown_state(shown),
            "scope": self.scope(shown),
            "subject": self.subject(shown),
            "placer": self.placer(shown),
            "releaser": name(shown.released_by_id),
        }

    def decisions(self, request: HttpRequest, shown: LegalHold) -> Sequence[OfferedDecision]:
        """Offer the release of a hold that counts."""
        from gdpr.screens import request_context

        return () if shown.released_at else (request_context.release(shown, person_of(request)),)

    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Release a hold; only a POST does."""
        from gdpr.erasure import holds
        from gdpr.screens import request_context

        shown: LegalHold = self.found(request, object_id)
        person = person_of(request)
        if request.method == "POST":
            said = _("The hold is released.")
            return self.have_done(request, lambda: holds.release_hold(shown, by=person), said, shown)
        decision = request_context.release(shown, person)
        context = {**self.asking(request, shown, decision), **self.facts(request, shown)}
        return TemplateResponse(request, "admin/gdpr/release.html", context)

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
    def subject(self, shown: LegalHold) -> SafeString:
        """Show the person masked."""
        return masked(shown.subject_kind, shown.subject_tag)

    @admin.display(description=_("placed by"))
    def placer(self, shown: LegalHold) -> str:
        """Show who placed it."""
        return name(shown.placed_by_id)

    @admin.display(description=_("review due"), ordering="review_at")
    def review(self, shown: LegalHold) -> str:
        """Show when an account has to look again."""
        return day(shown.review_at)
