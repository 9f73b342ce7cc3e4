"""What a look in the stores comes to, step by step: proved, not provable, or different. Pure."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from accord.seam.differences import Difference, DifferenceKind, texts
from accord.seam.types import Presence, Probe, Step, StepKey


class Proof(enum.StrEnum):
    """What is known of a step's effect after a look in its store."""

    PROVED = "proved"
    """All of it can be looked at, and stands."""
    UNPROVABLE = "not provable"
    """What can be looked at stands; the rest leaves nothing that could be looked at."""
    DIFFERENT = "different"
    """Something is missing, incomplete or another one than the files describe."""
    TO_MAKE = "to be made"
    """One of the suite's own tables, which can't stand where it never ran: a baseline makes it."""


@dataclass(frozen=True, kw_only=True)
class StepVerdict:
    """
    What was found of one step.

    Attributes:
        step: The step.
        proof: The answer.
        differences: What differs; beside what was proved nothing but what is there and nobody declares.
        unproved: What could not be looked at, a line each.
    """

    step: Step
    proof: Proof
    differences: tuple[Difference, ...] = ()
    unproved: tuple[str, ...] = ()

    @property
    def why(self) -> tuple[str, ...]:
        """Return what a person has to know of it."""
        if self.proof is Proof.TO_MAKE:
            return ()
        return self.unproved if self.proof is Proof.UNPROVABLE else texts(self.differences)


def judge_steps(
    steps: Sequence[Step], probes: Sequence[Probe], parents: Mapping[StepKey, Collection[StepKey]]
) -> Sequence[StepVerdict]:
    """
    Judge the steps of a plan by what their stores answered.

    Args:
        steps: The steps, in order.
        probes: An answer for each; a store may leave steps out.
        parents: What each step needs of the others.
    """
    answers = {probe.key: probe for probe in probes}
    found: dict[StepKey, StepVerdict] = {}
    for step in steps:
        # Of what a store says nothing about, nothing is known to be there.
        probe = answers.get(step.key) or Probe(key=step.key, presence=Presence.ABSENT)
        needs = [found[key].proof for key in parents.get(step.key, ()) if key in found]
        found[step.key] = _judged_own(step, probe, needs) if step.foundation else _judged(step, probe)
    return list(found.values())


def _judged(step: Step, probe: Probe) -> StepVerdict:
    if probe.presence is Presence.UNKNOWN:
        why = probe.unproved or texts(probe.findings) or ("The store can't say.",)
        return StepVerdict(step=step, proof=Proof.UNPROVABLE, unproved=why)
    if probe.presence is not Presence.DONE:
        found = probe.findings or (_as_a_whole(probe.presence),)
        return StepVerdict(step=step, proof=Proof.DIFFERENT, differences=found, unproved=probe.unproved)
    proof = Proof.UNPROVABLE if probe.unproved else Proof.PROVED
    return StepVerdict(step=step, proof=proof, differences=probe.findings, unproved=probe.unproved)


def _as_a_whole(presence: Presence) -> Difference:
    """Return what is told of a step where its store names nothing of it."""
    conflicts = presence is Presence.CONFLICTING
    kind = DifferenceKind.DIFFERENT if conflicts else DifferenceKind.MISSING
    return Difference(kind=kind, text=f"It is {presence.value}.")


def _judged_own(step: Step, probe: Probe, needs: Collection[Proof]) -> StepVerdict:
    """Judge a step of the suite: it is made with what it needs, and `health_check` looks at its triggers."""
    if probe.presence is Presence.ABSENT or Proof.TO_MAKE in needs:
        return StepVerdict(step=step, proof=Proof.TO_MAKE, differences=probe.findings)
    verdict = _judged(step, probe)
    if verdict.proof is Proof.UNPROVABLE:
        return StepVerdict(step=step, proof=Proof.PROVED, differences=verdict.differences)
    return verdict
