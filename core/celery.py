"""The Celery application of the project; None where the `worker` extra isn't installed."""

from __future__ import annotations

import os
from typing import Any

try:
    from celery import Celery
except ImportError:
    Celery = None


def _build() -> Any:
    """Configure Celery from the settings whose names begin with `CELERY_`."""
    if Celery is None:
        return None
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    built = Celery("accord")
    built.config_from_object("django.conf:settings", namespace="CELERY")
    built.autodiscover_tasks()
    return built


app = _build()
