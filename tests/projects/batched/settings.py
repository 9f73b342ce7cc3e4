"""A project with nothing but work in batches."""

from __future__ import annotations

import os
from typing import Any

import environ

SECRET_KEY = "a key for tests alone, of more than fifty characters in all"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "accord",
    "migrator",
    "tests.projects.batched.apps.BatchedConfig",
]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"])}
ACCORD: dict[str, Any] = {"AUDIT_CHECKPOINTS": os.environ["BATCHED_HEADS"]}
if os.environ.get("BATCHED_BROKER"):
    CELERY_BROKER_URL = os.environ["BATCHED_BROKER"]
    CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
    CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1}
    CELERY_WORKER_PREFETCH_MULTIPLIER = 1
    ACCORD["WORKERS"] = {
        "APP": os.environ.get("BATCHED_APP", "tests.projects.batched.celery_app.app"),
        "QUEUE": "batched",
        "LEASE": 2,
        "PATIENCE": 1,
        "TURN": 5,
    }
