"""The Django app of MongoDB revisions."""

from __future__ import annotations

from django.apps import AppConfig


class MongoMigrationsConfig(AppConfig):
    """Loader, operations and store of MongoDB revisions."""

    name = "mongo_migrations"
    verbose_name = "MongoDB revisions"

    def ready(self) -> None:
        """Register the check of what belongs together; the kernel's app may be what is missing."""
        from django.core.checks import register

        from accord.checks import check_apps

        register(check_apps)
