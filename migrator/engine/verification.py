"""Looking whether what the ledgers hold already is what stands, whoever wrote it down. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accord.errors import ExitCode
from accord.seam.differences import Difference, DifferenceKind
from accord.seam.stores import Store
from accord.seam.types import Step, StepKey
from migrator.engine.baseline import probed
from migrator.engine.plan import Target, plan_forward
from migrator.engine.situation import Situation
from migrator.engine.verdicts import Proof, StepVerdict, judge_steps


@dataclass(frozen=True, kw_only=True)
class Verification:
    """
    What a look at recorded steps came to.

    Attributes:
        verdicts: The answer for each recorded step of the target, in order.
    """

    verdicts: tuple[StepVerdict, ...]

    def of(self, proof: Proof) -> Sequence[StepVerdict]:
        """Return the steps of which this is the answer."""
        return [verdict for verdict in self.verdicts if verdict.proof is proof]

    @property
    def exit_code(self) -> ExitCode:
        """Drift where something differs; what can't be looked at is told, and is no difference."""
        return ExitCode.DRIFT if self.of(Proof.DIFFERENT) else ExitCode.DONE


def verify_recorded(stores: Mapping[str, Store], situation: Situation, target: Target) -> Verification:
    """
    Compare recorded steps with what stands.

    Args:
        stores: The stores by alias.
        situation: Files and ledgers.
        target: Which recorded steps are asked for: all of them unless it names stores, an app or a step.

    Raises:
        UnknownApp, UnknownTarget, AmbiguousTarget, UnknownStore: The target matches nothing, or too much.
        UsageError: A store can't be asked.
    """
    return Verification(verdicts=judge_recorded(stores, situation, recorded_steps(situation, target)))


def judge_recorded(
    stores: Mapping[str, Store], situation: Situation, wanted: Sequence[Step]
) -> tuple[StepVerdict, ...]:
    """
    Judge recorded steps, each by what would stand after all that is recorded in its store.

    Args:
        stores: The stores by alias.
        situation: Files and ledgers.
        wanted: Recorded steps.

    Raises:
        UsageError: A store can't be asked.
        StoreUnavailable: A store can't be reached.
    """
    keys = {step.key for step in wanted}
    asked = {key.store for key in keys}
    recorded = [step for step in recorded_steps(situation, Target()) if step.key.store in asked]
    verdicts = judge_steps(recorded, list(probed(stores, recorded)), {})
    return tuple(_recorded(found) for found in verdicts if found.step.key in keys)


def recorded_steps(situation: Situation, target: Target) -> Sequence[Step]:
    """
    Return the steps that are recorded as applied, in order.

    Args:
        situation: Files and ledgers.
        target: Which of them: all unless it names stores, an app, or the last step.

    Raises:
        UnknownApp, UnknownTarget, AmbiguousTarget, UnknownStore: The target matches nothing, or too much.
    """
    reached = plan_forward(situation.graph, (), target).steps
    return [step for step in reached if step.key in situation.done and _is_asked_for(step.key, target)]


def _is_asked_for(key: StepKey, target: Target) -> bool:
    """Check that a step is of the stores and the app that are named, and not only needed by them."""
    return target.app in ("", key.app) and (not target.stores or key.store in target.stores)


def _recorded(verdict: StepVerdict) -> StepVerdict:
    """Nothing that is recorded is still to be made: what is gone is a difference."""
    if verdict.proof is not Proof.TO_MAKE:
        return verdict
    nothing = Difference(kind=DifferenceKind.MISSING, text="Nothing of it is there.")
    found = verdict.differences or (nothing,)
    return StepVerdict(step=verdict.step, proof=Proof.DIFFERENT, differences=found)
