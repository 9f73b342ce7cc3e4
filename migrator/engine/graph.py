"""The graph of all steps of all stores: who needs whom. Pure; no store is asked here."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from accord.seam.types import FIRST, LATEST, Step, StepKey
from migrator.engine import squashes
from migrator.errors import ConflictingLeaves, CyclicDependency, MissingDependency


@dataclass(frozen=True)
class Graph:
    """
    Steps by key, with their dependencies resolved.

    Attributes:
        steps: Every step of the graph.
        parents: What each step needs, resolved to steps of this graph.
        children: The other way round.
        ranks: Position of each store in the settings; part of the order.
        places: Position of a step among those of its store, where the store says so; part of the order.
    """

    steps: Mapping[StepKey, Step]
    parents: Mapping[StepKey, frozenset[StepKey]]
    children: Mapping[StepKey, frozenset[StepKey]]
    ranks: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[StepKey, int] = field(default_factory=dict)

    def __contains__(self, key: object) -> bool:
        return key in self.steps

    def order(self) -> Sequence[StepKey]:
        """
        Return all steps so that each one comes after everything that it needs.

        The order is the same on every machine: among the steps that are free to go, the
        suite's own tables come first, then the stores in the order of the settings, then
        the steps of a store in its own order, or else apps and names by the alphabet.

        Raises:
            CyclicDependency: Steps need each other in a circle.
        """
        waiting = {key: len(parents) for key, parents in self.parents.items()}
        free = [self._rank(key) for key, count in waiting.items() if count == 0]
        heapq.heapify(free)
        ordered: list[StepKey] = []
        while free:
            key = heapq.heappop(free)[-1]
            ordered.append(key)
            for child in self.children[key]:
                waiting[child] -= 1
                if waiting[child] == 0:
                    heapq.heappush(free, self._rank(child))
        if len(ordered) < len(self.steps):
            raise self._cycle({key for key, count in waiting.items() if count})
        return ordered

    def _rank(self, key: StepKey) -> tuple[bool, int, int, str, str, StepKey]:
        later = not self.steps[key].foundation
        rank = self.ranks.get(key.store, len(self.ranks))
        return (later, rank, self.places.get(key, 0), key.app, key.name, key)

    def _cycle(self, stuck: set[StepKey]) -> CyclicDependency:
        """Walk from parent to parent among the steps that never became free until one comes again."""
        path = [min(stuck)]
        while (following := min(parent for parent in self.parents[path[-1]] if parent in stuck)) not in path:
            path.append(following)
        circle = [*path[path.index(following) :], following]
        names = " needs ".join(str(key) for key in circle)
        files = ", ".join(str(self.steps[key].source.path) for key in circle[:-1])
        return CyclicDependency(
            f"Steps need each other in a circle: {names}.", hint=f"Cut one dependency in: {files}."
        )

    def ancestors(self, keys: Iterable[StepKey]) -> frozenset[StepKey]:
        """Return the steps with everything that they need, themselves included."""
        return _reach(keys, self.parents)

    def descendants(self, keys: Iterable[StepKey]) -> frozenset[StepKey]:
        """Return the steps with everything that needs them, themselves included."""
        return _reach(keys, self.children)

    def followers(self, key: StepKey) -> frozenset[StepKey]:
        """Return the steps that come right after a step in its own line, without what else needs it."""
        return frozenset(child for child in self.children[key] if self._follows(child, key))

    def _follows(self, child: StepKey, parent: StepKey) -> bool:
        declared = self.steps[child].follows
        if declared is not None:
            return parent in declared
        return (child.store, child.app) == (parent.store, parent.app)

    def leaves(self, store: str, app: str) -> Sequence[StepKey]:
        """Return the newest steps of an app in a store: those that no other step of it needs."""
        return [
            key
            for key in sorted(self.steps)
            if (key.store, key.app) == (store, app)
            and not any((child.store, child.app) == (store, app) for child in self.children[key])
        ]


def _reach(keys: Iterable[StepKey], edges: Mapping[StepKey, Collection[StepKey]]) -> frozenset[StepKey]:
    found: set[StepKey] = set()
    open_ends = list(keys)
    while open_ends:
        key = open_ends.pop()
        if key not in found:
            found.add(key)
            open_ends.extend(edges[key])
    return frozenset(found)


def build_graph(
    steps: Iterable[Step],
    applied: Collection[StepKey] = (),
    *,
    ranks: Mapping[str, int] | None = None,
    absent_stores: Collection[str] = (),
    unfolded: Collection[StepKey] = (),
) -> Graph:
    """
    Build the graph.

    Args:
        steps: Every step on disk, of every store that takes part.
        applied: Keys of the steps that are applied; they decide whether a squashed
            migration or those that it replaces take part, by Django's rule.
        ranks: Position of each store in the settings.
        absent_stores: Stores that were left out of this run on purpose: a dependency
            on one of them is not missing.
        unfolded: Squashed steps that step aside for their parts whatever is applied.

    Raises:
        MissingDependency: A step needs one that no file provides.
    """
    active, renamed = squashes.choose(list(steps), applied, unfolded)
    resolver = _Resolver(active, renamed, absent_stores)
    parents = {key: resolver.parents_of(step) for key, step in active.items()}
    children: dict[StepKey, set[StepKey]] = {key: set() for key in active}
    for key, needed in parents.items():
        for parent in needed:
            children[parent].add(key)
    return Graph(
        steps=active,
        parents=parents,
        children={key: frozenset(found) for key, found in children.items()},
        ranks=dict(ranks or {}),
    )


class _Resolver:
    """Turns declared dependencies into steps of the graph."""

    def __init__(
        self,
        active: Mapping[StepKey, Step],
        renamed: Mapping[StepKey, frozenset[StepKey]],
        absent_stores: Collection[str],
    ) -> None:
        self._active = active
        self._renamed = renamed
        self._absent_stores = absent_stores
        self._by_app: dict[tuple[str, str], list[StepKey]] = defaultdict(list)
        for key in active:
            self._by_app[key.store, key.app].append(key)

    def parents_of(self, step: Step) -> frozenset[StepKey]:
        return frozenset(parent for key in step.dependencies for parent in self._resolve(step, key)) - {
            step.key
        }

    def _resolve(self, step: Step, key: StepKey) -> Iterator[StepKey]:
        if key in self._active:
            yield key
        elif key.name in (FIRST, LATEST):
            yield from self._ends(step, key)
        elif key in self._renamed:
            yield from (final for name in self._renamed[key] for final in self._resolve(step, name))
        elif key.store not in self._absent_stores:
            raise self._missing(step, key)

    def _ends(self, step: Step, key: StepKey) -> Iterator[StepKey]:
        """Resolve `__first__` and `__latest__`; like Django's, an app without steps is no error."""
        keys = self._by_app.get((key.store, key.app), [])
        inner = {
            dependency
            for member in keys
            for dependency in self._active[member].dependencies
            if (dependency.store, dependency.app) == (key.store, key.app)
        }
        if key.name == LATEST:
            yield from (member for member in keys if member not in inner and member != step.key)
        else:
            yield from (member for member in keys if not self._inside(member) and member != step.key)

    def _inside(self, member: StepKey) -> bool:
        """Return whether a step needs another one of its own app and store."""
        return any(
            (dependency.store, dependency.app) == (member.store, member.app)
            for dependency in self._active[member].dependencies
            if dependency not in self._active[member].replaces
        )

    def _missing(self, step: Step, key: StepKey) -> MissingDependency:
        near = sorted(self._by_app.get((key.store, key.app), []))
        known = f"{key.store}:{key.app} has {', '.join(item.name for item in near)}." if near else ""
        return MissingDependency(
            f"{step.key} needs {key}, which does not exist ({step.source.path}).",
            hint=f"Correct the dependency or add the missing file. {known}".strip(),
        )


