"""Django's project states: carried along on the way forward, made anew in windows on the way back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from migrator.relational.graph import GraphLoader, full_order, translated_graph
from migrator.relational.loader import DiskLoader, Name

WINDOW = 40
"""States kept ready on the way back: more cost memory, fewer cost renderings."""


class Executor(MigrationExecutor):
    """Django's executor over migrations that are read already."""

    loader: GraphLoader

    def __init__(self, connection: BaseDatabaseWrapper, loader: GraphLoader) -> None:
        self.connection = connection
        self.loader = loader
        self.recorder = MigrationRecorder(connection)
        self.progress_callback = None

    @property
    def order(self) -> Sequence[Migration]:
        """Every migration in the order in which an empty database would see them."""
        return [self.loader.graph.nodes[name] for name in full_order(self.loader.graph)]

    def state_of_applied(self) -> ProjectState:
        """Compute the state after everything that is applied."""
        applied = self.loader.applied_migrations
        state = ProjectState(real_apps=self.loader.unmigrated_apps)
        for migration in self.order:
            if _name(migration) in applied:
                migration.mutate_state(state, preserve=False)
        return state


class Project:
    """
    What one run knows of a database: Django's graph, and the state after what is applied.

    Args:
        alias: The database.
        disk: Migrations as read from disk.
    """

    def __init__(self, alias: str, disk: DiskLoader) -> None:
        self._alias = alias
        self.recorded = recorded_names(alias)
        """Names in Django's table when this was built."""
        with translated_graph():
            self.executor = Executor(connections[alias], GraphLoader(connections[alias], disk))
        self._state: ProjectState | None = None
        self._past: PastStates | None = None

    @property
    def applied(self) -> MutableMapping[Name, Any]:
        """Migrations that are applied, as this run knows it."""
        return self.executor.loader.applied_migrations

    def knows(self, name: Name) -> bool:
        """Return whether a file declares a migration."""
        return name in self.executor.loader.disk_migrations

    def migration(self, name: Name) -> Migration:
        """Return a migration; one that a squashed one stands for makes Django's graph do without that one."""
        loader = self.executor.loader
        if name not in loader.graph.nodes and name in loader.disk_migrations:
            loader.keep_replaced()
            self.forget_states()
        return loader.disk_migrations[name]

    def replaced_by(self, name: Name) -> Sequence[tuple[Name, Migration]]:
        """Return the squashed migrations that replace a migration."""
        found: Mapping[Name, Migration] = self.executor.loader.replacements
        return [(key, migration) for key, migration in found.items() if name in migration.replaces]

    # --- forward -------------------------------------------------------------------

    def state(self) -> ProjectState:
        """Return the state after everything applied, rendered once and then carried along."""
        if self._state is None:
            self._state = self.executor.state_of_applied()
        if "apps" not in self._state.__dict__:
            _ = self._state.apps  # rendering the whole once is what makes each step after it cheap
        return self._state

    def advance(self, names: Collection[Name], state: ProjectState) -> None:
        """Take note that a migration was applied, and of the state after it."""
        self._state = state
        self._past = None
        self.applied.update(dict.fromkeys(names))

    def learn(self, names: Collection[Name]) -> None:
        """Note migrations that another process applied: the carried state doesn't fit any more."""
        if not self.applied.keys() >= set(names):
            self.forget_states()
            self.applied.update(dict.fromkeys(names))

    def forget_states(self) -> None:
        """Drop states that a failed step may have spoilt."""
        self._state = None
        self._past = None

    # --- back ------------------------------------------------------------------------

    def expect_reverts(self, names: Collection[Name]) -> None:
        """Announce which migrations will be reverted, so that only their states are kept ready."""
        self._past = PastStates(self.executor, frozenset(names))

    def state_before(self, name: Name) -> ProjectState:
        """Return the state before a migration that is applied, wholly or half."""
        if self._past is None:
            self._past = PastStates(self.executor)
        return self._past.before(name)

    def retreat(self, names: Collection[Name]) -> None:
        """Take note that a migration was reverted."""
        self._state = None
        for name in names:
            self.applied.pop(name, None)


class PastStates:
    """
    The states before each of many migrations, asked for from the newest to the oldest.

    A state can only be computed forwards. Two passes make n of them cost n and not n²: the
    first leaves a bare copy every :data:`WINDOW` migrations, the second starts at the nearest
    copy and renders one window, whose states are handed out and let go.

    Args:
        executor: Knows the graph and what was applied at the start.
        wanted: Migrations whose states will be asked for; None for "may be any".
    """

    def __init__(self, executor: Executor, wanted: Collection[Name] | None = None) -> None:
        self._executor = executor
        self._wanted = wanted
        applied = executor.loader.applied_migrations
        self._order = [
            migration
            for migration in executor.order
            if _name(migration) in applied or (wanted is not None and _name(migration) in wanted)
        ]
        self._place = {_name(migration): place for place, migration in enumerate(self._order)}
        self._copies: dict[int, ProjectState] = {}
        self._ready: dict[Name, ProjectState] = {}

    def before(self, name: Name) -> ProjectState:
        """Return the state before a migration, rendered."""
        if name not in self._place:
            return self._before_stranger(name)
        if name not in self._ready:
            self._fill_window(self._place[name])
        state = self._ready.pop(name)
        if "apps" not in state.__dict__:
            _ = state.apps
        return state

    def _before_stranger(self, name: Name) -> ProjectState:
        """Compute the state before a migration that isn't recorded: one that was begun and killed."""
        state = ProjectState(real_apps=self._executor.loader.unmigrated_apps)
        for migration in self._executor.order:
            if _name(migration) == name:
                break
            if _name(migration) in self._executor.loader.applied_migrations:
                migration.mutate_state(state, preserve=False)
        return state

    def _fill_window(self, last: int) -> None:
        self._ready.clear()
        self._make_copies()
        start = (last // WINDOW) * WINDOW
        state = self._copies[start].clone()
        for migration in self._order[start : last + 1]:
            if self._is_wanted(migration):
                _ = state.apps
                self._ready[_name(migration)] = state
                state = state.clone()
            migration.mutate_state(state, preserve=False)

    def _make_copies(self) -> None:
        if self._copies:
            return
        state = ProjectState(real_apps=self._executor.loader.unmigrated_apps)
        for place, migration in enumerate(self._order):
            if place % WINDOW == 0:
                self._copies[place] = state.clone()
            migration.mutate_state(state, preserve=False)

    def _is_wanted(self, migration: Migration) -> bool:
        return self._wanted is None or _name(migration) in self._wanted


def recorded_names(alias: str) -> frozenset[Name]:
    """Read the names in Django's table."""
    return frozenset(MigrationRecorder(connections[alias]).applied_migrations())


def _name(migration: Migration) -> Name:
    return migration.app_label, migration.name
