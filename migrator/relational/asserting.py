"""`checks_before` and `checks_after` of a Django migration: SQL, or functions of the connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import connections, transaction
from django.db.migrations import Migration

from accord.seam import assertions
from accord.seam.assertions import Assertion, Broken, Moment, Test
from accord.seam.types import Step
from migrator.relational.vendors import vendor_of


def declared(step: Step, migration: Migration, moment: Moment) -> Sequence[Assertion]:
    """
    Return what a migration declares.

    Raises:
        InvalidRevision: It is no list of assertions.
    """
    value = getattr(migration, moment.value, ())
    return assertions.declared(value, moment, str(step.source.path), sql=True) if value else ()


def broken(alias: str, step: Step, migration: Migration, moment: Moment) -> Iterator[Broken]:
    """Ask which assertions don't hold; within a transaction they see what it did. Nothing is changed."""
    found = declared(step, migration, moment)
    return assertions.broken(step.key, moment, found, lambda test: _ask(alias, test))


def _ask(alias: str, test: Test) -> object:
    """Ask one thing in a transaction, or a part of one, that takes no writes and is rolled back."""
    connection = connections[alias]
    with transaction.atomic(using=alias):
        try:
            if vendor_of(connection).describes_tables:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
            return _answer(alias, test)
        finally:
            transaction.set_rollback(True, using=alias)


def _answer(alias: str, test: Test) -> object:
    connection = connections[alias]
    if not isinstance(test, str):
        return test(connection)
    with connection.cursor() as cursor:
        cursor.execute(test)
        return cursor.fetchall()
