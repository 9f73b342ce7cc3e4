"""Addresses of the site: its own page, and the admin where there is one."""

from __future__ import annotations

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import URLPattern, URLResolver, include, path

from tests.projects.stranger.settings import STRANGER_SITES


def home(_request: HttpRequest) -> HttpResponse:
    """Render a template, as any page does."""
    return HttpResponse(engines["django"].from_string("{{ greeting }}").render({"greeting": "hello"}))


urlpatterns: list[URLPattern | URLResolver] = [path("", home)]
if apps.is_installed("rest_framework"):
    from tests.projects.stranger.api import Own

    urlpatterns += [
        path("api/v1/", include("gdpr.api.urls")),
        path("api/v1/", include("migrator.api.urls")),
        path("api/v1/", include("accord.api.urls")),
        path("own/", Own.as_view()),
    ]
if apps.is_installed("django.contrib.admin"):
    from django.contrib import admin

    if "admin" in STRANGER_SITES:
        urlpatterns.append(path("admin/", admin.site.urls))
    if "backoffice" in STRANGER_SITES:
        from tests.projects.stranger.sites import backoffice

        urlpatterns.append(path("backoffice/", backoffice.urls))
