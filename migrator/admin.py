"""The journal in the admin, read-only, because it is history; and the pages where plans are approved."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accord.admin_parts import ReadOnly, chip, person_of
from accord.errors import AccordError
from migrator.models import ApprovalState, Attestation, Outcome, PlanApproval, Run, StepRun

if TYPE_CHECKING:
    from migrator.governance.approvals import Approvals

    # Django's classes take parameters in the stubs only.
    StepRuns = admin.TabularInline[StepRun, Run]
    Runs = admin.ModelAdmin[Run]
    PlanApprovals = admin.ModelAdmin[PlanApproval]
    AttestationModels = admin.ModelAdmin[Attestation]
else:
    StepRuns, Runs = admin.TabularInline, admin.ModelAdmin
    PlanApprovals = AttestationModels = admin.ModelAdmin

MINUTE = 60
APPROVE = "migrator.approve_planapproval"
OPEN = (ApprovalState.REQUESTED, ApprovalState.APPROVED)


def duration(seconds: float | None) -> str:
    """Write a duration for people; a dash where it isn't known."""
    if seconds is None:
        return "-"
    return f"{seconds:.2f} s" if seconds < MINUTE else str(timedelta(seconds=round(seconds)))


class StepRunInline(ReadOnly, StepRuns):
    """The steps of a run, in the order of its plan."""

    model = StepRun
    template = "admin/migrator/run/steps.html"
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[StepRun]:
        return super().get_queryset(request).order_by("position")


