"""A check holds for new rows first, and is validated beside those who write."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db.migrations import AddConstraint, RemoveConstraint
from django.db.migrations.operations.base import Operation
from django.db.models import CheckConstraint

from migrator.relational.safety.case import Case
from migrator.relational.safety.parts import RemoveCheck, ValidateOnReturn


def adding(case: Case) -> Sequence[Operation]:
    """Rewrite a check that is added."""
    operation = case.operation
    if type(operation) is not AddConstraint or not isinstance(operation.constraint, CheckConstraint):
        return ()
    model, constraint = operation.model_name, operation.constraint
    return (AddConstraintNotValid(model, constraint), ValidateConstraint(model, constraint.name))


def removing(case: Case) -> Sequence[Operation]:
    """Rewrite a check that is removed, which its way back adds."""
    operation = case.operation
    if type(operation) is not RemoveConstraint:
        return ()
    if not isinstance(case.model_before.get_constraint_by_name(operation.name), CheckConstraint):
        return ()
    model, name = operation.model_name, operation.name
    return (ValidateOnReturn(model, name), RemoveCheck(model, name))
