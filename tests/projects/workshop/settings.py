"""A project with one app, `workshop`, whose files each test writes anew into a folder of its own."""

from __future__ import annotations

import json
import os
from typing import Any

import environ

SECRET_KEY = os.environ.get(
    "WORKSHOP_SECRET_KEY", "a key for tests alone, of more than fifty characters in all"
)
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "accord",
    "migrator",
    "mongo_migrations",
    "searchindex",
    "workshop",
]
# Where a project has templates, Django's checks import every library of template tags.
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"])}
ACCORD: dict[str, Any] = {
    "PROJECT": "workshop",
    "CONNECT_TIMEOUT": 2,
    "STORES": {
        "mongodb": {"BACKEND": "mongo_migrations.store.MongoStore", "URL": os.environ["MONGODB_URL"]},
    },
}
# What a test of governance decides: which installation this is, what it asks for and whom it trusts.
if os.environ.get("WORKSHOP_ENVIRONMENT"):
    ACCORD["ENVIRONMENT"] = os.environ["WORKSHOP_ENVIRONMENT"]
    # Heads of another database are a finding in production.
    ACCORD["AUDIT_CHECKPOINTS"] = f".accord/heads/{DATABASES['default']['NAME']}.jsonl"
    # One variable proves any account of these tests, unless a test is about that.
    proof = {"password_variable": ["production", "staging"]}
    ACCORD["POLICY"] = {"proof": proof, **json.loads(os.environ.get("WORKSHOP_POLICY", "{}"))}
    ACCORD["TRUSTED_KEYS"] = json.loads(os.environ.get("WORKSHOP_TRUSTED_KEYS", "{}"))
if os.environ.get("WORKSHOP_ATTESTATIONS"):
    ACCORD["ATTESTATIONS"] = os.environ["WORKSHOP_ATTESTATIONS"]
if os.environ.get("ELASTICSEARCH_URL"):
    ACCORD["STORES"]["search"] = {
        "BACKEND": "searchindex.store.SearchStore",
        "URL": os.environ["ELASTICSEARCH_URL"],
        "PREFIX": os.environ["ELASTICSEARCH_PREFIX"],
    }
if os.environ.get("WORKSHOP_OBJECTS"):
    ACCORD["STORES"]["objects"] = {"BACKEND": "migrator.objects.store.ObjectStore"}
if os.environ.get("WORKSHOP_SNAPSHOT"):
    ACCORD["LIVE_DRIFT"] = {"snapshot": os.environ["WORKSHOP_SNAPSHOT"]}
if os.environ.get("WORKSHOP_ALEMBIC"):
    ACCORD["STORES"]["alembic"] = {
        "BACKEND": "migrator.alembic.store.AlembicStore",
        "CONFIG": os.environ["WORKSHOP_ALEMBIC"],
        "URL": os.environ["DATABASE_URL"],
    }
if os.environ.get("WORKSHOP_HISTORY"):
    ACCORD["STORES"]["history"] = {
        "BACKEND": "migrator.alembic.store.AlembicStore",
        "CONFIG": os.environ["WORKSHOP_HISTORY"],
        "APP": "workshop",
        "URL": os.environ.get("WORKSHOP_HISTORY_URL", os.environ["DATABASE_URL"]),
    }
