"""Comparing the live stores with the state of the applied steps: what was changed by hand, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from accord.errors import ExitCode
from accord.seam.stores import Probes, Store
from accord.seam.types import StepKey
from migrator.engine.plan import Target
from migrator.engine.situation import Situation
from migrator.engine.verdicts import Proof, StepVerdict
from migrator.engine.verification import judge_recorded, recorded_steps


@dataclass(frozen=True, kw_only=True)
class LiveDifference:
    """
    One thing that is not as the applied steps leave it.

    Attributes:
        store: Where.
        text: What, in a sentence.
        keys: The steps that declare the thing, in their order.
        is_extra: It is there, and nothing declares it.
    """

    store: str
    text: str
    keys: tuple[StepKey, ...]
    is_extra: bool = False


@dataclass(frozen=True, kw_only=True)
class LiveLook:
    """
    What a look at the live stores came to.

    Attributes:
        looked_in: How many applied steps were held against each store; nothing of one that can't be asked.
        differences: What differs, each thing once.
        unknown: What could not be looked at, with the step that it belongs to.
        unasked: Stores that can't be asked at all.
    """

    looked_in: Mapping[str, int]
    differences: tuple[LiveDifference, ...] = ()
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


def look_live(stores: Mapping[str, Store], situation: Situation, target: Target) -> LiveLook:
    """
    Hold the stores against what all applied steps together describe.

    What steps can't be judged by, a function that ran or documents that were changed, is unknown.

    Args:
        stores: The stores by alias.
        situation: Files and ledgers.
        target: Which stores or app; all unless it says.

    Raises:
        UnknownApp, UnknownStore: The target matches nothing.
        StoreUnavailable: A store can't be reached.
    """
    recorded = recorded_steps(situation, target)
    mute = {step.key.store for step in recorded if not isinstance(stores[step.key.store], Probes)}
    found = judge_recorded(stores, situation, [step for step in recorded if step.key.store not in mute])
    return LiveLook(
        looked_in=_by_store(frozenset(target.stores or stores) - mute, found),
        differences=tuple(_differences(found)),
        unknown=tuple((verdict.step.key, line) for verdict in found for line in verdict.unproved),
        unasked=tuple(sorted(mute)),
    )


def _by_store(asked: Collection[str], found: Sequence[StepVerdict]) -> Mapping[str, int]:
    numbers = Counter(verdict.step.key.store for verdict in found)
    return {alias: numbers[alias] for alias in sorted(asked)}


def _differences(found: Sequence[StepVerdict]) -> Iterator[LiveDifference]:
    """Yield each difference once, however many steps declare the thing."""
    lines: dict[tuple[str, str], list[StepVerdict]] = {}
    for verdict in found:
        for line in verdict.differences:
            lines.setdefault((verdict.step.key.store, line), []).append(verdict)
    for (store, line), verdicts in lines.items():
        extra = all(verdict.proof is not Proof.DIFFERENT for verdict in verdicts)
        keys = tuple(verdict.step.key for verdict in verdicts)
        yield LiveDifference(store=store, text=line, keys=keys, is_extra=extra)
