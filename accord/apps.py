"""The Django app of the kernel."""

from __future__ import annotations

from django.apps import AppConfig


class AccordConfig(AppConfig):
    """Kernel: leases, stores, settings, embedded servers."""

    name = "accord"
    verbose_name = "Accord"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have django-auditlog log what the apps declare."""
        from accord import auditlog

        auditlog.install()
