"""
Indexes built without a lock on writes: probe by name, definition and validity, then act.

`CREATE INDEX CONCURRENTLY` that is cut leaves an invalid index behind, which `IF NOT EXISTS`
would take for the real one. The server goes on building for a while when its client was killed,
so the first question is always whether another session is still building it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Index, Model

from accord.errors import ConflictingState, StepFailed
from accord.seam.types import Direction
from migrator.relational.live_indexes import LiveIndex, LiveIndexes

_PROBE_TABLE = "accord_index_probe"


@dataclass(frozen=True)
class IndexPlan:
    """Which index of which model an operation builds or drops."""

    model: type[Model]
    index: Index
    builds: bool


def index_plan(
    app: str, operation: Operation, before: ProjectState, after: ProjectState, direction: Direction
) -> IndexPlan:
    """
    Read an index operation as Django does: adding looks at the state after, removing at the one before.

    Args:
        app: Label of the migration's app.
        operation: Adds or removes an index.
        before: State before it.
        after: State after it.
        direction: Which way it goes.
    """
    if planned := getattr(operation, "planned", None):
        plan: IndexPlan = planned(app, before, after, direction)
        return plan
    forward = direction is Direction.APPLY
    if isinstance(operation, AddIndex):
        return IndexPlan(after.apps.get_model(app, operation.model_name), operation.index, forward)
    if not isinstance(operation, RemoveIndex):
        raise TypeError(f"{operation!r} is about no index")
    index = before.models[app, operation.model_name_lower].get_index_by_name(operation.name)
    return IndexPlan(before.apps.get_model(app, operation.model_name), index, not forward)


class ConcurrentIndex:
    """
    One index of one model, to be built or dropped without blocking writes.

    Args:
        editor: Schema editor outside of any transaction.
        model: Model of the table.
        index: The index as declared.
        wait: Called between looks while another session is building; raises to give up.
    """

    def __init__(
        self, editor: BaseDatabaseSchemaEditor, model: type[Model], index: Index, wait: Callable[[], None]
    ) -> None:
        self._editor: Any = editor
        self._model = model
        self._index = index
        table = editor.quote_name(model._meta.db_table)
        self._live = LiveIndexes(editor.connection, table, wait)

    def build(self, act: Callable[[], None]) -> str:
        """
        Build the index unless a usable one of the same definition is there.

        Args:
            act: Sends the statement.

        Returns:
            What was found and put right, for people; empty when there was nothing.

        Raises:
            ConflictingState: The name belongs to another index.
            StepFailed: The server built it and it is not usable.
        """
        note = self._live.await_builders()
        live = self._live.look(self._index.name)
        if live is not None:
            self._refuse_another(live)
            if live.usable:
                return note or f"the index {self._index.name} was there already"
            note = self._live.drop_unusable(self._index.name) or note
        self._create(act)
        return note

    def remove(self) -> str:
        """Drop the index unless it is gone; by its schema: Django drops what the search path finds."""
        note = self._live.await_builders()
        live = self._live.look(self._index.name)
        if live is None or not live.is_ours:
            return note or f"the index {self._index.name} was gone already"
        self._live.drop(live)
        return note

    def _create(self, act: Callable[[], None]) -> None:
        try:
            act()
        except DatabaseError:
            live = self._live.look(self._index.name)
            if live is not None and not live.usable and live.is_ours:
                self._live.drop(live)
            raise
        live = self._live.look(self._index.name)
        if live is None or not live.usable:
            raise StepFailed(
                f"The index {self._index.name} was built and is not usable.",
                hint="Run the same command again; it drops what is left and builds anew.",
            )

    def _refuse_another(self, live: LiveIndex) -> None:
        if not live.is_ours:
            raise self._conflict(f"it is on the table {live.table}")
        wanted = self._wanted_definition()
        if live.definition != wanted:
            raise self._conflict(f"it is “{live.definition}”, declared is “{wanted}”")

    def _conflict(self, difference: str) -> ConflictingState:
        return ConflictingState(
            f"An index {self._index.name} exists with another definition: {difference}.",
            hint="Rename or drop that index, or give the declared one another name.",
        )

    def _wanted_definition(self) -> str:
        """Ask the server how it would write the declared index: build it on an empty copy, and roll back."""
        table = self._model._meta.db_table
        with _rolled_back(self._editor.connection.alias):
            quoted = self._editor.quote_name(table)
            self._live.run(f"CREATE TEMPORARY TABLE {_PROBE_TABLE} (LIKE {quoted})")
            statement: Any = self._index.create_sql(self._model, self._editor)
            statement.rename_table_references(table, _PROBE_TABLE)
            statement.parts["name"] = self._editor.quote_name(f"{_PROBE_TABLE}_i")
            self._live.run(str(statement), None)
            copy = LiveIndexes(self._editor.connection, _PROBE_TABLE, lambda: None)
            wanted = copy.look(f"{_PROBE_TABLE}_i")
        return wanted.definition if wanted else ""


@contextmanager
def _rolled_back(alias: str) -> Iterator[None]:
    with transaction.atomic(using=alias):
        yield
        transaction.set_rollback(True, using=alias)
