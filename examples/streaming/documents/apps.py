"""The Django app of the sample service's documents."""

from __future__ import annotations

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Documents: listening sessions and devices, on the database alias `documents`."""

    name = "examples.streaming.documents"
    label = "streaming_documents"
    verbose_name = "Streaming: documents"
    default_auto_field = "django_mongodb_backend.fields.ObjectIdAutoField"
