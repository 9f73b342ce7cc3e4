"""The situation: what the files declare and what the ledgers hold, read once for a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from accord.identity import Identity, identity_if_marked
from accord.seam.origins import found_among
from accord.seam.past import KeepsTexts
from accord.seam.registry import Registry
from accord.seam.stores import KnowsApps, Orders, Store, read_ledger
from accord.seam.types import AppliedStep, BegunStep, Direction, Recorded, Step, StepKey
from migrator.engine.drift import Drift, find_drift
from migrator.engine.graph import Graph, build_graph, refuse_conflicts
from migrator.engine.plan import ZERO, Target, find_step, names_step
from migrator.engine.squashes import foldable, with_replacements

if TYPE_CHECKING:
    from migrator.governance.acceptances import Acceptance


@dataclass(frozen=True, kw_only=True)
class Situation:
    """
    Files and ledgers at one moment.

    Attributes:
        steps: Every step on disk.
        applied: The ledgers of all stores, by key.
        graph: The steps that take part.
        unread: Stores that were not asked, because what is wanted has nothing to do with them; none of
            their steps takes part.
        begun: Steps that a run began, one way or the other, and did not end; also of another release.
        absent: Steps in the ledgers of which no file is expected here, each with a clause why.
        acceptances: What people said to drift, by its digest.
        identities: What each store that was asked says of itself; None where it says nothing yet.
    """

    steps: tuple[Step, ...]
    applied: Mapping[StepKey, AppliedStep]
    graph: Graph
    unread: frozenset[str] = frozenset()
    begun: Mapping[StepKey, BegunStep] = field(default_factory=dict)
    absent: Mapping[StepKey, str] = field(default_factory=dict)
    acceptances: Mapping[str, Acceptance] = field(default_factory=dict)
    identities: Mapping[str, Identity | None] = field(default_factory=dict)

    @cached_property
    def half_reverted(self) -> frozenset[StepKey]:
        """Keys of steps whose revert was begun and did not end."""
        return frozenset(key for key, entry in self.applied.items() if entry.reverting)

    @cached_property
    def done(self) -> frozenset[StepKey]:
        """Keys that count as applied, squashed steps included; a half reverted step does not."""
        return with_replacements(self.steps, self.applied.keys() - self.half_reverted)

    @cached_property
    def standing(self) -> frozenset[StepKey]:
        """As :attr:`done`, with the half applied and half reverted ones: what a revert has to undo."""
        return self.done | with_replacements(self.steps, self.applied) | self.begun.keys()

    @cached_property
    def unfinished(self) -> frozenset[StepKey]:
        """Keys of the steps that are pending or half done: what they make is not wholly in their stores."""
        pending = {key for key in self.graph.steps if key not in self.done}
        return frozenset({*pending, *self.begun, *self.half_reverted})

    @cached_property
    def found(self) -> frozenset[StepKey]:
        """Keys of the steps whose effect was found, or that a person vouched for: a revert leaves it."""
        return found_among(self.steps, self.applied)

    @cached_property
    def on_disk(self) -> frozenset[StepKey]:
        """Keys of the steps that a file declares."""
        return frozenset(step.key for step in self.steps)

    @cached_property
    def drift(self) -> Sequence[Drift]:
        """Where files and ledgers disagree, with what people said to it."""
        found = find_drift(self.graph, self.steps, self.applied, self.begun, self.absent)
        return [one.judged(self.acceptances) for one in found]

    @property
    def stops(self) -> Sequence[Drift]:
        """The disagreements that stop a run."""
        return [found for found in self.drift if not found.tolerable]

    def graph_back(self, text: str, target: Target) -> Graph:
        """
        Return the graph for a way back: where it leads into a squashed step, its parts stand for it.

        Args:
            text: Names a step, as in :func:`migrator.engine.plan.find_step`; may be empty.
            target: Gives the stores and the app where the text leaves them out.
        """
        if not text or text == ZERO or names_step(self.graph, text, target):
            return self.graph
        squashed = [step for step in foldable(self.steps) if step.key in self.graph]
        apart = self._unfolded(squashed)
        if not names_step(apart, text, target):
            return self.graph
        part = find_step(apart, text, target)
        return self._unfolded([step for step in squashed if part in step.replaces])

    def _unfolded(self, squashed: Collection[Step]) -> Graph:
        graph = build_graph(
            self.steps, self.applied, ranks=self.graph.ranks, unfolded=[step.key for step in squashed]
        )
        places = self.graph.places
        parts = {part: places[step.key] for step in squashed for part in step.replaces if step.key in places}
        return replace(graph, places={**parts, **places})

    def refuse_drift(self, is_mended: Callable[[Drift], bool] | None = None) -> None:
        """
        Raise at the first disagreement that an operator has to mend.

        Args:
            is_mended: Tells which of them the caller is about to mend; none unless given.

        Raises:
            DriftError: The first one found; the others are in :attr:`drift`.
        """
        for found in self.stops:
            if not (is_mended and is_mended(found)):
                raise found.error


def read_situation(
    registry: Registry, only: Collection[str] = (), direction: Direction = Direction.APPLY
) -> Situation:
    """
    Read the files of all stores, and at the same time the ledgers of those that are concerned.

    Args:
        registry: The stores.
        only: Aliases that a request names; empty for all. A store that has nothing to do with these is
            not asked, not even connected to.
        direction: Whether steps are going to be applied or reverted.

    Raises:
        RevisionError: A file can't be used, or the files don't form a graph.
        StoreUnavailable: A ledger can't be read.
        MarkNotUnderstood: What a store says of itself can't be read.
    """
    stores = [registry[alias] for alias in registry]
    steps = tuple(step for store in stores for step in store.steps()) if only else None
    asked = concerned(steps, only, direction) if steps is not None else frozenset(registry)
    with ThreadPoolExecutor(max_workers=max(len(stores), 1), thread_name_prefix="ledger") as pool:
        pending: list[Future[_Read]] = [
            pool.submit(_read, store)
            for store in stores
            if store.alias in asked and not store.features.thread_bound
        ]
        if steps is None:
            steps = tuple(step for store in stores for step in store.steps())
        found = [_read(store) for store in stores if store.alias in asked and store.features.thread_bound]
        found += [future.result() for future in pending]
    ledgers = [ledger for _, ledger, _ in found]
    applied = {key: entry for ledger in ledgers for key, entry in ledger.applied.items()}
    begun = {key: entry for ledger in ledgers for key, entry in ledger.begun.items()}
    identities = {alias: own for alias, _, own in found}
    unread = frozenset(registry) - asked
    steps = _with_past(registry, steps, asked)
    graph = _graph(registry, steps, applied, unread)
    absent = _absent(registry, applied.keys() - {step.key for step in steps})
    return Situation(
        steps=steps,
        applied=applied,
        graph=graph,
        begun=begun,
        unread=unread,
        absent=absent,
        identities=identities,
    )


def _with_past(registry: Registry, steps: tuple[Step, ...], asked: Collection[str]) -> tuple[Step, ...]:
    """Put the steps that ledgers keep beside those of files."""
    keeping = {alias: one for alias in sorted(asked) if isinstance(one := registry[alias], KeepsTexts)}
    if not keeping:
        return steps
    declared = {key for step in steps for key in (step.key, *step.replaces)}
    others = [step for step in steps if step.key.store not in keeping]
    return (*others, *(step for store in keeping.values() for step in store.with_past(declared)))


_Read = tuple[str, Recorded, Identity | None]


def _read(store: Store) -> _Read:
    """Read what a store holds of steps, and what it says of itself."""
    ledger = read_ledger(store)
    return store.alias, ledger, identity_if_marked(store)


def _absent(registry: Registry, undeclared: Iterable[StepKey]) -> Mapping[StepKey, str]:
    """Ask the stores which of the steps that no file declares have none because of the settings."""
    told = {}
    for key in undeclared:
        store = registry[key.store]
        if isinstance(store, KnowsApps) and (why := store.why_absent(key)):
            told[key] = why
    return told


def concerned(steps: Iterable[Step], only: Collection[str], direction: Direction) -> frozenset[str]:
    """
    Return the stores whose ledgers decide about the steps of some stores.

    Args:
        steps: Every step on disk.
        only: The stores that are named.
        direction: To apply a step takes what it needs; to revert one takes what needs it, too.
    """
    reached = {alias: {alias} for alias in only}
    for step in steps:
        for needed in step.dependencies:
            reached.setdefault(step.key.store, set()).add(needed.store)
            if direction is Direction.REVERT:
                reached.setdefault(needed.store, set()).add(step.key.store)
    found: set[str] = set()
    ahead = list(only)
    while ahead:
        alias = ahead.pop()
        if alias not in found:
            found.add(alias)
            ahead.extend(reached.get(alias, ()))
    return frozenset(found)


def _graph(
    registry: Registry, steps: Sequence[Step], applied: Mapping[StepKey, AppliedStep], unread: frozenset[str]
) -> Graph:
    ranks = {alias: rank for rank, alias in enumerate(registry)}
    taking_part = [step for step in steps if step.key.store not in unread]
    graph = build_graph(taking_part, applied, ranks=ranks, absent_stores=unread)
    features = {alias: registry[alias].features for alias in registry}
    refuse_conflicts(
        graph,
        [alias for alias, found in features.items() if found.allows_branches],
        {alias: found.merged_by for alias, found in features.items()},
    )
    return replace(graph, places=_places(registry, applied))


def _places(registry: Registry, applied: Collection[StepKey]) -> Mapping[StepKey, int]:
    """Ask each store that has an order of its own for it."""
    ordering = [store for store in registry.values() if isinstance(store, Orders)]
    return {key: place for store in ordering for place, key in enumerate(store.order(applied))}
