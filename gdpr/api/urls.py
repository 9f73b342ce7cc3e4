"""Addresses: `path("api/v1/", include("gdpr.api.urls"))`."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from gdpr.api.consents import ConsentViewSet, NoticeViewSet
from gdpr.api.exports import ExportViewSet
from gdpr.api.holds import LegalHoldViewSet
from gdpr.api.recipients import RecipientNoticeViewSet, RecipientsView
from gdpr.api.requests import ErasureRequestViewSet
from gdpr.api.restores import BeginReplayView, RestoresView, WhoseKeyView
from gdpr.api.restrictions import RestrictionViewSet
from gdpr.api.retention import RetentionRunViewSet, RetentionView
from gdpr.api.retention_plans import RetentionPlanViewSet
from gdpr.api.rights import RightsViewSet

app_name = "gdpr-api"

router = SimpleRouter()
router.register("erasure-requests", ErasureRequestViewSet, basename="request")
router.register("consents", ConsentViewSet, basename="consent")
router.register("consent-notices", NoticeViewSet, basename="notice")
router.register("holds", LegalHoldViewSet, basename="hold")
router.register("restrictions", RestrictionViewSet, basename="restriction")
router.register("rights-requests", RightsViewSet, basename="right")
router.register("exports", ExportViewSet, basename="export")
router.register("recipient-notices", RecipientNoticeViewSet, basename="recipient-notice")
router.register("retention-runs", RetentionRunViewSet, basename="retention-run")
router.register("retention-plans", RetentionPlanViewSet, basename="retention-plan")

urlpatterns = [
    path("recipients/", RecipientsView.as_view(), name="recipients"),
    path("restores/", RestoresView.as_view(), name="restores"),
    path("restores/begin/", BeginReplayView.as_view(), name="restores-begin"),
    path("restores/answer/", WhoseKeyView.as_view(), name="restores-answer"),
    path("retention/", RetentionView.as_view(), name="retention"),
    *router.urls,
]
