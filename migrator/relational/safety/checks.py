"""A check holds for new rows first, and is validated beside those who write."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db.migrations import AddConstraint, RemoveConstraint
from django.db.migrations.operations.base import Operation
from django.db.models import CheckConstraint

from migrator.relational.safety.case import Case, reversed_parts


def adding(case: Case) -> Sequence[Operation]:
    """Rewrite a check that is added."""
    operation = case.operation
    return _parts(operation.model_name, operation.constraint) if type(operation) is AddConstraint else ()


def removing(case: Case) -> Sequence[Operation]:
    """Rewrite a check that is removed, which its way back adds."""
    operation = case.operation
    if type(operation) is not RemoveConstraint:
        return ()
    constraint = case.model_before.get_constraint_by_name(operation.name)
    return reversed_parts(_parts(operation.model_name, constraint))


def _parts(model: str, constraint: object) -> Sequence[Operation]:
    if not isinstance(constraint, CheckConstraint):
        return ()
    return (AddConstraintNotValid(model, constraint), ValidateConstraint(model, constraint.name))
