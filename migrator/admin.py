"""The journal in the admin: read-only, because it is history."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from migrator.models import Outcome, Run, StepRun

if TYPE_CHECKING:
    # Django's classes take parameters in the stubs only.
    StepRuns = admin.TabularInline[StepRun, Run]
    Runs = admin.ModelAdmin[Run]
else:
    StepRuns, Runs = admin.TabularInline, admin.ModelAdmin

MINUTE = 60


class ReadOnly:
    """Nobody adds, changes or deletes what happened."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def chip(outcome: str, label: str) -> SafeString:
    """Show an outcome as a word in a coloured frame; the word says it, the colour helps."""
    return format_html('<span class="outcome outcome-{}">{}</span>', outcome, label)


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

    list_display = ("id", "kind", "shown_outcome", "environment", "progress", "started_at", "lasted")
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

    @admin.display(description=_("steps"))
    def progress(self, run: Run) -> str:
        """Show how many steps are done, of how many."""
        return f"{getattr(run, 'done', 0)} / {run.planned}"

    @admin.display(description=_("lasted"))
    def lasted(self, run: Run) -> str:
        """Show how long the run took."""
        return duration((run.finished_at - run.started_at).total_seconds() if run.finished_at else None)
