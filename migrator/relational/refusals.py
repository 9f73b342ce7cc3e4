"""What a refused operation may have left, and which operations can't be undone."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import CreateModel, RunSQL
from django.db.migrations.operations.base import Operation

from accord.errors import ConflictingState, IrreversibleStep, LockNotFree
from accord.seam.types import Step
from migrator.relational.vendors import vendor_of

if TYPE_CHECKING:
    from migrator.relational.unrolled import Substep

# What holds one of these may have done a part of its work for good before it failed.
_IN_PARTS = ("concurrently", "commit", "call", "do ")


class SubstepKind(enum.Enum):
    """What a kill in the middle of a substep may leave."""

    TRANSACTIONAL = enum.auto()
    CONCURRENT = enum.auto()
    PLAIN = enum.auto()


def left_nothing(
    connection: BaseDatabaseWrapper, operation: Operation, kind: SubstepKind, exc: Exception, *, is_new: bool
) -> bool:
    """
    Return whether surely nothing stands of an operation that failed.

    Args:
        connection: Where it ran.
        operation: The operation.
        kind: What a kill in its middle would have left.
        exc: What it raised.
        is_new: False when an earlier run had begun it, of which nobody knows how far it came.
    """
    if kind is SubstepKind.TRANSACTIONAL:
        return True
    if isinstance(exc, LockNotFree) and isinstance(exc.__cause__, Exception):
        exc = exc.__cause__
    trouble = vendor_of(connection).trouble(exc)
    refused = isinstance(exc, DatabaseError) and (trouble is None or trouble.refused)
    if kind is SubstepKind.CONCURRENT:  # what the server left of the index is dropped by then
        return refused or isinstance(exc, ConflictingState)
    known = refused and sent_at_once(connection, operation)
    return is_new and (known or isinstance(exc, ConflictingState))


def sent_at_once(connection: BaseDatabaseWrapper, operation: Operation) -> bool:
    """Check that SQL is one request, of which the server does all or nothing."""
    if not isinstance(operation, RunSQL) or not isinstance(operation.sql, str):
        return False
    in_parts = any(word in operation.sql.lower() for word in _IN_PARTS)
    return not in_parts and len(connection.ops.prepare_sql_script(operation.sql)) == 1


def refuse_irreversible(step: Step, why: str, *, begun: bool = False) -> None:
    """
    Check that nothing keeps a step from being undone.

    Args:
        step: The step.
        why: What keeps it; empty when nothing does.
        begun: Only a part of it stands.

    Raises:
        IrreversibleStep: Something does.
    """
    ways_on = (
        "Apply it to its end first; or undo by hand what stands, and strike its line: "
        f'migrate_all --forget {step.key} --reason "WHY"'
    )
    if why:
        raise IrreversibleStep(
            f"Step {step.key} can't be undone: {why.rstrip('.')}.",
            hint=ways_on if begun else "Write a migration that goes forward to the wanted state instead.",
        )


def refuse_existing(connection: BaseDatabaseWrapper, step: Step, substep: Substep) -> None:
    """
    Check that a table that is about to be made isn't there; a kill would leave nobody knowing whose it is.

    Args:
        connection: Where it would be made.
        step: The step.
        substep: Its operation; only one that makes a table matters.

    Raises:
        ConflictingState: It is there.
    """
    operation = substep.operation
    if not isinstance(operation, CreateModel):
        return
    model = substep.after.apps.get_model(step.key.app, operation.name)
    if not operation.allow_migrate_model(connection.alias, model):
        return
    table = model._meta.db_table
    if vendor_of(connection).standing(connection, [table]):
        raise ConflictingState(
            f"Step {step.key} would create {table}, which exists already.",
            hint="Rename it; or, if it is what the migration describes, adopt it: "
            f"migrate_all --baseline --step {step.key}",
        )
