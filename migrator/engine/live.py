"""Comparing the live stores with the state of the applied steps: what was changed by hand, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from accord.errors import ExitCode
from accord.seam.differences import Difference, DifferenceKind
from accord.seam.stores import Probes, Store
from accord.seam.types import StepKey
from accord.seam.undeclared import Undeclared
from migrator.engine.live_settings import LiveSettings
from migrator.engine.plan import Target
from migrator.engine.situation import Situation
from migrator.engine.undeclared import Claims, undeclared
from migrator.engine.verdicts import StepVerdict
from migrator.engine.verification import judge_recorded, recorded_steps


@dataclass(frozen=True, kw_only=True)
class LiveDifference:
    """
    One thing that is not as the applied steps leave it.

    Attributes:
        store: Where.
        difference: What.
        keys: The steps that the thing belongs to, in their order.
    """

    store: str
    difference: Difference
    keys: tuple[StepKey, ...]


@dataclass(frozen=True, kw_only=True)
class LiveLook:
    """
    What a look at the live stores came to.

    Attributes:
        looked_in: How many applied steps were held against each store; nothing of one that can't be asked.
        differences: What differs, each thing once.
        undeclared: Tables, collections and indexes that no step declares, with their store; no drift.
        unknown: What could not be looked at, with the step that it belongs to.
        unasked: Stores that can't be asked at all.
    """

    looked_in: Mapping[str, int]
    differences: tuple[LiveDifference, ...] = ()
    undeclared: tuple[tuple[str, Undeclared], ...] = ()
    unknown: tuple[tuple[StepKey, str], ...] = ()
    unasked: tuple[str, ...] = ()

    @property
    def looked(self) -> int:
        """How many applied steps were held against their stores."""
        return sum(self.looked_in.values())

    @property
    def exit_code(self) -> ExitCode:
        """Drift where anything differs, a failure where nothing could be asked; what is unknown is told."""
        if self.differences:
            return ExitCode.DRIFT
        return ExitCode.FAILED if self.unasked and not self.looked else ExitCode.DONE


def look_live(
    stores: Mapping[str, Store],
    situation: Situation,
    target: Target,
    settings: LiveSettings,
    *,
    with_undeclared: bool = True,
) -> LiveLook:
    """
    Hold the stores against what all applied steps together describe.

    What steps can't be judged by, a function that ran or documents that were changed, is unknown.

    Args:
        stores: The stores by alias.
        situation: Files and ledgers.
        target: Which stores or app; all unless it says.
        settings: What is ignored.
        with_undeclared: Look also for what no step declares.

    Raises:
        UnknownApp, UnknownStore: The target matches nothing.
        StoreUnavailable: A store can't be reached.
    """
    recorded = recorded_steps(situation, target)
    mute = {step.key.store for step in recorded if not isinstance(stores[step.key.store], Probes)}
    found = judge_recorded(stores, situation, [step for step in recorded if step.key.store not in mute])
    asked = frozenset(target.stores or stores) - mute
    opaque = {verdict.step.key for verdict in found if verdict.unproved}
    # Of one app's steps nobody can tell what else of a store is anybody's.
    tells = with_undeclared and not target.app
    claims = Claims(stores, situation, settings, opaque)
    return LiveLook(
        looked_in=_by_store(asked, found),
        differences=tuple(one for one in _differences(found) if not _is_somebodys(one, claims)),
        undeclared=tuple(undeclared(stores, situation, asked, claims)) if tells else (),
        unknown=tuple((verdict.step.key, line) for verdict in found for line in verdict.unproved),
        unasked=tuple(sorted(mute)),
    )


def _is_somebodys(found: LiveDifference, claims: Claims) -> bool:
    one = found.difference
    if one.kind is not DifferenceKind.EXTRA or not one.thing:
        return False
    return claims.is_somebodys(found.store, one.thing, one.thing.rpartition(".")[2])


def _by_store(asked: Collection[str], found: Sequence[StepVerdict]) -> Mapping[str, int]:
    numbers = Counter(verdict.step.key.store for verdict in found)
    return {alias: numbers[alias] for alias in sorted(asked)}


def _differences(found: Sequence[StepVerdict]) -> Iterator[LiveDifference]:
    """Yield each difference once, however many steps declare the thing."""
    keys: dict[tuple[str, Difference], list[StepKey]] = {}
    for verdict in found:
        for difference in verdict.differences:
            keys.setdefault((verdict.step.key.store, difference), []).append(verdict.step.key)
    for (store, difference), declaring in keys.items():
        yield LiveDifference(store=store, difference=difference, keys=tuple(declaring))
