"""The Django app that plans and runs migrations."""

from __future__ import annotations

from django.apps import AppConfig


class MigratorConfig(AppConfig):
    """Planning, running, journal, governance."""

    name = "migrator"
    verbose_name = "Migrations"
    default_auto_field = "django.db.models.BigAutoField"
