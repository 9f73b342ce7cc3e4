"""Which transactions have been open for long on the tables that migrations change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connections, transaction
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation

from accord.connecting import trouble_of
from accord.locks import occupants
from migrator.relational.vendors import vendor_of


def named(alias: str, migrations: Iterable[Migration]) -> Sequence[str]:
    """
    Name who has their tables open, for people.

    What SQL and Python of a migration's own touch isn't known.

    Args:
        alias: The database.
        migrations: The migrations that are about to go.
    """
    connection = connections[alias]
    tables = sorted({name for one in migrations for name in _tables(one, one.operations)})
    if not tables or not vendor_of(connection).queues_for_locks:
        return ()
    quoted = [connection.ops.quote_name(name) for name in tables]
    try:
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            cursor.execute(occupants.QUERY, [tables, quoted, occupants.LONG])
            return [str(one) for one in occupants.occupants_of(cursor.fetchall())]
    except DatabaseError as exc:
        if trouble_of(exc) is not None:
            raise
        return ("Who has the tables open that steps change could not be seen.",)


def _tables(migration: Migration, operations: Iterable[Operation]) -> Iterator[str]:
    """Name the tables of models, as they are called now and as they usually are."""
    for operation in operations:
        known: Any = operation
        yield from _tables(migration, getattr(known, "database_operations", ()))
        for model in filter(None, (getattr(known, name, None) for name in _NAMES)):
            yield f"{migration.app_label}_{str(model).lower()}"
            try:
                yield apps.get_model(migration.app_label, str(model))._meta.db_table
            except LookupError:
                continue


_NAMES = ("model_name", "name", "old_name")
"""Where operations have the name of their model; another name among them is no table, and found nowhere."""
