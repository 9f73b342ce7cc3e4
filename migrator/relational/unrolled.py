"""A migration unrolled into its operations, each with the state before and after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

from django.db.migrations import Migration, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


@dataclass(frozen=True)
class Substep:
    """
    One operation, with the states before and after it.

    Attributes:
        operation: What is done.
        before: State before it.
        after: State after it.
        part: Which part it is of an operation that is sent in parts, from 0 on; None for a whole one.
        of: The operation that it is a part of.
        ends: Whether it is the last part.
    """

    operation: Operation
    before: ProjectState
    after: ProjectState
    part: int | None = None
    of: Operation | None = None
    ends: bool = False

    @property
    def goes_on(self) -> bool:
        """It commits in its middle: a rerun goes on there, and the way back begins there."""
        return bool(getattr(self.operation, "goes_on", False))


Unroll = Callable[[Substep], Sequence[Substep]]
"""Makes parts of an operation; what is handed to it are the operations of one migration in their order."""


def whole(substep: Substep) -> Sequence[Substep]:
    """Leave an operation as it is."""
    return (substep,)


def forwards(migration: Migration, state: ProjectState, unroll: Unroll = whole) -> Iterator[Substep]:
    """
    Go through a migration's substeps; the state moves with them.

    Args:
        migration: The migration.
        state: State before it. Holds the state after it once the iterator is used up.
        unroll: Makes parts of operations.
    """
    for operation in migration.operations:
        before = state.clone()
        operation.state_forwards(migration.app_label, state)
        for leaf in _leaves(migration.app_label, Substep(operation, before, state)):
            yield from unroll(leaf)


def backwards(migration: Migration, state: ProjectState, unroll: Unroll = whole) -> Sequence[Substep]:
    """
    List a migration's substeps from the first to the last, each with states of its own.

    Args:
        migration: The migration.
        state: State before it; stays as it is.
        unroll: As above.
    """
    substeps: list[Substep] = []
    for operation in migration.operations:
        after = state.clone()
        operation.state_forwards(migration.app_label, after)
        for leaf in _leaves(migration.app_label, Substep(operation, state, after)):
            substeps.extend(unroll(leaf))
        state = after
    return substeps


def _leaves(app: str, outer: Substep) -> Iterator[Substep]:
    """Look into Django's own wrapper, so that what it holds can be taken up one by one."""
    if type(outer.operation) is not SeparateDatabaseAndState:
        yield outer
        return
    before = outer.before
    for operation in outer.operation.database_operations:
        after = before.clone()
        operation.state_forwards(app, after)
        yield from _leaves(app, Substep(operation, before, after))
        before = after


def to_undo(operation: Operation) -> Operation:
    """
    Return a copy of an operation, which is undone in its place.

    Django's `RenameModel` swaps its two names while it is undone, and leaves them so when that fails: tried
    again, it would look for a model that isn't there.
    """
    made = copy(operation)
    if isinstance(made, SeparateDatabaseAndState):
        made.database_operations = [to_undo(one) for one in made.database_operations]
    return made


def all_to_undo(migration: Migration) -> Migration:
    """Return a copy of a migration, whose operations are copies; see :func:`to_undo`."""
    made = copy(migration)
    made.operations = [to_undo(one) for one in migration.operations]  # type: ignore[misc]  # as Django does
    return made
