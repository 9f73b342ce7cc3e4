"""
What every operation of MongoDB can do.

A new operation is a new file with a class of :class:`Operation`; nothing else has to know it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from accord.errors import ConflictingState
from accord.revisions import operation
from accord.seam.types import Direction, Presence, Statement, StepKey
from mongo_migrations import rendering
from mongo_migrations.context import Context, Document
from mongo_migrations.schema import LiveSchema, Outline, judge

if TYPE_CHECKING:
    from pymongo.database import Database


class Operation(operation.Operation[Context]):
    """
    One instruction of a revision: a frozen value with verbs.

    Every verb that writes is idempotent, also after a kill in its middle.
    """

    def requests(self, direction: Direction) -> Sequence[rendering.Request]:
        """Return what it sends, as data: commands, and statements for what is no command."""
        return ()

    def explain(self, direction: Direction) -> Sequence[Statement]:
        """Show what it would send. No server is asked."""
        return [shown for request in self.requests(direction) for shown in rendering.statements(request)]

    @abstractmethod
    def outline(self, outline: Outline, owner: StepKey) -> None:
        """Write into an outline what stands after it."""

    def touches(self, context: Context) -> Collection[str] | None:
        """Return the collections that it makes or changes."""
        outline = Outline()
        self.outline(outline, context.key)
        return {*outline.collections, *outline.validators, *(name for name, _ in outline.indexes)}

    def probe(self, db: Database[Document], owner: StepKey) -> Presence:
        """Look whether its effect is there."""
        outline = Outline()
        self.outline(outline, owner)
        return judge(owner, outline, LiveSchema(db)).presence

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look: only what stands exactly as declared can be ours; anything else stopped us and stays."""
        return self.probe(context.db, context.key) is Presence.DONE

    def digest(self) -> str:
        """Hash what it would send, to notice that a half applied revision was edited."""
        return operation.digest(self.explain(Direction.APPLY))


def conflict(key: StepKey, place: str, differences: Sequence[str]) -> ConflictingState:
    """
    Make the error for an object that exists with another definition.

    Args:
        key: The step that would create it.
        place: The object.
        differences: In words.
    """
    return ConflictingState(
        f"{key}: {place} exists already and differs: {'; '.join(differences)}.",
        hint="Declare what is there, or change what is there to what is declared, and run again.",
    )
