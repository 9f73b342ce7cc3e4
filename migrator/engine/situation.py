"""The situation: what the files declare and what the ledgers hold, read once for a plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

from accord.seam.registry import Registry
from accord.seam.stores import read_ledger
from accord.seam.types import AppliedStep, BegunStep, Recorded, Step, StepKey
from migrator.engine.drift import Drift, find_drift, with_replacements
from migrator.engine.graph import Graph, build_graph, refuse_conflicts


@dataclass(frozen=True, kw_only=True)
class Situation:
    """
    Files and ledgers at one moment.

    Attributes:
        steps: Every step on disk.
        applied: The ledgers of all stores, by key.
        graph: The steps that take part.
        begun: Steps that a run began, one way or the other, and did not end; also of another release.
    """

    steps: tuple[Step, ...]
    applied: Mapping[StepKey, AppliedStep]
    graph: Graph
    begun: Mapping[StepKey, BegunStep] = field(default_factory=dict)

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
    def on_disk(self) -> frozenset[StepKey]:
        """Keys of the steps that a file declares."""
        return frozenset(step.key for step in self.steps)

    @cached_property
    def drift(self) -> Sequence[Drift]:
        """Where files and ledgers disagree."""
        return find_drift(self.graph, self.steps, self.applied, self.begun)

    def refuse_drift(self, except_for: Collection[StepKey] = ()) -> None:
        """
        Raise at the first disagreement that an operator has to mend.

        Args:
            except_for: Steps whose disagreement the caller is about to mend.

        Raises:
            DriftError: The first one found; the others are in :attr:`drift`.
        """
        for found in self.drift:
            if not found.tolerable and found.key not in except_for:
                raise found.error


def read_situation(registry: Registry) -> Situation:
    """
    Read the files of all stores, and all ledgers at the same time.

    Args:
        registry: The stores.

    Raises:
        RevisionError: A file can't be used, or the files don't form a graph.
        StoreUnavailable: A ledger can't be read.
    """
    stores = [registry[alias] for alias in registry]
    with ThreadPoolExecutor(max_workers=max(len(stores), 1), thread_name_prefix="ledger") as pool:
        pending: list[Future[Recorded]] = [
            pool.submit(read_ledger, store) for store in stores if not store.features.thread_bound
        ]
        steps = tuple(step for store in stores for step in store.steps())
        ledgers = [read_ledger(store) for store in stores if store.features.thread_bound]
        ledgers += [future.result() for future in pending]
    applied = {key: entry for ledger in ledgers for key, entry in ledger.applied.items()}
    begun = {key: entry for ledger in ledgers for key, entry in ledger.begun.items()}
    return Situation(steps=steps, applied=applied, graph=_graph(registry, steps, applied), begun=begun)


def _graph(registry: Registry, steps: Sequence[Step], applied: Mapping[StepKey, AppliedStep]) -> Graph:
    ranks = {alias: rank for rank, alias in enumerate(registry)}
    graph = build_graph(steps, applied, ranks=ranks)
    refuse_conflicts(graph, [alias for alias in registry if registry[alias].features.allows_branches])
    return graph
