"""The Django app of MongoDB revisions."""

from __future__ import annotations

from django.apps import AppConfig


class MongoMigrationsConfig(AppConfig):
    """Loader, operations and store of MongoDB revisions."""

    name = "mongo_migrations"
    verbose_name = "MongoDB revisions"
