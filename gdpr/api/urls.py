"""Addresses: `path("api/v1/", include("gdpr.api.urls"))`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from gdpr.api.consents import ConsentViewSet, NoticeViewSet
from gdpr.api.holds import LegalHoldViewSet
from gdpr.api.requests import ErasureRequestViewSet

app_name = "gdpr-api"

router = SimpleRouter()
router.register("erasure-requests", ErasureRequestViewSet, basename="request")
router.register("consents", ConsentViewSet, basename="consent")
router.register("consent-notices", NoticeViewSet, basename="notice")
router.register("holds", LegalHoldViewSet, basename="hold")

urlpatterns = router.urls
