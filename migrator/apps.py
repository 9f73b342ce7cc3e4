"""The Django app that plans and runs migrations."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MigratorConfig(AppConfig):
    """Planning, running, journal, governance."""

    name = "migrator"
    verbose_name = _("Migrations")
    default_auto_field = "django.db.models.BigAutoField"
    guards = "migrator.governance.guards.EVIDENCE"
    witnessed = "migrator.governance.witnessed.EVIDENCE"
    # What a person has to say goes when the suite is uninstalled.
    evidence = ("Attestation", "PlanYes", "PlanApproval", "BreakGlass")
    # What django-auditlog may show. Reasons are free text, and accounts belong to people.
    audited = {"PlanApproval": ("state", "environment", "digest")}
    # An approval may be what the migration of django-auditlog's own table is waiting for.
    audited_if_possible = True

    def ready(self) -> None:
        """Register the checks of what belongs together and of the policy; the kernel's app may be missing."""
        from django.core.checks import Tags, register

        from accord.checks import check_apps
        from migrator.checks import policy_can_be_kept, policy_is_readable

        register(check_apps)
        register(policy_is_readable)
        register(policy_can_be_kept, Tags.database)
