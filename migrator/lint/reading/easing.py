"""
What a run sends in parts by itself, told from an operation and its acts.

:mod:`migrator.relational.safety` decides when it comes to it, with states and the size of the table at hand;
the table of docs/howto/change-a-large-table.md is what both go by.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.migrations import operations as ops
from django.db.migrations.operations.base import Operation
from django.db.models import CheckConstraint, UniqueConstraint

from migrator.foretelling.acts import Act, Kind

_NONE: Collection[Kind] = frozenset()
_OF_FIELDS = frozenset({Kind.INDEX, Kind.UNIQUE, Kind.FOREIGN_KEY})
_ALTERED = frozenset({Kind.NOT_NULL, Kind.NULLABLE, Kind.UNIQUE, Kind.INDEX, Kind.DROP_INDEX})


def eased_by(operation: Operation | None, acts: Sequence[Act]) -> Collection[Kind]:
    """
    Return the kinds of acts that keep nobody waiting for long, because a run sends the operation in parts.

    Args:
        operation: The operation; None for SQL, which is sent as it is.
        acts: What it does.
    """
    kinds = {act.kind for act in acts}
    if type(operation) in (ops.AddIndex, ops.RemoveIndex):
        return kinds
    if type(operation) is ops.AddConstraint:
        known = (
            isinstance(operation.constraint, CheckConstraint)
            or type(operation.constraint) is UniqueConstraint
        )
        return kinds if known else _NONE
    if type(operation) is ops.AlterUniqueTogether:
        return _NONE if Kind.DROP_INDEX in kinds else kinds
    if type(operation) is ops.AddField:
        return _NONE if any(act.generated for act in acts) else kinds & _OF_FIELDS
    return _of_altered(kinds, acts) if type(operation) is ops.AlterField else _NONE


def _of_altered(kinds: Collection[Kind], acts: Sequence[Act]) -> Collection[Kind]:
    """Return them of a field that changes in nothing but NULL, being unique, and its index."""
    becomes_key = any(act.kind is Kind.UNIQUE and act.not_null for act in acts)
    two = Kind.UNIQUE in kinds and bool({Kind.INDEX, Kind.DROP_INDEX}.intersection(kinds))
    return _NONE if becomes_key or two or not _ALTERED.issuperset(kinds) else kinds
