"""The Django app of personal data."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GdprConfig(AppConfig):
    """Personal data: the data map, requests, erasure, export, consent."""

    name = "gdpr"
    verbose_name = _("Personal data")
    default_auto_field = "django.db.models.BigAutoField"
    guards = "gdpr.guards.EVIDENCE"
    witnessed = "gdpr.witnessed.EVIDENCE"
    # What a person has to say goes when the suite is uninstalled.
    evidence = (
        "Approval",
        "ConsentEvent",
        "ConsentNotice",
        "ErasurePlan",
        "ErasureRequest",
        "ErasureStep",
        "LegalHold",
        "Receipt",
        "RecipientNotice",
        "Restriction",
        "RetentionPlan",
        "RightsRequest",
    )
    # What django-auditlog may show. Tags and sealed keys say who a request is about: never those.
    audited = {"ErasureRequest": ("state",), "LegalHold": ("reason", "review_at")}

    def ready(self) -> None:
        """Register the checks of the data map, of what belongs together, and what the map says of values."""
        from django.core.checks import register

        import gdpr.checks  # noqa: F401 - for its effect
        from accord import personal
        from accord.checks import check_apps
        from gdpr.datamap.openness import is_open
        from gdpr.datamap.places import place

        register(check_apps)
        personal.register(is_open)
        personal.register_places(place)
