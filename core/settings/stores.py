"""The stores of the project: Django's databases, and those that Accord adds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ

from accord import embedded
from core.environment import (
    DATABASE_URL,
    ELASTICSEARCH_URL,
    MONGODB_URL,
    STORE_VARIABLES,
    Environment,
)
from core.routers import DOCUMENTS_ALIAS

COLLECTIONS_DATABASE = "accord"
# Documents live beside the raw collections, never among them: both ledgers have the same name.
DOCUMENTS_SUFFIX = "_documents"


def store_urls(environment: Environment, root: Path) -> dict[str, str]:
    """
    Find the URL of every store: the one that is set, else that of the embedded server.

    Nothing is started here; an embedded server's port and password are settled before its
    first start.

    Args:
        environment: What the environment says.
        root: Folder of the checkout.

    Returns:
        Variable names to URLs.
    """
    stand_ins = embedded.urls(root, environment.embedded) if environment.embedded else {}
    return {
        variable.name: environment.urls.get(variable.name) or stand_ins[variable.embedded]
        for variable in STORE_VARIABLES
    }


def databases(urls: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """
    Build Django's `DATABASES`: PostgreSQL, and MongoDB for the models that are documents.

    Args:
        urls: Variable names to URLs.
    """
    mongodb = urls[MONGODB_URL.name]
    return {
        "default": {
            **environ.Env.db_url_config(urls[DATABASE_URL.name]),
            "ATOMIC_REQUESTS": False,
            "CONN_HEALTH_CHECKS": True,
            "CONN_MAX_AGE": 60,
        },
        DOCUMENTS_ALIAS: {
            "ENGINE": "django_mongodb_backend",
            "HOST": mongodb,
            "NAME": collections_database(mongodb) + DOCUMENTS_SUFFIX,
        },
    }


def collections_database(url: str) -> str:
    """Return the database of the raw collections: the one in the URL's path, or `accord`."""
    return unquote(urlsplit(url).path.lstrip("/")) or COLLECTIONS_DATABASE


def accord_settings(environment: Environment, urls: Mapping[str, str]) -> dict[str, Any]:
    """
    Build `ACCORD`: the stores beside `DATABASES`, and who keeps the lease.

    Args:
        environment: What the environment says.
        urls: Variable names to URLs.
    """
    stores: dict[str, dict[str, str]] = {
        "mongodb": {
            "BACKEND": "mongo_migrations.store.MongoStore",
            "URL": urls[MONGODB_URL.name],
            "DATABASE": collections_database(urls[MONGODB_URL.name]),
        },
        "search": {
            "BACKEND": "searchindex.store.SearchStore",
            "URL": urls[ELASTICSEARCH_URL.name],
            "PREFIX": environment.search_prefix,
        },
        "alembic": {
            "BACKEND": "migrator.alembic.store.AlembicStore",
            "CONFIG": "examples/streaming/royalties/alembic.ini",
            "APP": "royalties",
            "URL": urls[DATABASE_URL.name],
        },
    }
    return {
        "STORES": stores,
        "COORDINATOR": "default",
        "ENVIRONMENT": str(environment.name),
        **({"WORKERS": {"APP": "core.celery.app"}} if environment.broker_url else {}),
    }
