"""Addresses of the kernel's part of the API: `path("api/v1/", include("accord.api.urls"))`."""

from __future__ import annotations

from django.urls import URLPattern, path
from rest_framework.settings import api_settings

from accord.api.authentication import TokenAuthentication
from accord.api.schema import DocsView, SchemaView
from accord.api.views import HealthView, TokenView

app_name = "accord-api"

urlpatterns: list[URLPattern] = [
    path("health/", HealthView.as_view(), name="health"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(url_name="accord-api:schema"), name="docs"),
]
# Where a project has other ways to sign in, a token of the suite would open nothing.
if TokenAuthentication in api_settings.DEFAULT_AUTHENTICATION_CLASSES:
    urlpatterns.append(path("token/", TokenView.as_view(), name="token"))
