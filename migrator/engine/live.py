"""Comparing the live stores with the state of the applied steps: what was changed by hand, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from accord.errors import ExitCode
from accord.seam.stores import Probes, Store
from accord.seam.types import StepKey
from migrator.engine.plan import Target, plan_forward
from migrator.engine.situation import Situation
from migrator.engine.verdicts import Proof, StepVerdict
from migrator.engine.verification import verify_recorded


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
        looked: How many applied steps were held against their stores.
        differences: What differs, each thing once.
        unknown: What could not be looked at, with the step that it belongs to.
        unasked: Stores that can't be asked at all.
    """

    looked: int
    differences: tuple[LiveDifference, ...] = ()
    unknown: tuple[tuple[StepKey, str], ...] = ()
    unasked: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """Drift where anything differs; what could not be looked at is told."""
        return ExitCode.DRIFT if self.differences else ExitCode.DONE


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
    wanted = {step.key.store for step in plan_forward(situation.graph, (), target).steps}
    unasked = tuple(sorted(alias for alias in wanted if not isinstance(stores[alias], Probes)))
    asked = {alias: store for alias, store in stores.items() if alias not in unasked}
    found = verify_recorded(asked, situation, target).verdicts if asked else ()
    return LiveLook(
        looked=len(found),
        differences=tuple(_differences(found)),
        unknown=tuple((verdict.step.key, line) for verdict in found for line in verdict.unproved),
        unasked=unasked,
    )


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
