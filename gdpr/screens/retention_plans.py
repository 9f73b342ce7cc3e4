"""Plans of retention in the admin: what waits for a second person, and the yes or no to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accord.admin_parts import OfferedDecision, person_of
from accord.display import chip
from accord.errors import AccordError
from accord.wording import worded
from gdpr.models import RetentionPlan
from gdpr.screens.base import GdprPages, name
from gdpr.screens.requests import APPROVE
from gdpr.states import RetentionPlanState

if TYPE_CHECKING:
    from accord.acting import Account

# Services are loaded when a page needs them: every command imports this module.

DECISIONS = {
    "approve": OfferedDecision(
        name="approve",
        label=_("Approve…"),
        submit=_("Approve this plan"),
        explains=_(
            "Once approved, the next run of gdpr_retention lets it go: what has run out by the day of the "
            "plan, and no more rows than it says. What is gone can't be brought back. If more has run out "
            "by that day, the approval is void."
        ),
        leads=True,
    ),
    "reject": OfferedDecision(
        name="reject",
        label=_("Reject…"),
        submit=_("Reject this plan"),
        explains=_(
            "Nothing of it goes, and the next run of gdpr_retention asks anew: what has to stay needs a "
            "legal hold, or another term in the data map."
        ),
    ),
}
_SAID = {
    "approve": _("Approved. The next run of gdpr_retention carries it out."),
    "reject": _("Rejected. Nothing of it goes."),
}


@admin.register(RetentionPlan)
class RetentionPlanAdmin(GdprPages):
    """What has run out by a day, and what a second person decided; the newest first."""

    list_display = ("short", "shown_state", "day", "scope", "rows", "planner")
    list_filter = ("state",)
    search_fields = ("reference__startswith",)
    search_help_text = _("Reference, or the beginning of it")
    page_template = "admin/gdpr/retention_plan.html"
    empty_says = _(
        "No plan was made yet. Where the policy asks for a second person, gdpr_retention makes one of "
        "what has run out, and lets nothing go before it is approved."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm pages."""
        return [*(self.address(act, self.decide, act=act) for act in DECISIONS), *super().get_urls()]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow whoever may decide to look, too."""
        return super().has_view_permission(request, obj) or request.user.has_perm(APPROVE)

    def title_of(self, shown: RetentionPlan) -> str:
        """Name a plan."""
        return str(_("Plan of retention %s") % self.short(shown))

    def facts(self, request: HttpRequest, shown: RetentionPlan) -> dict[str, Any]:
        """Show a plan: what goes by which term, who had it made, who decided."""
        from gdpr.screens import retention_context

        return {
            "state": self.shown_state(shown),
            "scope": self.scope(shown),
            "planner": self.planner(shown),
            "decider": name(shown.decided_by_id),
            "terms": retention_context.planned(shown),
            "rows": self.rows(shown),
        }

    def decisions(self, request: HttpRequest, shown: RetentionPlan) -> Sequence[OfferedDecision]:
        """Offer the yes and the no while a plan waits."""
        if shown.state != RetentionPlanState.WAITING:
            return ()
        return [_described(one, shown, person_of(request)) for one in DECISIONS.values()]

    def decide(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Ask, and have it decided; only a POST decides. What a reference stands for never changes."""
        from gdpr.retention import deciding

        shown: RetentionPlan = self.found(request, object_id)
        person, form = person_of(request), _form(act, request)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data.get("reason", "")
            acts = {
                "approve": lambda: deciding.approve(shown, by=person),
                "reject": lambda: deciding.reject(shown, by=person, reason=reason),
            }
            # What the services return is the plan, and no words.
            return self.have_done(request, acts[act], _SAID[act], shown)
        context = {
            **self.asking(request, shown, _described(DECISIONS[act], shown, person), form),
            **self.facts(request, shown),
        }
        return TemplateResponse(request, "admin/gdpr/retention_plan_decide.html", context)

    @admin.display(description=_("reference"), ordering="reference")
    def short(self, shown: RetentionPlan) -> str:
        """Show as much of the reference as a command needs."""
        return str(shown.reference)[:8]

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, shown: RetentionPlan) -> SafeString:
        """Show the state as a chip."""
        return chip(shown.state, shown.get_state_display())

    @admin.display(description=_("entry"), ordering="entry")
    def scope(self, shown: RetentionPlan) -> str:
        """Show what it covers."""
        return str(shown.entry) or str(_("everything"))

    @admin.display(description=_("goes"))
    def rows(self, shown: RetentionPlan) -> int:
        """Count what it lets go."""
        from gdpr.retention import plans

        return plans.total(shown.document)

    @admin.display(description=_("Planned by"))
    def planner(self, shown: RetentionPlan) -> str:
        """Show who had it made: where it was a run by cron, nobody."""
        return name(shown.planned_by_id)


def _form(act: str, request: HttpRequest) -> forms.Form:
    from gdpr.screens.forms import DecisionForm

    sent = request.POST if request.method == "POST" else None
    return DecisionForm(sent) if act == "reject" else forms.Form(sent)


def _described(decision: OfferedDecision, plan: RetentionPlan, person: Account) -> OfferedDecision:
    from gdpr.retention import deciding

    try:
        deciding.require_decidable(plan, person)
    except AccordError as exc:
        return replace(decision, hindrance=worded(exc.message))
    return decision
