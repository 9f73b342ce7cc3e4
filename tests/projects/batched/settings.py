"""A project with nothing but work in batches."""

from __future__ import annotations

import os

import environ

SECRET_KEY = "a key for tests alone, of more than fifty characters in all"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "accord",
    "tests.projects.batched.apps.BatchedConfig",
]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"])}
ACCORD = {"AUDIT_CHECKPOINTS": os.environ["BATCHED_HEADS"]}
