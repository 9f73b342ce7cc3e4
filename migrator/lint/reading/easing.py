"""What a run sends in parts by itself, told from an operation alone."""

from __future__ import annotations

from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from migrator.relational.safety import checks, indexes
from migrator.relational.safety.case import Case
from migrator.relational.unrolled import Substep

_RULES = (indexes.adding, indexes.removing, checks.adding)
"""Those that look at nothing but the operation."""


def is_eased(app: str, operation: Operation) -> bool:
    """
    Return whether a run may send an operation in parts.

    Args:
        app: Label of the app.
        operation: The operation.
    """
    nothing = ProjectState()
    case = Case(app, Substep(operation, nothing, nothing))
    return any(rule(case) for rule in _RULES)
