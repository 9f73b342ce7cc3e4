"""Foretelling Django's migrations: what they would send, asked of the live database before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections, transaction
from django.db.migrations import Migration
from django.db.migrations import operations as django_operations
from django.db.migrations.operations.base import Operation
from django.db.models import Index

from accord.connecting import code_of, trouble_of
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.rewriting import Extent, Rewriting
from accord.seam.types import Direction, Shown, Step, StepKey
from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.foreteller import Foreteller
from migrator.foretelling.looks import GUARDED, Relations, Rows, Unasked
from migrator.foretelling.needs import needs_of
from migrator.relational.loader import DiskLoader
from migrator.relational.vendors import is_concurrent

_BOOKKEEPING = (
    "accord_",
    "migrator_",
    "gdpr_",
    "django_migrations",
    "django_content_type",
    "auth_permission",
)
"""Beginnings of tables that are filled by migrating itself."""
_HARMLESS = (
    django_operations.CreateModel,
    django_operations.DeleteModel,
    django_operations.RemoveField,
    django_operations.RemoveIndex,
    django_operations.RemoveConstraint,
    django_operations.RenameField,
    django_operations.RenameIndex,
    django_operations.RenameModel,
    django_operations.AddIndex,
    django_operations.AlterModelManagers,
    django_operations.AlterModelOptions,
    django_operations.AlterModelTableComment,
    django_operations.RunPython,
)
"""Operations that no row could refuse, or of which nothing can be foretold."""


_DROPPING = (django_operations.DeleteModel, django_operations.RemoveField, django_operations.RunSQL)


def foretell(
    alias: str, disk: DiskLoader, rendered: Shown, begun: Any, rewriting: Rewriting
) -> Iterator[Foretold]:
    """
    Foretell steps on a PostgreSQL.

    Args:
        alias: The database.
        disk: Migrations as read from disk.
        rendered: The steps in their order, each with its statements.
        begun: Keys of the steps that were begun and not ended.
        rewriting: Which steps may not keep everybody from a large table.
    """

    def spares(key: StepKey) -> bool:
        return rewriting.extent_for(key) is not Extent.OFF

    yield from _misplaced(disk, [step for step, _ in rendered])
    yield from Foreteller(asker(alias), begun, spares).foretell(rendered)


def _misplaced(disk: DiskLoader, steps: Sequence[Step]) -> Iterator[Foretold]:
    """Foretell what is refused in a transaction: an index built beside writers, rows filled in batches."""
    for step in steps:
        migration = disk.migrations.get((step.key.app, step.key.name))
        if migration is None or not migration.atomic:
            continue
        yield from (
            Foretold(
                key=step.key,
                outlook=Outlook.REFUSED,
                what=operation.describe(),
                text="It can't run in a transaction, and the migration is one.",
                hint="Write atomic = False into the class Migration, and let it do nothing else.",
            )
            for operation in migration.operations
            if is_concurrent(operation) or _commits(operation)
        )


def _commits(operation: Operation) -> bool:
    """Return whether an operation commits in its middle, so that a rerun goes on there."""
    return bool(getattr(operation, "goes_on", False))


def could_refuse(alias: str, disk: DiskLoader, steps: Sequence[Step], direction: Direction) -> bool:
    """Return whether anything that stands could refuse any of the steps; mostly one query."""
    ask = asker(alias)
    try:
        relations = Relations(ask)
        has_rows = _is_a_projects(relations.filled)
        if direction is Direction.REVERT:
            return has_rows
        found = (disk.migrations.get((step.key.app, step.key.name)) for step in steps)
        stands = Standing(ask=ask, has_tables=_is_a_projects(relations.tables), has_rows=has_rows)
        return any(_is_worth_asking(migration, stands) for migration in found if migration)
    except Unasked:
        return True


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What of the project stands in a database before a run, and the way to ask it."""

    ask: Callable[[str], Rows]
    has_tables: bool
    has_rows: bool


def _is_a_projects(tables: Iterable[str]) -> bool:
    """Return whether any of the tables is one that migrating itself doesn't fill."""
    return any(not name.rpartition(".")[2].startswith(_BOOKKEEPING) for name in tables)


def _is_worth_asking(migration: Migration, stands: Standing) -> bool:
    for operation in _flat(migration.operations):
        if is_concurrent(operation):
            if migration.atomic:
                return True
        elif type(operation).__module__ == "django.contrib.postgres.operations":
            if _lacks(operation, stands.ask):
                return True
        elif _needs_a_class(operation, stands) or (stands.has_rows and _meets_rows(operation)):
            return True
    return False


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if type(operation) is django_operations.SeparateDatabaseAndState:
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _lacks(operation: Any, ask: Callable[[str], Rows]) -> bool:
    """Return whether the server lacks an extension, which is refused on an empty database, too."""
    if not hasattr(operation, "extension_exists"):
        return True
    act = Act(kind=Kind.EXTENSION, name=str(operation.name))
    return any(not ask(need.sql)[0][0] for need in needs_of(act))


def _needs_a_class(operation: Operation, stands: Standing) -> bool:
    """
    Return whether an operator class may be missing, which is refused on an empty table, too.

    The class that a column's type has by default can only be asked for where the column stands.
    """
    made: Any = getattr(operation, "index", None) or getattr(operation, "constraint", None)
    if not type(made).__module__.startswith("django.contrib.postgres"):
        return False
    by_default = isinstance(made, Index) and not made.opclasses and not made.expressions
    return stands.has_tables or not by_default


def _meets_rows(operation: Operation) -> bool:
    if isinstance(operation, django_operations.AddField):
        field: Any = operation.field
        gets_a_value = field.null or (field.has_default() and not field.remote_field)
        return not field.many_to_many and (field.unique or not gets_a_value)
    return not isinstance(operation, _HARMLESS)


def may_drop(disk: DiskLoader, steps: Sequence[Step]) -> bool:
    """Return whether any of the steps may drop a table or a column on the way forward."""
    found = (disk.migrations.get((step.key.app, step.key.name)) for step in steps)
    return any(_may_drop(operation) for migration in found if migration for operation in migration.operations)


def _may_drop(operation: Operation) -> bool:
    if isinstance(operation, django_operations.SeparateDatabaseAndState):
        return any(_may_drop(inner) for inner in operation.database_operations)
    foreign = not type(operation).__module__.startswith("django.")
    return foreign or isinstance(operation, _DROPPING)


def asker(alias: str) -> Callable[[str], Rows]:
    """Return a way to ask a database of Django's settings."""

    def ask(sql: str) -> Rows:
        connection = connections[alias]
        try:
            with transaction.atomic(using=alias), connection.cursor() as cursor:
                cursor.execute(GUARDED)
                cursor.execute(sql)
                rows: Rows = cursor.fetchall()
                transaction.set_rollback(True, using=alias)
        except DatabaseError as exc:
            if trouble_of(exc) is not None and not code_of(exc):
                raise
            raise Unasked(code_of(exc) or "unknown") from exc
        return rows

    return ask
