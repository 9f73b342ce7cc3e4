"""The baseline: adopting what stands in a store already, after looking that it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from accord.errors import UsageError
from accord.seam.stores import Probes, Store, by_store
from accord.seam.types import Probe, Step, StepKey
from accord.words import counted
from migrator.engine.plan import ZERO, Plan, find_step
from migrator.engine.request import Request
from migrator.engine.situation import Situation
from migrator.engine.verdicts import Proof, StepVerdict, judge_steps
from migrator.errors import BaselineMismatch, BaselineUnproved

_TOLD = 10


def look(
    stores: Mapping[str, Store], plan: Plan, request: Request, situation: Situation
) -> Sequence[StepVerdict]:
    """
    Look in the stores, and make sure that a baseline would record only what is there.

    Args:
        stores: The stores by alias.
        plan: What the baseline would record.
        request: What is wanted: a step that it names is believed where nothing can be looked at.
        situation: Files and ledgers.

    Returns:
        What was found, for each step of the plan.

    Raises:
        UsageError: A store can't be asked.
        BaselineMismatch: Something is missing, incomplete or different; names what.
        BaselineUnproved: Something can't be proved, and nobody vouched for it; names what.
    """
    found = looked_at(stores, plan)
    _refuse_different(found)
    if not request.trust_unproved:
        _refuse_unproved(found, named_step(request, situation))
    return found


def looked_at(stores: Mapping[str, Store], plan: Plan) -> Sequence[StepVerdict]:
    """
    Look in the stores for the effects of a plan's steps, and return what was found, whatever it is.

    Raises:
        UsageError: A store can't be asked.
    """
    return judge_steps(plan.steps, list(probed(stores, plan.steps)), plan.parents)


def probed(stores: Mapping[str, Store], wanted: Sequence[Step]) -> Iterator[Probe]:
    """
    Ask the stores for the effects of steps.

    Raises:
        UsageError: A store can't be asked.
    """
    for alias, steps in by_store(wanted).items():
        store = stores[alias]
        if not isinstance(store, Probes):
            raise UsageError(
                f"The store “{alias}” can't be asked what stands in it.",
                hint="Name the stores that can, with --store.",
            )
        yield from store.probe(steps)


def named_step(request: Request, situation: Situation) -> StepKey | None:
    """Return the one step that a request names, None when it names none."""
    text = request.target.to
    return find_step(situation.graph, text, request.target) if text and text != ZERO else None


def _refuse_different(found: Sequence[StepVerdict]) -> None:
    wrong = [verdict for verdict in found if verdict.proof is Proof.DIFFERENT]
    if wrong:
        raise BaselineMismatch(
            f"The stores don't hold what {counted(len(wrong), 'step')} would record: {_told(wrong)}.",
            hint="Name the last step that stands with --to, or bring the store to that state first. "
            "All of it in order: migrate_all --baseline --plan",
        )


def _refuse_unproved(found: Sequence[StepVerdict], named: StepKey | None) -> None:
    open_ones = [verdict for verdict in found if verdict.proof is Proof.UNPROVABLE]
    unproved = [verdict for verdict in open_ones if verdict.step.key != named]
    if unproved:
        first = unproved[0].step.key
        raise BaselineUnproved(
            f"{counted(len(unproved), 'step')} can't be proved by looking: {_told(unproved)}.",
            hint="If you know that they were done, say so: for all of them with --trust-unproved, or one "
            f"by one: migrate_all --baseline --step {first}",
        )


def _told(verdicts: Sequence[StepVerdict]) -> str:
    told = "; ".join(f"{verdict.step.key} ({' '.join(verdict.why[:3])})" for verdict in verdicts[:_TOLD])
    more = len(verdicts) - _TOLD
    return f"{told}; and {more} more" if more > 0 else told
