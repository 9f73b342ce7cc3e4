"""A check holds for new rows first, and is validated beside those who write."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db.migrations.operations.base import Operation
from django.db.models import CheckConstraint

from migrator.relational.safety.case import Case, added, removed


def adding(case: Case) -> Sequence[Operation]:
    """Rewrite a check that is added."""
    return added(case, _parts)


def removing(case: Case) -> Sequence[Operation]:
    """Rewrite a check that is removed, which its way back adds."""
    return removed(case, _parts)


def _parts(model: str, constraint: object) -> Sequence[Operation]:
    if not isinstance(constraint, CheckConstraint):
        return ()
    return (AddConstraintNotValid(model, constraint), ValidateConstraint(model, constraint.name))
