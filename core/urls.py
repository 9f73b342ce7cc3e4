"""Addresses of the project."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("my-data/", include("gdpr.selfservice.urls")),  # there once ACCORD["SELF_SERVICE_DAYS"] is set
    path("api/v1/", include("gdpr.api.urls")),
    path("api/v1/", include("migrator.api.urls")),
    path("api/v1/", include("accord.api.urls")),
    # Behind everything else of the API: says that there is nothing.
    path("api/", include("accord.api.nothing")),
    path("", include("accord.urls")),
]
