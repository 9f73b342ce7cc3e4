"""
What migrations would send, as Django's `sqlmigrate` shows it, for a whole run and without sending it.

The server is asked for two things only, and both can be missing: what is applied, and, by Django's
schema editor itself, the names of constraints that a statement would drop, and how the driver quotes
a default. What can't be known without it is said to be so, operation by operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration, RunPython
from django.db.migrations.state import ProjectState

from accord.errors import StoreUnavailable
from accord.seam.rewriting import PLAIN, Extent, Rewriting
from accord.seam.types import Direction, Language, Statement, Step
from migrator.foretelling.apart import Apart
from migrator.relational import failures
from migrator.relational.graph import GraphLoader
from migrator.relational.loader import DiskLoader, Name
from migrator.relational.safety.rewriter import locks_large, unrolling
from migrator.relational.states import Executor, PastStates
from migrator.relational.unrolled import Substep, Unroll, backwards, forwards, whole
from migrator.relational.vendors import vendor_of


class Explanation:
    """
    Renders steps of one database.

    Args:
        alias: The database.
        disk: Migrations as read from disk.
        steps: Steps to render, in the order in which they would run.
        rewriting: Which of them may be sent in parts.
    """

    def __init__(
        self,
        alias: str,
        disk: DiskLoader,
        steps: Sequence[Step],
        rewriting: Rewriting = PLAIN,
    ) -> None:
        self._steps = steps
        self._rewriting = rewriting
        self._connection = connections[alias]
        self._names = [(step.key.app, step.key.name) for step in steps]
        loader, self._offline = _loader(alias, disk)
        if any(name not in loader.graph.nodes for name in self._names):
            loader.keep_replaced()
        self._executor = Executor(self._connection, loader)

    def render(self, direction: Direction) -> Iterator[tuple[Step, Sequence[Statement]]]:
        """Yield each step with its statements."""
        with _kept_offline(self._connection) if self._offline else _left_alone():
            for step, substeps in self.substeps(direction):
                migration = self._migration((step.key.app, step.key.name))
                # What an operation asks by itself must not act.
                with self._connection.execute_wrapper(_only_reads):
                    statements = self._statements(migration, substeps, direction)
                yield step, statements

    def substeps(self, direction: Direction) -> Iterator[tuple[Step, Iterable[Substep]]]:
        """Yield each step with its operations, in the order in which they would run, and their states."""
        return self._forwards() if direction is Direction.APPLY else self._backwards()

    def _forwards(self) -> Iterator[tuple[Step, Iterable[Substep]]]:
        state = self._state_before_all()
        for step, name in zip(self._steps, self._names, strict=True):
            migration = self._migration(name)
            yield step, forwards(migration, state, self._unroll(step, migration, state))

    def _backwards(self) -> Iterator[tuple[Step, Iterable[Substep]]]:
        loader = self._executor.loader
        loader.applied_migrations.update({name: loader.disk_migrations[name] for name in self._known()})
        past = PastStates(self._executor, frozenset(self._names))
        for step, name in zip(self._steps, self._names, strict=True):
            migration, state = self._migration(name), past.before(name)
            yield step, reversed(backwards(migration, state, self._unroll(step, migration, state)))

    def _unroll(self, step: Step, migration: Migration, state: ProjectState) -> Unroll:
        """Decide as a run does; a table that an earlier step makes isn't there, and so isn't large."""
        extent = Extent.OFF if self._offline else self._rewriting.extent_for(step.key)
        if not locks_large(self._connection, migration, state, extent):
            return whole
        return unrolling(self._connection, migration.app_label)

    def _migration(self, name: Name) -> Migration:
        return self._executor.loader.disk_migrations[name]

    def _state_before_all(self) -> ProjectState:
        """Compute the state after what is applied and what the steps need, without the steps."""
        known = self._known() - set(self._names)
        state = ProjectState(real_apps=self._executor.loader.unmigrated_apps)
        for migration in self._executor.order:
            if (migration.app_label, migration.name) in known:
                migration.mutate_state(state, preserve=False)
        return state

    def _known(self) -> set[Name]:
        loader = self._executor.loader
        needed = {parent for name in self._names for parent in loader.graph.forwards_plan(name)}
        return needed | set(loader.applied_migrations)

    def _statements(
        self, migration: Migration, substeps: Iterable[Substep], direction: Direction
    ) -> Sequence[Statement]:
        statements: list[Statement] = []
        language = vendor_of(self._connection).language
        editor = self._editor()
        for substep in substeps:
            mark = len(editor.collected_sql)
            try:
                opaque = _unwritable(substep, direction)
                if opaque is None:
                    _collect(migration.app_label, editor, substep, direction)
            except Exception as exc:  # noqa: BLE001 - a schema editor may stumble over anything that isn't there
                del editor.collected_sql[mark:]
                opaque = _unknown(substep, exc)
            made = _shown(editor.collected_sql[mark:], language)
            statements.extend(made if substep.part is None else _apart(made, substep))
            statements.extend([opaque] if opaque else [])
        mark = len(editor.collected_sql)
        for sql in editor.deferred_sql:
            editor.execute(sql, None)
        return [*statements, *_shown(editor.collected_sql[mark:], language)]

    def _editor(self) -> BaseDatabaseSchemaEditor:
        editor = self._connection.schema_editor(collect_sql=True, atomic=False)
        editor.deferred_sql = []
        if self._offline:
            # PostgreSQL's own asks the driver to quote, which needs a connection; the base quotes by itself.
            editor.execute = partial(BaseDatabaseSchemaEditor.execute, editor)  # type: ignore[method-assign]
        return editor


_WRITES = re.compile(r"\b(INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|MERGE\s+INTO)\b", re.IGNORECASE)
"""What a query may hold behind WITH."""
_READS = ("SELECT", "WITH", "SHOW", "VALUES", "SAVEPOINT", "RELEASE")


class _SendsByItself(Exception):
    """An operation sends through a cursor of its own, where it is only asked for its statements."""


def _only_reads(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's
    """Refuse whatever an operation would send by itself while it is only asked for its statements."""
    if not sql.lstrip(" (\n").upper().startswith(_READS) or _WRITES.search(sql):
        raise _SendsByItself
    return execute(sql, params, many, context)


def _shown(collected: Iterable[str], language: Language) -> Iterator[Statement]:
    return (Statement(text=text, language=language) for text in collected)


def _apart(statements: Iterable[Statement], substep: Substep) -> Iterator[Statement]:
    sure = getattr(substep.operation, "sure", False)
    return (Apart(text=each.text, language=each.language, sure=sure) for each in statements)


def _collect(app: str, editor: BaseDatabaseSchemaEditor, substep: Substep, direction: Direction) -> None:
    if direction is Direction.APPLY:
        substep.operation.database_forwards(app, editor, substep.before, substep.after)
    else:
        substep.operation.database_backwards(app, editor, substep.after, substep.before)


def _unwritable(substep: Substep, direction: Direction) -> Statement | None:
    """Return a statement for code whose effect can't be shown."""
    operation = substep.operation
    if operation.reduces_to_sql:
        return None
    text = f"{operation.describe()}: what it does can't be shown without running it."
    if isinstance(operation, RunPython):
        code = operation.code if direction is Direction.APPLY else operation.reverse_code
        name = f"{getattr(code, '__module__', '')}.{getattr(code, '__qualname__', '')}"
        text = f"Runs the Python function {name}: what it does can't be shown without running it."
    return Statement(text=text, language=Language.PYTHON, opaque=True)


def _unknown(substep: Substep, error: Exception) -> Statement:
    if isinstance(error, _SendsByItself):
        text = f"{substep.operation.describe()}: it sends by itself, which can't be shown without running it."
        return Statement(text=text, language=Language.PYTHON, opaque=True)
    text = (
        f"{substep.operation.describe()}: the exact statements depend on names in the live database, "
        f"which could not be asked for them ({type(error).__name__})."
    )
    return Statement(text=text, language=Language.PYTHON, opaque=True)


def _loader(alias: str, disk: DiskLoader) -> tuple[GraphLoader, bool]:
    """Build the graph with what is applied, or without when the server doesn't answer."""
    try:
        with failures.translated(alias):
            return GraphLoader(connections[alias], disk), False
    except StoreUnavailable:
        return GraphLoader(None, disk), True


@contextmanager
def _kept_offline(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Make every attempt to connect fail at once: a silent server is asked once, not for each operation."""

    def refuse() -> None:
        raise OperationalError("the server can't be reached")

    connection.connect = refuse  # type: ignore[method-assign]  # undone below
    try:
        yield
    finally:
        del connection.connect


@contextmanager
def _left_alone() -> Iterator[None]:
    yield
