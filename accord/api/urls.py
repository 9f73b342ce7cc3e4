"""Addresses of the kernel's part of the API: `path("api/v1/", include("accord.api.urls"))`."""

from __future__ import annotations

from django.apps import apps
from django.urls import URLPattern, path

from accord.api.schema import DocsView, SchemaView
from accord.api.views import HealthView, TokenView

app_name = "accord-api"

urlpatterns: list[URLPattern] = [
    path("health/", HealthView.as_view(), name="health"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(url_name="accord-api:schema"), name="docs"),
]
if apps.is_installed("rest_framework.authtoken"):
    urlpatterns.append(path("token/", TokenView.as_view(), name="token"))
