"""The Django app of the kernel."""

from __future__ import annotations

from django.apps import AppConfig


class AccordConfig(AppConfig):
    """Kernel: leases, stores, settings, embedded servers."""

    name = "accord"
    verbose_name = "Accord"
    default_auto_field = "django.db.models.BigAutoField"
    guards = "accord.guards.EVIDENCE"
    batch_kinds = {"copy": "accord.bulk.copying.Copying"}
    # What a person has to say goes when the suite is uninstalled.
    evidence = ("AuditEvent", "AuditCheckpoint", "AuditSeal", "TrailMark", "Tombstone")

    def ready(self) -> None:
        """Set up django-auditlog for what the apps declare, and register the check of the settings."""
        from django.core.checks import register

        from accord.audit import auditlog, signing_in
        from accord.checks import check_apps, check_settings

        auditlog.install()
        signing_in.install()
        register(check_settings)
        register(check_apps)
