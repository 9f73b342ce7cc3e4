"""The stores of the project: Django's databases, and those that Accord adds."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
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

DOCUMENTS_DATABASE = "accord_documents"
# Raw collections, in a database of their own: the documents' Django ledger has the same name as theirs.
COLLECTIONS_DATABASE = "accord"


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
            "NAME": _documents_database(mongodb),
        },
    }


def _documents_database(url: str) -> str:
    named = unquote(urlsplit(url).path.lstrip("/"))
    return DOCUMENTS_DATABASE if named in ("", COLLECTIONS_DATABASE) else named


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
            "DATABASE": COLLECTIONS_DATABASE,
        },
        "search": {
            "BACKEND": "searchindex.store.SearchStore",
            "URL": urls[ELASTICSEARCH_URL.name],
            "PREFIX": "",
        },
        "alembic": {
            "BACKEND": "migrator.alembic.store.AlembicStore",
            "CONFIG": "examples/streaming/royalties/alembic.ini",
            "APP": "royalties",
            "URL": urls[DATABASE_URL.name],
        },
    }
    return {
        "STORES": {alias: entry for alias, entry in stores.items() if _exists(entry["BACKEND"])},
        "COORDINATOR": "default",
        "ENVIRONMENT": str(environment.name),
    }


def _exists(backend: str) -> bool:
    """Tell whether a store's module is there yet; goes away once the last of them is."""
    package, _, _ = backend.partition(".")
    module, _, _ = backend.rpartition(".")
    try:
        return find_spec(package) is not None and find_spec(module) is not None
    except ModuleNotFoundError:
        return False
