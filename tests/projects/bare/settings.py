"""The least that Django starts with; a test adds the databases and apps that it is about."""

from __future__ import annotations

SECRET_KEY = "for tests alone"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
