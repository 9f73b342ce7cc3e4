"""The Django app of search revisions."""

from __future__ import annotations

from django.apps import AppConfig


class SearchIndexConfig(AppConfig):
    """Revisions of search indexes: `search_migrations/NNNN_name.py` in any installed app."""

    name = "searchindex"
    verbose_name = "Search indexes"
    default_auto_field = "django.db.models.BigAutoField"
