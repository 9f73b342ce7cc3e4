"""The Django app of search revisions."""

from __future__ import annotations

from django.apps import AppConfig


class SearchIndexConfig(AppConfig):
    """Revisions of search indexes: `search_migrations/NNNN_name.py` in any installed app."""

    name = "searchindex"
    verbose_name = "Search indexes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the check of what belongs together; the kernel's app may be what is missing."""
        from django.core.checks import register

        from accord.checks import check_apps

        register(check_apps)
