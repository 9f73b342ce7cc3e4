"""A shop of django-oscar with every app of Oscar, and the suite, on the database that a test names."""

from __future__ import annotations

import os

import environ
from oscar import INSTALLED_APPS as OSCAR_APPS
from oscar.defaults import *  # noqa: F403 - as Oscar's own documentation has it

from tests.projects.wagtail_site.settings import MIDDLEWARE, TEMPLATES  # noqa: F401 - settings, too

SECRET_KEY = "for tests alone"
USE_TZ = True
SITE_ID = 1
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
ROOT_URLCONF = "tests.projects.oscar_site.urls"

INSTALLED_APPS = [*OSCAR_APPS, "accord", "migrator"]
ACCORD = {"PROJECT": "oscar"}

HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
DATABASES = {
    "default": environ.Env.db_url_config(os.environ.get("DATABASE_URL", "postgres://127.0.0.1/oscar"))
}
