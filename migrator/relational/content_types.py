"""Django's tables of content types and permissions, as a database has them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.db import connections, router


def in_use(connection: Any, label: str = "contenttypes.ContentType") -> Any | None:
    """
    Return a model of Django's; None where the project or the database does without it.

    Args:
        connection: Of the database.
        label: The model.
    """
    try:
        model: Any = apps.get_model(label)
    except LookupError:
        return None
    if not router.allow_migrate_model(connection.alias, model):
        return None
    return model if model._meta.db_table in connection.introspection.table_names() else None


def keeper(connection: Any) -> Any:
    """
    Return the connection of the database that keeps the content types of another one's models.

    It is the same one, unless routers keep content types out of it and write them elsewhere.
    """
    try:
        model = apps.get_model("contenttypes.ContentType")
    except LookupError:
        return connection
    if router.allow_migrate_model(connection.alias, model):
        return connection
    return connections[router.db_for_write(model)]


def standing(connection: Any, labels: Collection[tuple[str, str]]) -> Collection[tuple[str, str]]:
    """Return those of some labels, of app and model, that there is a content type of; in order."""
    home = keeper(connection)
    kind = in_use(home) if labels else None
    if kind is None:
        return ()
    rows = kind.objects.using(home.alias).filter(app_label__in={app for app, _ in labels})
    return sorted(set(labels).intersection(rows.values_list("app_label", "model")))
