"""Addresses of the kernel: `path("", include("accord.urls"))`."""

from __future__ import annotations

from django.urls import path

from accord import views

app_name = "accord"

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
