"""
Which apps a database takes: a router is asked everything that Django would ask it during `migrate`.

Django asks for each operation anew, with its model or its hints. A database takes an app when any of these
questions about the app is answered with yes (docs/adr/0017-who-takes-part.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.apps.registry import Apps
from django.conf import settings as django_settings
from django.db import connections, models, router
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import CreateModel, RunPython, RunSQL
from django.db.migrations.operations.base import Operation

from accord import isolation, revisions
from migrator.relational.loader import DiskLoader, Name
from migrator.relational.moves import move_of
from migrator.relational.vendors import vendor_of_engine

Question = Mapping[str, Any]
"""What a router is told beside the database and the app."""


def takes_part(alias: str) -> bool:
    """
    Return whether a database is migrated at all. No server is asked.

    Args:
        alias: The database; a mirror, or one that its settings make read-only, is not; nor, while
            tests run, one of which Django made no test database.
    """
    if isolation.is_real(alias):
        return False
    settings = connections.databases[alias]
    mirrored = settings.get("TEST", {}).get("MIRROR")
    return not mirrored and not vendor_of_engine(settings["ENGINE"]).is_set_read_only(settings)


def apps_for(alias: str, disk: DiskLoader) -> Sequence[str]:
    """
    Name the apps with migrations that a database takes. No server is asked.

    Args:
        alias: The database.
        disk: Migrations as read from disk.
    """
    labels = sorted({label for label, _ in disk.migrations})
    if not takes_part(alias):
        return ()
    return [label for label in labels if _takes(alias, label, disk)]


def why_absent(alias: str, name: Name, disk: DiskLoader) -> str:
    """
    Tell why a migration is no step of a database, though nobody lost its file.

    Args:
        alias: The database.
        name: App label and migration.
        disk: Migrations as read from disk.

    Returns:
        A clause about the app; empty where the file should be there.
    """
    if reason := revisions.why_absent(name[0]):
        return reason
    package, _ = MigrationLoader.migrations_module(name[0])
    if package is None:
        return "has no migrations here, as MIGRATION_MODULES says"
    return f"is kept off “{alias}” by a router" if name in disk.migrations else ""


def _takes(alias: str, label: str, disk: DiskLoader) -> bool:
    return any(router.allow_migrate(alias, label, **question) for question in _questions(label, disk))


def _questions(label: str, disk: DiskLoader) -> Iterator[Question]:
    """Yield what Django would ask about an app; the plain question first, mostly the only one needed."""
    yield {}
    if not django_settings.DATABASE_ROUTERS:
        return
    live = {name: model for (app, name), model in _live().items() if app == label}
    yield from ({"model_name": name, "model": model} for name, model in live.items())
    for (app, _), migration in disk.migrations.items():
        if app == label:
            for operation in _flat(migration.operations):
                if (name := _brought_by(label, operation)) and name.lower() not in live:
                    yield {"model_name": name.lower(), "model": _stand_in(label, name)}
                elif isinstance(operation, RunPython | RunSQL) and operation.hints:
                    yield operation.hints


def _brought_by(label: str, operation: Operation) -> str:
    """Return the name of the model that an operation makes, or brings from another app; empty for none."""
    if isinstance(operation, CreateModel):
        return operation.name
    move = move_of(label, operation)
    return move.name if move else ""


def _live() -> Mapping[tuple[str, str], type[models.Model]]:
    found = apps.get_models(include_auto_created=True)
    return {(model._meta.app_label, model._meta.model_name or ""): model for model in found}


def _stand_in(label: str, name: str) -> type[models.Model]:
    """Make a model of a name that is gone: its database may still have to drop what it had."""
    meta = type("Meta", (), {"app_label": label, "apps": Apps()})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta})


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        yield operation
        for inner in ("database_operations", "state_operations"):
            yield from _flat(getattr(operation, inner, None) or ())
