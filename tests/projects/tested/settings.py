"""A project with tests of its own, on every kind of store."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).parent
SECRET_KEY = "a key for tests alone, of more than fifty characters in all"
USE_TZ = True
INSTALLED_APPS = [
    *("django.contrib.auth", "django.contrib.contenttypes"),
    *("accord", "migrator", "mongo_migrations", "searchindex", "tests.projects.tested.notes"),
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = os.environ.get("TESTED_RUNNER", "accord.test_runner.StoresDiscoverRunner")
_default = environ.Env.db_url_config(os.environ["DATABASE_URL"])
_told = json.loads(os.environ.get("TESTED", "{}"))
DATABASES: dict[str, dict[str, Any]] = {
    "default": {**_default, **_told.get("default", {})},
    "replica": {**_default, "TEST": {"MIRROR": "default"}},
}
ACCORD = {
    # Where approvals are asked for: nobody is there to give them in a test.
    "ENVIRONMENT": "production",
    "CONNECT_TIMEOUT": 1,
    "STORES": {
        "mongodb": {
            "BACKEND": "mongo_migrations.store.MongoStore",
            "URL": os.environ["MONGODB_URL"],
            **_told.get("mongodb", {}),
        },
        "search": {
            "BACKEND": "searchindex.store.SearchStore",
            "URL": os.environ["ELASTICSEARCH_URL"],
            "PREFIX": os.environ["ELASTICSEARCH_PREFIX"],
            **_told.get("search", {}),
        },
        "history": {
            "BACKEND": "migrator.alembic.store.AlembicStore",
            "CONFIG": "history/alembic.ini",
            "URL": os.environ["DATABASE_URL"],
        },
    },
}
