"""Retention in the admin: what has a term, what has run out by it, and the last runs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from accord.admin_parts import refused
from gdpr.models import RetentionPlan, RetentionRun
from gdpr.screens.base import GdprPages
from gdpr.screens.retention_plans import RetentionPlanAdmin

_COUNTED = 1_000
"""Rows of each term that the page counts at most."""
_RUNS = 50


@admin.register(RetentionRun)
class RetentionRunAdmin(GdprPages):
    """One page: the terms of the data map with what is due by each, and what the last runs did."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Count what is due by each term, and list the last runs. A store that is away is said to be."""
        from gdpr.errors import InvalidDataMap
        from gdpr.screens import retention_context

        if not self.has_view_permission(request):
            raise refused(request)
        context = {
            **self.context_of(request, None, str(_("Retention"))),
            "list_url": "",
            "plans": self._plans(request),
            "runs": RetentionRun.objects.all()[:_RUNS],
        }
        try:
            context |= {"lines": retention_context.lines(_COUNTED), "by_words": retention_context.by_words()}
        except InvalidDataMap as exc:
            context["fault"] = exc
        return TemplateResponse(request, "admin/gdpr/retention.html", context)

    def _plans(self, request: HttpRequest) -> list[dict[str, Any]]:
        """List the plans that are open, with their page for those who may see it."""
        from gdpr.retention import plans

        pages = RetentionPlanAdmin(RetentionPlan, self.admin_site)
        may_see = pages.has_view_permission(request)
        return [
            {
                "url": pages.page_of(plan) if may_see else "",
                "short": pages.short(plan),
                "scope": pages.scope(plan),
                "rows": pages.rows(plan),
                "state": pages.shown_state(plan),
                "day": plan.day,
                "expires_at": plan.expires_at,
            }
            for plan in plans.open_plans()
        ]
