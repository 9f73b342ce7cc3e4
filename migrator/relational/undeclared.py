"""Tables that stand in a database of Django's, and that no model and no applied migration declares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.core.cache import caches
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from accord.seam.types import Step
from accord.seam.undeclared import Undeclared
from migrator.relational.graph import GraphLoader
from migrator.relational.loader import DiskLoader
from migrator.relational.probe import expected_tables
from migrator.relational.states import Executor
from migrator.relational.vendors import vendor_of
from migrator.standing import TABLES


def taken() -> Collection[str]:
    """Return the tables of all models in code, managed or not, and those that Django makes for itself."""
    models: Sequence[Any] = apps.get_models(include_auto_created=True, include_swapped=True)
    own = {MigrationRecorder.Migration._meta.db_table, *_of_caches()}
    return own | {plain(model._meta.db_table) for model in models}


def _of_caches() -> Iterator[str]:
    """Yield the tables that `createcachetable` makes."""
    for settings in caches.settings.values():
        if str(settings.get("BACKEND", "")).endswith(".db.DatabaseCache"):
            yield plain(str(settings.get("LOCATION", "")))


def undeclared(alias: str, disk: DiskLoader, steps: Sequence[Step]) -> Iterator[Undeclared]:
    """
    Name the tables.

    Args:
        alias: The database.
        disk: Migrations as read from disk.
        steps: The steps that are applied, or begun.
    """
    names = [(step.key.app, step.key.name) for step in steps]
    executor = Executor(connections[alias], GraphLoader(connections[alias], disk))
    known = {*taken(), *map(plain, expected_tables(executor, alias, names))}
    for table in _standing(alias):
        if table not in known:
            yield Undeclared(what="table", name=table)


def _standing(alias: str) -> Sequence[str]:
    connection: Any = connections[alias]
    if not vendor_of(connection).describes_tables:
        return sorted(connection.introspection.table_names())
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return [name for (name,) in cursor.fetchall()]


def plain(table: str) -> str:
    """Return the name of a table without the schema that its model places it in."""
    return table.rpartition(".")[2].strip('"') if '"' in table else table