def refuse_conflicts(
    graph: Graph, branching_stores: Collection[str] = (), merged_by: Mapping[str, str] = MappingProxyType({})
) -> None:
    """
    Make sure that every app has one newest step in each store.

    Args:
        graph: The graph.
        branching_stores: Stores in which several newest steps are normal (Alembic's heads).
        merged_by: By store, the command of manage.py that brings them together, where one does.

    Raises:
        ConflictingLeaves: An app has two of them, with their files.
    """
    inner = {
        (parent, key.app)
        for key, parents in graph.parents.items()
        for parent in parents
        if (parent.store, parent.app) == (key.store, key.app)
    }
    leaves: dict[tuple[str, str], list[StepKey]] = defaultdict(list)
    for key in sorted(graph.steps):
        if (key, key.app) not in inner and key.store not in branching_stores:
            leaves[key.store, key.app].append(key)
    for (store, app), keys in leaves.items():
        if len(keys) > 1:
            raise _conflict(graph, store, app, keys, merged_by.get(store, ""))


def _conflict(graph: Graph, store: str, app: str, keys: Sequence[StepKey], command: str) -> ConflictingLeaves:
    files = ", ".join(str(graph.steps[key].source.path) for key in keys)
    first, second = keys[0], keys[-1]
    return ConflictingLeaves(
        f"The app “{app}” has {len(keys)} newest steps in the store “{store}”: {files}.",
        hint=f"Bring them together: python manage.py {command}."
        if command
        else f'Let one depend on the other: write ("{app}", "{first.name}") into `dependencies` of '
        f"{graph.steps[second].source.path.name}.",
    )
