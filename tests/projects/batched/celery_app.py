"""The Celery app of the project."""

from __future__ import annotations

from celery import Celery

app = Celery("batched")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
