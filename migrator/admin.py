"""The journal in the admin, read-only, because it is history; and the pages where plans are approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext_lazy as _

from accord import clock, conf
from accord.admin_parts import OfferedDecision, Pages, ReadOnly, person_of
from accord.clock import SystemClock
from accord.display import chip, day, lasting
from accord.errors import AccordError
from accord.wording import worded
from migrator.admin_filters import TagFilter
from migrator.break_admin import BreakGlassAdmin
from migrator.decisions import DECISIONS, decision
from migrator.forms import DecisionForm, LosingForm
from migrator.models import (
    DRIFT,
    IDENTITY,
    ApprovalState,
    Attestation,
    PlanApproval,
    Run,
    RunOutcome,
    StepRun,
    Tag,
)

if TYPE_CHECKING:
    from migrator.governance.approvals import Approvals

    # Django's class takes parameters in the stubs only.
    StepRuns = admin.TabularInline[StepRun, Run]
else:
    StepRuns = admin.TabularInline

__all__ = ["BreakGlassAdmin"]
APPROVE = "migrator.approve_planapproval"
OPEN = (ApprovalState.REQUESTED, ApprovalState.APPROVED)


class StepRunInline(ReadOnly, StepRuns):
    """The steps of a run, in the order of its plan."""

    model = StepRun
    template = "admin/migrator/run/steps.html"
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[StepRun]:
        return super().get_queryset(request).order_by("position")


@admin.register(Run)
class RunAdmin(Pages):
    """Runs, newest first."""

    list_display = ("id", "shown_outcome", "kind", "progress", "lasted", "started", "tags")
    list_filter = ("outcome", "kind", TagFilter, "environment", "started_at")
    search_fields = ("id", "digest", "steps__name", "steps__app")
    search_help_text = _("Run, plan digest, app or step")
    date_hierarchy = "started_at"
    empty_says = _("Nothing has run yet. “migrate_all” plans and applies what is pending in every store.")
    inlines = (StepRunInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_outcome", "kind", "environment"),
                    ("started_at", "finished_at", "lasted"),
                    "tags",
                )
            },
        ),
        (_("What ended it"), {"fields": ("error_code", "error"), "classes": ("run-error",)}),
        (_("What it left"), {"fields": ("aftermath",), "classes": ("run-aftermath",)}),
        (_("Identity"), {"fields": ("id", "digest", "fence", "owner", "planned"), "classes": ("collapse",)}),
    )
    readonly_fields = ("shown_outcome", "lasted", "tags", "aftermath")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        # Loaded here, as below. Who looks at a run that was killed is not told that it is running.
        from migrator.engine import abandoned

        abandoned.close_dead(conf.load())
        done = Count("steps", filter=Q(steps__outcome=RunOutcome.SUCCEEDED))
        tagged = ArraySubquery(Tag.objects.filter(run_id=OuterRef("pk")).order_by("name").values("name"))
        runs: QuerySet[Run] = super().get_queryset(request).annotate(done=done, tagged=tagged)
        return runs

    def get_fieldsets(self, request: HttpRequest, obj: Run | None = None) -> Any:
        """Leave out what ended the run where nothing did, and what it left where it did everything."""
        unfit = set()
        if obj is not None and not obj.error_code:
            unfit.add(_("What ended it"))
        if obj is not None and obj.outcome not in (RunOutcome.FAILED, RunOutcome.INTERRUPTED):
            unfit.add(_("What it left"))
        return [part for part in super().get_fieldsets(request, obj) if part[0] not in unfit]

    @admin.display(description=_("outcome"), ordering="outcome")
    def shown_outcome(self, run: Run) -> SafeString:
        """Show the outcome as a chip."""
        return chip(run.outcome, run.get_outcome_display())

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, run: Run) -> str:
        """Show the start in few characters; the run page has it in full."""
        return day(run.started_at)

    @admin.display(description=_("steps"))
    def progress(self, run: Run) -> str:
        """Show how many steps are done, of how many."""
        return f"{getattr(run, 'done', 0)} / {run.planned}"

    @admin.display(description=_("tags"))
    def tags(self, run: Run) -> str:
        """Name the tags that were kept of where this run left the stores."""
        return ", ".join(getattr(run, "tagged", None) or ()) or "-"

    @admin.display(description=_("recovery"))
    def aftermath(self, run: Run) -> str:
        """Say what stands where, and the commands that lead on and back."""
        from migrator.engine.aftermath import aftermath_of

        found = aftermath_of(run)
        return render_to_string("admin/migrator/run/aftermath.html", {"aftermath": found}) if found else "-"

    @admin.display(description=_("lasted"))
    def lasted(self, run: Run) -> str:
        """Show how long the run took."""
        return lasting((run.finished_at - run.started_at).total_seconds() if run.finished_at else None)


@admin.register(PlanApproval)
class PlanApprovalAdmin(Pages):
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
    page_template = "admin/migrator/planapproval/page.html"
    empty_says = _(
        "No plan was submitted for approval. Where the policy asks for it, "
        "“migration_approval request” submits what migrate_all would do."
    )

    class Media:
        """How steps and statements look."""

        css = {"all": ("migrator/plan.css",)}

    def get_urls(self) -> list[URLPattern]:
        """Add the confirm pages."""
        return [self.address(act, self.decide, act=act) for act in DECISIONS] + super().get_urls()

    def title_of(self, shown: PlanApproval) -> str:
        """Name a plan."""
        return str(_("Plan %(name)s") % {"name": shown.short})

    def facts(self, request: HttpRequest, shown: PlanApproval) -> dict[str, Any]:
        """Show a plan: its steps by store, what each would send, and what should be known."""
        from migrator.review import review

        return {
            "approval": shown,
            "state": self.shown_state(shown),
            "requester": _name_of(shown.requester_key),
            "approver": _name_of(shown.approver_key),
            "open": _approvals().state_of(shown) in OPEN,
            "so_far": worded(_approvals().standing(shown)[shown.pk].words),
            "ends": _ends(shown),
            "review": review(shown),
        }

    def decisions(self, request: HttpRequest, shown: PlanApproval) -> Sequence[OfferedDecision]:
        """Return what can be decided about a plan as it stands, with what hinders this person."""
        state = _approvals().state_of(shown)
        if state not in OPEN:
            return ()
        given = _approvals().standing(shown)[shown.pk]
        asks = state is ApprovalState.REQUESTED or not given.is_enough
        offered = [*(("approve", "reject") if asks else ()), *(("take_back",) if given.given else ())]
        return [
            replace(decision(name, shown), hindrance=_hindrance(request, shown, name)) for name in offered
        ]

    def decide(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Ask for the reason of a decision, and take it; only a POST decides."""
        shown: PlanApproval = self.found(request, object_id)
        from migrator.review import review

        looked = review(shown)
        asks = act == "approve" and looked.needs_a_tick
        form = (LosingForm if asks else DecisionForm)(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._take(request, shown, act, form.cleaned_data)
        offered = {one.name: one for one in self.decisions(request, shown)}
        closed = replace(decision(act, shown), hindrance=str(_("Its state doesn't allow that.")))
        context = {
            **self.asking(request, shown, offered.get(act, closed), form),
            "approval": shown,
            "requester": _name_of(shown.requester_key),
            "review": looked,
            "reverts": looked.reverts,
            "drift": shown.kind == DRIFT,
            "identity": shown.kind == IDENTITY,
        }
        return TemplateResponse(request, "admin/migrator/planapproval/decide.html", context)

    def _take(
        self, request: HttpRequest, shown: PlanApproval, act: str, said: Mapping[str, Any]
    ) -> HttpResponse:
        from migrator.review import approve

        approvals, person, reason = _approvals(), person_of(request), said["reason"]

        def decided() -> str:
            if act == "approve":
                plan = approve(approvals, shown.reference, person, reason, seen=said.get("seen", False))
            elif act == "take_back":
                plan = approvals.revoke(shown.reference, person, reason)
            else:
                plan = approvals.reject(shown.reference, person, reason)
            told = {"name": plan.short, "state": ApprovalState(plan.state).label}
            return str(_("Plan %(name)s: %(state)s.") % told)

        return self.have_done(request, decided, "", shown)

    def has_view_permission(self, request: HttpRequest, obj: PlanApproval | None = None) -> bool:
        """Allow accounts that may decide to look, too."""
        return super().has_view_permission(request, obj) or request.user.has_perm(APPROVE)

    @admin.display(description=_("request"), ordering="reference")
    def short_reference(self, approval: PlanApproval) -> str:
        """Show as much of the reference as a command needs."""
        return approval.short

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, approval: PlanApproval) -> SafeString:
        """Show the state of this moment as a chip."""
        approvals = _approvals()
        state = approvals.state_of(approval)
        if state is not ApprovalState.REQUESTED or approvals.takes_one:
            return chip(state.value, str(state.label))
        return chip(state.value, f"{state.label}: {worded(approvals.standing(approval)[approval.pk].words)}")

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
        return day(approval.requested_at)

    @admin.display(description=_("expires"), ordering="expires_at")
    def expiry(self, approval: PlanApproval) -> str:
        """Show how long an open request still counts."""
        if _approvals().state_of(approval) not in OPEN:
            return "-"
        if not _ends(approval):
            return str(_("when ledger or file changes"))
        return str(_("in %(time)s") % {"time": timeuntil(approval.expires_at, clock.now(), depth=1)})


@admin.register(Attestation)
class AttestationAdmin(Pages):
    """What other environments said that they ran."""

    list_display = ("environment", "run_id", "signer", "made_at", "kept_at")
    list_filter = ("environment", "signer")
    search_fields = ("run_id", "reference")
    empty_says = _("No other environment has vouched for a run. A run on staging writes its attestation.")


def _approvals() -> Approvals:
    # Loaded here, as below: every command imports this module, and few of them need governance.
    from migrator.engine.gate import Gate

    return Gate(conf.load(), SystemClock()).approvals


def _ends(approval: PlanApproval) -> bool:
    from migrator.governance.acceptances import NO_END

    return clock.aware(approval.expires_at) < NO_END


def _name_of(key: str) -> str:
    from migrator.governance import people

    return people.name_of(key)


def _hindrance(request: HttpRequest, approval: PlanApproval, act: str) -> str:
    """Describe why this person can't decide so; empty when they can."""
    from migrator.governance import people

    try:
        person = person_of(request)
        people.require(person, APPROVE)
        wanted = ApprovalState.APPROVED if act == "approve" else ApprovalState.REJECTED
        _approvals().refuse_own(approval, person, wanted)
    except AccordError as exc:
        return worded(exc.message)
    return ""
