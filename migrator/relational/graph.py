"""Django's graph of migrations, and the order that it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import CircularDependencyError, NodeNotFoundError
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.loader import MigrationLoader

from migrator.errors import CyclicDependency, MissingDependency
from migrator.relational.loader import DiskLoader, Name


class GraphLoader(MigrationLoader):
    """Django's loader with its graph, built from what was read before and from a live ledger."""

    def __init__(self, connection: BaseDatabaseWrapper | None, disk: DiskLoader) -> None:
        self._disk = disk
        super().__init__(connection)

    def keep_replaced(self) -> None:
        """Build the graph of the migrations that were squashed, leaving out what stands for them."""
        self.replace_migrations = False
        self.build_graph()
        for name, migration in self.replacements.items():
            if all(part in self.graph.nodes for part in migration.replaces):
                self.graph.remove_replacement_node(name, migration.replaces)
                self.applied_migrations.pop(name, None)

    def load_disk(self) -> None:
        """Take over what was read; the migrations stay the very same objects."""
        self.disk_migrations = dict(self._disk.migrations)
        self.unmigrated_apps = set(self._disk.unmigrated_apps)
        self.migrated_apps = set(self._disk.migrated_apps)


class RecordedLoader(GraphLoader):
    """
    Django's loader with its graph, built from what was read before: files and ledger.

    Args:
        disk: Migrations as read from disk.
        recorded: Names in Django's table.
    """

    def __init__(self, disk: DiskLoader, recorded: Iterable[Name]) -> None:
        self._recorded = tuple(recorded)
        super().__init__(None, disk)

    @property
    def applied_migrations(self) -> dict[Name, Any]:
        """Migrations that are applied; while the graph is built, Django corrects them."""
        return self._applied

    @applied_migrations.setter
    def applied_migrations(self, _: object) -> None:
        # Django puts here what the server says, and nothing where it has no server to ask.
        self._applied: dict[Name, Any] = dict.fromkeys(self._recorded)


def full_order(graph: MigrationGraph) -> Sequence[Name]:
    """
    Return the migrations in the order in which Django's `migrate` sees them on an empty database.

    Leaf by leaf, each after everything that it needs: what `MigrationExecutor.migration_plan` gives
    for all leaves, in one walk instead of one for each leaf.
    """
    ordered: dict[Name, None] = {}
    for leaf in graph.leaf_nodes():
        stack = [(graph.node_map[leaf], False)]
        while stack:
            node, is_ready = stack.pop()
            if node.key in ordered:
                continue
            if is_ready:
                ordered[node.key] = None
            else:
                stack.append((node, True))
                stack.extend((parent, False) for parent in sorted(node.parents))
    return list(ordered)


@contextmanager
def translated_graph() -> Iterator[None]:
    """
    Turn what Django says of a graph that is none into our errors.

    Raises:
        MissingDependency: A migration needs one that no file provides.
        CyclicDependency: Migrations need each other in a circle.
    """
    try:
        yield
    except (NodeNotFoundError, ValueError) as exc:
        raise MissingDependency(
            f"{exc}.", hint="Add the missing migration or correct the dependency."
        ) from exc
    except CircularDependencyError as exc:
        raise CyclicDependency(
            f"These migrations wait for each other: {exc}.", hint="Take one dependency out."
        ) from exc
