"""The Django app of the sample service."""

from __future__ import annotations

from django.apps import AppConfig


class StreamingConfig(AppConfig):
    """Streaming: the sample service's models, revisions and seed data."""

    name = "examples.streaming"
    label = "streaming"
    verbose_name = "Streaming"
    default_auto_field = "django.db.models.BigAutoField"
