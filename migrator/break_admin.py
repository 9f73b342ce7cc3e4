"""The pages of what ran without approval, and of its review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accord import conf
from accord.admin_parts import OfferedDecision, Pages, person_of
from accord.display import chip, day
from accord.errors import AccordError
from accord.wording import worded
from migrator.forms import DecisionForm
from migrator.models import BreakGlass

APPROVE = "migrator.approve_planapproval"
REVIEW = OfferedDecision(
    name="review",
    label=_("Review…"),
    submit=_("Note the review"),
    explains=_(
        "Say what you found when you looked at what ran. Until another person has, nothing else runs in this "
        "environment."
    ),
    leads=True,
)


@admin.register(BreakGlass)
class BreakGlassAdmin(Pages):
    """What ran without approval, newest first."""

    list_display = ("short", "shown_state", "kind", "size", "by", "at")
    list_filter = ("environment", ("reviewed_at", admin.EmptyFieldListFilter))
    search_fields = ("reference__startswith", "run_id", "digest")
    page_template = "admin/migrator/breakglass/page.html"
    empty_says = _(
        "Nothing has ever run without approval. “migrate_all --break-glass” does, in an emergency."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm page."""
        return [self.address("review", self.review), *super().get_urls()]

    def has_view_permission(self, request: HttpRequest, obj: BreakGlass | None = None) -> bool:
        """Allow accounts that may review to look, too."""
        return super().has_view_permission(request, obj) or request.user.has_perm(APPROVE)

    def title_of(self, shown: BreakGlass) -> str:
        """Name a run."""
        return str(_("Run without approval %s") % shown.short)

    def facts(self, request: HttpRequest, shown: BreakGlass) -> dict[str, Any]:
        """Show what ran, why, and what was said to it."""
        return {
            "run": shown,
            "state": self.shown_state(shown),
            "account": self.by(shown),
            "reviewer": _name_of(shown.reviewer_key),
        }

    def decisions(self, request: HttpRequest, shown: BreakGlass) -> Sequence[OfferedDecision]:
        """Offer the review of one that waits for it."""
        return () if shown.reviewed_at else (replace(REVIEW, hindrance=_hindrance(request, shown)),)

    def review(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask what was found, and note it; only a POST does."""
        from migrator.governance.break_glass import Breaks

        shown: BreakGlass = self.found(request, object_id)
        form, person = DecisionForm(request.POST or None), person_of(request)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            return self.have_done(
                request,
                lambda: Breaks(conf.load()).review(shown.reference, person, reason),
                _("The review is noted."),
                shown,
            )
        decision = replace(REVIEW, hindrance=_hindrance(request, shown))
        context = {**self.asking(request, shown, decision, form), **self.facts(request, shown)}
        return TemplateResponse(request, "admin/migrator/breakglass/review.html", context)

    @admin.display(description=_("reference"), ordering="reference")
    def short(self, shown: BreakGlass) -> str:
        """Show as much of the reference as a command needs."""
        return shown.short

    @admin.display(description=_("state"), ordering="reviewed_at")
    def shown_state(self, shown: BreakGlass) -> SafeString:
        """Show whether it waits for its review."""
        if shown.reviewed_at:
            return chip("approved", str(_("reviewed")))
        return chip("overdue", str(_("waits for its review")))

    @admin.display(description=_("steps"))
    def size(self, shown: BreakGlass) -> int:
        """Count its steps."""
        return len(shown.steps)

    @admin.display(description=_("by"))
    def by(self, shown: BreakGlass) -> str:
        """Name who had it run."""
        return _name_of(shown.account_key)

    @admin.display(description=_("went ahead"), ordering="broken_at")
    def at(self, shown: BreakGlass) -> str:
        """Show when."""
        return day(shown.broken_at)


def _name_of(key: str) -> str:
    # Loaded here, as below: every command imports this module.
    from migrator.governance import people

    return people.name_of(key)


def _hindrance(request: HttpRequest, shown: BreakGlass) -> str:
    """Describe why this person can't review it; empty when they can."""
    from migrator.governance import people
    from migrator.governance.break_glass import Breaks

    try:
        person = person_of(request)
        people.require(person, APPROVE)
        Breaks(conf.load()).refuse_own(shown, person)
    except AccordError as exc:
        return worded(exc.message)
    return ""
