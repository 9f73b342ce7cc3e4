"""What a rule is asked about: one operation of one migration, before anything of it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState

from migrator.relational.unrolled import Substep


@dataclass(frozen=True)
class Case:
    """
    An operation that may be sent in parts.

    Attributes:
        app: Label of the migration's app.
        substep: The operation with its states.
    """

    app: str
    substep: Substep

    @property
    def operation(self) -> Any:
        """The operation."""
        return self.substep.operation

    @property
    def model_before(self) -> ModelState:
        """The model as it is before the operation."""
        model: ModelState = self.substep.before.models[self.app, self.operation.model_name.lower()]
        return model


Rule = Callable[[Case], Sequence[Operation]]
"""Gives the parts of an operation; none where it isn't the rule's, or is best sent as it is."""
