"""What `startproject` makes, with the suite's apps added; a test says what this site does without."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import environ

_told: dict[str, Any] = json.loads(os.environ.get("STRANGER", "{}"))
_without = frozenset(_told.get("without", ()))
# What isn't installed on that machine: an import of it fails, as it would there.
sys.modules.update(dict.fromkeys(_told.get("missing", ())))

SECRET_KEY = "a key for tests alone, of more than fifty characters in all"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.projects.stranger.urls"
INSTALLED_APPS = [
    app
    for app in (
        *_told.get("first", ()),
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "accord",
        "migrator",
        "mongo_migrations",
        "searchindex",
        "gdpr",
        *_told.get("apps", ()),
    )
    if app not in _without
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": environ.Env.db_url_config(os.environ.get("DATABASE_URL") or "postgres://nobody@127.0.0.1:1/no")
}
TIME_ZONE = "UTC"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Which admin sites it has.
STRANGER_SITES: list[str] = _told.get("sites", ["admin"])
# Whatever else a test decides, such as USE_TZ.
globals().update(_told.get("settings", {}))
for _alias, _entry in _told.get("databases", {}).items():
    DATABASES[_alias] = {**DATABASES["default"], **DATABASES.get(_alias, {}), **_entry}
