"""Addresses: `path("api/v1/", include("migrator.api.urls"))`."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from migrator.api.breaks import BreakViewSet
from migrator.api.views import PlanApprovalViewSet, PlanView, RunViewSet

app_name = "migrator-api"

router = SimpleRouter()
router.register("runs", RunViewSet, basename="run")
router.register("plan-approvals", PlanApprovalViewSet, basename="approval")
router.register("break-glass", BreakViewSet, basename="break")

urlpatterns = [path("plan/", PlanView.as_view(), name="plan"), *router.urls]
