"""The data map in the admin: where personal data are, and whether anything is missing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from accord.admin_parts import refused
from gdpr.models import DataMap
from gdpr.screens.base import GdprPages


@admin.register(DataMap)
class DataMapAdmin(GdprPages):
    """One page: what every app declares, held against the live stores."""

    def get_urls(self) -> list[URLPattern]:
        """Add the same as JSON."""
        return [self.address("json", self.as_json, of_row=False), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the map by store, with what is wrong. A store that is unavailable is said to be."""
        from gdpr import coverage
        from gdpr.datamap.map import load_data_map
        from gdpr.errors import InvalidDataMap
        from gdpr.screens import datamap_context

        self._require(request)
        context = {**self.context_of(request, None, str(_("Data map"))), "list_url": ""}
        try:
            seen = coverage.look(load_data_map())
        except InvalidDataMap as exc:
            context["fault"] = exc
        else:
            context |= {
                "coverage": seen,
                "percent": datamap_context.percent(seen.classified, seen.total),
                "sections": datamap_context.sections(seen),
                "json_url": self.url("json"),
            }
        return TemplateResponse(request, "admin/gdpr/datamap.html", context)

    def as_json(self, request: HttpRequest) -> HttpResponse:
        """Return the map and what is wrong with it as a document."""
        from gdpr import coverage
        from gdpr.datamap.map import load_data_map

        self._require(request)
        document = coverage.coverage_document(coverage.look(load_data_map()))
        return JsonResponse(document, json_dumps_params={"indent": 2, "ensure_ascii": False})

    def _require(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise refused(request)