@admin.register(Run)
class RunAdmin(ReadOnly, Runs):
    """Runs, newest first."""

    list_display = ("id", "shown_outcome", "kind", "progress", "lasted", "started")
    list_filter = ("outcome", "kind", "environment", "started_at")
    search_fields = ("id", "digest", "steps__name", "steps__app")
    search_help_text = _("Run, plan digest, app or step")
    date_hierarchy = "started_at"
    list_per_page = 50
    inlines = (StepRunInline,)
    fieldsets = (
        (
            None,
            {"fields": (("shown_outcome", "kind", "environment"), ("started_at", "finished_at", "lasted"))},
        ),
        (_("What ended it"), {"fields": ("error_code", "error"), "classes": ("run-error",)}),
        (_("Identity"), {"fields": ("id", "digest", "fence", "owner", "planned"), "classes": ("collapse",)}),
    )
    readonly_fields = ("shown_outcome", "lasted")

    class Media:
        """The colours of outcomes."""

        css = {"all": ("migrator/journal.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        done = Count("steps", filter=Q(steps__outcome=Outcome.SUCCEEDED))
        return super().get_queryset(request).annotate(done=done)

    def get_fieldsets(self, request: HttpRequest, obj: Run | None = None) -> Any:
        """Leave out what ended the run where nothing did."""
        shown = super().get_fieldsets(request, obj)
        return (
            shown
            if obj is None or obj.error_code
            else [part for part in shown if part[0] != _("What ended it")]
        )

    @admin.display(description=_("outcome"), ordering="outcome")
    def shown_outcome(self, run: Run) -> SafeString:
        """Show the outcome as a chip."""
        return chip(run.outcome, run.get_outcome_display())

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, run: Run) -> str:
        """Show the start in few characters; the run page has it in full."""
        return f"{localtime(run.started_at):%Y-%m-%d %H:%M}"

    @admin.display(description=_("steps"))
    def progress(self, run: Run) -> str:
        """Show how many steps are done, of how many."""
        return f"{getattr(run, 'done', 0)} / {run.planned}"

    @admin.display(description=_("lasted"))
    def lasted(self, run: Run) -> str:
        """Show how long the run took."""
        return duration((run.finished_at - run.started_at).total_seconds() if run.finished_at else None)


class DecisionForm(forms.Form):
    """The reason that every decision needs."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 70, "autofocus": True}),
        help_text=_("Kept with the decision, for whoever reads it later. Name no private person."),
    )


@admin.register(PlanApproval)
class PlanApprovalAdmin(ReadOnly, PlanApprovals):
    """Plans that wait for another person, and what became of them."""

    list_display = (
        "short_reference",
        "shown_state",
        "expiry",
        "size",
        "kind",
        "asked_by",
        "asked_at",
    )
    list_filter = ("state", "environment", "kind")
    search_fields = ("reference", "digest", "reason", "run_id")
    search_help_text = _("Reference, plan digest, reason or run")
    date_hierarchy = "requested_at"
    list_per_page = 50

    class Media:
        """The colours of states."""

        css = {"all": ("migrator/journal.css", "migrator/approval.css")}

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm pages."""
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(self.decide),
                {"act": name},
                name=f"migrator_planapproval_{name}",
            )
            for name in ("approve", "reject")
        ]
        return own + super().get_urls()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a plan: its steps by store, what each would send, and what should be known."""
        from migrator.review import review

        approval = self._approval(request, object_id)
        context = {**self._context(request, approval), "review": review(approval)}
        return TemplateResponse(request, "admin/migrator/planapproval/page.html", context)

    def decide(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Ask for the reason of a decision, and take it; only a POST decides."""
        approval = self._approval(request, object_id)
        if not request.user.has_perm(APPROVE):
            raise PermissionDenied
        form = DecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._take(request, approval, act, form.cleaned_data["reason"])
        context = {**self._context(request, approval), "form": form, "act": act}
        return TemplateResponse(request, "admin/migrator/planapproval/decide.html", context)

    def _take(self, request: HttpRequest, approval: PlanApproval, act: str, reason: str) -> HttpResponse:
        approvals = _approvals()
        decision = approvals.approve if act == "approve" else approvals.reject
        try:
            decided = decision(approval.reference, person_of(request), reason)
        except AccordError as exc:
            messages.error(request, f"{exc} {exc.hint}")
        else:
            said = ApprovalState(decided.state).label
            messages.success(request, _("Plan %(name)s: %(state)s.") % {"name": decided.short, "state": said})
        return HttpResponseRedirect(reverse("admin:migrator_planapproval_change", args=[approval.pk]))

    def _approval(self, request: HttpRequest, object_id: str) -> PlanApproval:
        approval = self.get_object(request, object_id)
        if approval is None:
            raise Http404
        if not self.has_view_permission(request, approval) and not request.user.has_perm(APPROVE):
            raise PermissionDenied
        return approval

    def _context(self, request: HttpRequest, approval: PlanApproval) -> dict[str, Any]:
        state = _approvals().state_of(approval)
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": _("Plan %(name)s") % {"name": approval.short},
            "approval": approval,
            "state": self.shown_state(approval),
            "requester": _name_of(approval.requester_key),
            "approver": _name_of(approval.approver_key),
            "undecided": state is ApprovalState.REQUESTED,
            "open": state in OPEN,
            "hindrance": _hindrance(request, approval),
        }

    def has_view_permission(self, request: HttpRequest, obj: PlanApproval | None = None) -> bool:
        """Let whoever may decide look, too."""
        return super().has_view_permission(request, obj) or request.user.has_perm(APPROVE)

    @admin.display(description=_("request"), ordering="reference")
    def short_reference(self, approval: PlanApproval) -> str:
        """Show as much of the reference as a command needs."""
        return approval.short

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, approval: PlanApproval) -> SafeString:
        """Show the state of this moment as a chip."""
        state = _approvals().state_of(approval)
        return chip(state.value, str(state.label))

    @admin.display(description=_("steps"))
    def size(self, approval: PlanApproval) -> str:
        """Show how many steps are done, of how many."""
        total = len(approval.steps)
        return f"{total - len(approval.remaining)} / {total}"

    @admin.display(description=_("asked by"))
    def asked_by(self, approval: PlanApproval) -> str:
        """Show who asked."""
        return _name_of(approval.requester_key)

    @admin.display(description=_("asked"), ordering="requested_at")
    def asked_at(self, approval: PlanApproval) -> str:
        """Show when it was asked for, short enough for a list."""
        return f"{localtime(approval.requested_at):%Y-%m-%d %H:%M}"

    @admin.display(description=_("expires"), ordering="expires_at")
    def expiry(self, approval: PlanApproval) -> str:
        """Show how long an open request still counts."""
        if _approvals().state_of(approval) not in OPEN:
            return "-"
        return str(_("in %(time)s") % {"time": timeuntil(approval.expires_at, timezone.now(), depth=1)})


@admin.register(Attestation)
class AttestationAdmin(ReadOnly, AttestationModels):
    """What other environments said that they ran."""

    list_display = ("environment", "run_id", "signer", "made_at", "kept_at")
    list_filter = ("environment", "signer")
    search_fields = ("run_id", "reference")


def _approvals() -> Approvals:
    # Loaded here, as below: every command imports this module, and few of them need governance.
    from migrator.engine.api import Migrations

    return Migrations().guard().approvals


def _name_of(key: str) -> str:
    from migrator.governance import people

    return people.name_of(key)


def _hindrance(request: HttpRequest, approval: PlanApproval) -> str:
    """Say why this person can't decide; empty when they can."""
    from migrator.governance import people

    try:
        person = person_of(request)
        people.require(person, APPROVE)
        _approvals().refuse_own(approval, person)
    except AccordError as exc:
        return exc.message
    return ""
