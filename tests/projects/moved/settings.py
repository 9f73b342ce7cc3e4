"""A project whose model Play moves from the app streaming to the app events: code of before, and of after."""

from __future__ import annotations

import os
from typing import Any

import environ

SECRET_KEY = "for tests alone, and long enough that nobody says a word about it"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "accord",
    "migrator",
    "tests.projects.moved.streaming",
    "tests.projects.moved.events",
    "tests.projects.moved.reviews",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"])}
ACCORD: dict[str, Any] = {"PROJECT": "moved"}
