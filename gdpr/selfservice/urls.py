"""Addresses of people's own pages: `path("my-data/", include("gdpr.selfservice.urls"))`."""

from __future__ import annotations

from django.urls import path

from gdpr.selfservice import views
from gdpr.states import RightKind

app_name = "gdpr_self"

urlpatterns = [
    path("", views.status, name="status"),
    path("data/", views.data, name="data"),
    path("erase/", views.erase, name="erase"),
    path("correct/", views.ask, {"kind": RightKind.CORRECTION.value}, name="correct"),
    path("object/", views.ask, {"kind": RightKind.OBJECTION.value}, name="object"),
    path("undo/<str:reference>/", views.undo, name="undo"),
]
