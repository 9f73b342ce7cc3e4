"""What a rule is asked about: one operation of one migration, before anything of it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.migrations import AddConstraint, RemoveConstraint
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState
from django.db.models import NOT_PROVIDED, Model

from migrator.relational.safety.parts import Reversed
from migrator.relational.unrolled import Substep


@dataclass(frozen=True)
class Case:
    """
    An operation that may be sent in parts.

    Attributes:
        connection: Of the database.
        app: Label of the migration's app.
        substep: The operation with its states.
    """

    connection: Any
    app: str
    substep: Substep

    @property
    def operation(self) -> Any:
        """The operation."""
        return self.substep.operation

    @property
    def editor(self) -> Any:
        """Django's schema editor, to ask for names and statements; nothing is sent by it."""
        return self.connection.schema_editor(atomic=False)

    @property
    def model_name(self) -> str:
        """Name of the model that the operation is about."""
        return model_name_of(self.operation)

    @property
    def model_before(self) -> ModelState:
        """The model as it is before the operation."""
        model: ModelState = self.substep.before.models[self.app, self.model_name.lower()]
        return model

    @property
    def before(self) -> type[Model]:
        """The model's class before the operation."""
        return self.substep.before.apps.get_model(self.app, self.model_name)

    @property
    def after(self) -> type[Model]:
        """The model's class after it."""
        return self.substep.after.apps.get_model(self.app, self.model_name)

    @property
    def one_time_default(self) -> Any:
        """The default for the rows that stand, which no later row gets; NOT_PROVIDED if there is none."""
        keeps = getattr(self.operation, "preserve_default", True)
        return NOT_PROVIDED if keeps else self.operation.field.default

    def has_column(self, field: Any) -> bool:
        """Return whether a field is one column of its own table; fields of packages may be anything."""
        concrete = getattr(field, "concrete", False) and not field.many_to_many
        return bool(concrete) and field.db_type(self.connection) is not None


def model_name_of(operation: Any) -> str:
    """Return the name of the model that an operation is about."""
    return str(getattr(operation, "model_name", "") or operation.name)


def reversed_parts(parts: Sequence[Operation]) -> Sequence[Operation]:
    """Return the parts of taking away: those of adding, the last first, each the other way round."""
    return tuple(Reversed(part) for part in reversed(parts))


def added(case: Case, parts: Callable[[str, object], Sequence[Operation]]) -> Sequence[Operation]:
    """
    Return the parts of a constraint that an operation adds; none where it adds none.

    Args:
        case: The operation.
        parts: Gives the parts of adding a constraint to a model; none of one that isn't its kind.
    """
    operation = case.operation
    return parts(operation.model_name, operation.constraint) if type(operation) is AddConstraint else ()


def removed(case: Case, parts: Callable[[str, object], Sequence[Operation]]) -> Sequence[Operation]:
    """Return those of one that it removes, which its way back adds; arguments as for :func:`added`."""
    operation = case.operation
    if type(operation) is not RemoveConstraint:
        return ()
    constraint = case.model_before.get_constraint_by_name(operation.name)
    return reversed_parts(parts(operation.model_name, constraint))


Rule = Callable[[Case], Sequence[Operation]]
"""Gives the parts of an operation; none where it isn't the rule's, or is best sent as it is."""
