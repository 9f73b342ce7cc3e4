"""An index is built and dropped beside those who write."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.migrations import AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation

from migrator.relational.safety.case import Case


def adding(case: Case) -> Sequence[Operation]:
    """Rewrite an index that is added."""
    operation = case.operation
    if type(operation) is not AddIndex:
        return ()
    return (AddIndexConcurrently(operation.model_name, operation.index),)


def removing(case: Case) -> Sequence[Operation]:
    """Rewrite an index that is removed, which its way back builds."""
    operation = case.operation
    if type(operation) is not RemoveIndex:
        return ()
    return (RemoveIndexConcurrently(operation.model_name, operation.name),)
