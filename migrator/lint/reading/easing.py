"""
What a run sends in parts by itself, told from an operation and its acts.

:mod:`migrator.relational.safety` decides when it comes to it, with states and the size of the table at hand;
the table of docs/howto/change-a-large-table.md is what both go by.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db.migrations import operations as ops
from django.db.migrations.operations.base import Operation
from django.db.models import CheckConstraint, UniqueConstraint

from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.locks import is_constant

_NONE: Collection[Kind] = frozenset()
_COUNTED = frozenset({"SmallAutoField", "AutoField", "BigAutoField"})
_PLAIN = frozenset({"SmallIntegerField", "IntegerField", "BigIntegerField"})
_OF_FIELDS = frozenset({Kind.INDEX, Kind.UNIQUE, Kind.FOREIGN_KEY})
_ALTERED = frozenset({Kind.NOT_NULL, Kind.NULLABLE, Kind.UNIQUE, Kind.INDEX, Kind.DROP_INDEX})


def eased_by(operation: Operation | None, acts: Sequence[Act], old: Any = None) -> Collection[Kind]:
    """
    Return the kinds of acts that keep nobody waiting for long, because a run sends the operation in parts.

    Args:
        operation: The operation; None for SQL, which is sent as it is.
        acts: What it does.
        old: The field that it changes, as it is before, where it changes one.
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
        return _of_added(kinds, acts)
    if type(operation) is ops.AlterField:
        return kinds if _is_wider(old, operation.field, kinds) else _of_altered(kinds)
    return _NONE


def _is_wider(old: Any, new: Any, kinds: Collection[Kind]) -> bool:
    """Return whether a key of whole numbers changes its width, and nothing else."""
    if old is None or kinds != {Kind.TYPE} or not (old.primary_key and new.primary_key):
        return False
    named = [field.get_internal_type() for field in (old, new)]
    return _COUNTED.issuperset(named) or _PLAIN.issuperset(named)


def _of_added(kinds: Collection[Kind], acts: Sequence[Act]) -> Collection[Kind]:
    """Return them of a new field: also the column, where its default is another for each row."""
    columns = [act for act in acts if act.kind is Kind.ADD_COLUMN]
    if any(act.generated for act in columns):
        return _NONE
    is_filled = all(act.default and not is_constant(act.default) for act in columns)
    return {kind for kind in kinds if kind in _OF_FIELDS or (is_filled and kind is Kind.ADD_COLUMN)}


def _of_altered(kinds: Collection[Kind]) -> Collection[Kind]:
    """Return them of a field that changes in nothing but NULL, being unique or the key, and its index."""
    two = Kind.UNIQUE in kinds and bool({Kind.INDEX, Kind.DROP_INDEX}.intersection(kinds))
    return _NONE if two or not _ALTERED.issuperset(kinds) else kinds
