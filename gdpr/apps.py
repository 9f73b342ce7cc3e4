"""The Django app of personal data."""

from __future__ import annotations

from django.apps import AppConfig


class GdprConfig(AppConfig):
    """Personal data: the data map, requests, erasure, export, consent."""

    name = "gdpr"
    verbose_name = "Personal data"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks of the data map."""
        import gdpr.checks  # noqa: F401 - for its effect
