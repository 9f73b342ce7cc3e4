"""What a baseline would record, and what was found of each step, as text and as a JSON document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.color import Style

from accord.seam.differences import Difference
from accord.words import counted
from migrator.cli.render_json import plan_document
from migrator.engine.plan import Plan
from migrator.engine.situation import Situation
from migrator.engine.verdicts import Proof, StepVerdict


def baseline_lines(plan: Plan, found: Sequence[StepVerdict], style: Style) -> Iterator[str]:
    """Show what a baseline would do with each step, and why."""
    if not found:
        yield "Nothing to record."
        return
    yield style.MIGRATE_HEADING(f"{counted(len(found), 'step')} to record ({sums(found)}):")
    width = len(str(len(found)))
    for position, verdict in enumerate(found, start=1):
        key = style.MIGRATE_LABEL(str(verdict.step.key))
        yield f"  {position:>{width}}. {key}  {painted(verdict, style)}"
        yield from (f"       {line}" for line in verdict.why)
    yield f"Plan digest {plan.digest}"
    yield from _what_follows(found, style)


def _what_follows(found: Sequence[StepVerdict], style: Style) -> Iterator[str]:
    proofs = {verdict.proof for verdict in found}
    if Proof.DIFFERENT in proofs:
        yield style.ERROR(
            "Nothing would be recorded: bring the stores to that state, or end before with --to."
        )
    elif Proof.UNPROVABLE in proofs:
        yield style.WARNING(
            "What is not provable is recorded on your word alone: with --trust-unproved, or step by step "
            "with --step."
        )


def sums(found: Sequence[StepVerdict]) -> str:
    """Count the answers: `1 proved, 2 different`."""
    numbers = Counter(verdict.proof for verdict in found)
    return ", ".join(f"{numbers[proof]} {proof.value}" for proof in Proof if numbers[proof])


def painted(verdict: StepVerdict, style: Style) -> str:
    """Write the answer in its colour."""
    paint = {Proof.DIFFERENT: style.ERROR, Proof.UNPROVABLE: style.WARNING}.get(verdict.proof, style.SUCCESS)
    return str(paint(verdict.proof.value))


def baseline_document(plan: Plan, found: Sequence[StepVerdict], situation: Situation) -> dict[str, Any]:
    """Describe what a baseline would record (`accord.plan/1`, with what was found of each step)."""
    document = plan_document(plan, situation)
    proofs = [
        {**step, **proof_document(verdict)} for step, verdict in zip(document["steps"], found, strict=True)
    ]
    return {**document, "steps": proofs}


def proof_document(verdict: StepVerdict) -> dict[str, Any]:
    """Describe what was found of a step."""
    return {
        "proof": verdict.proof.name.lower(),
        "differences": [difference_document(one) for one in verdict.differences],
        "unproved": list(verdict.unproved),
    }


def difference_document(found: Difference) -> dict[str, Any]:
    """Describe one difference."""
    return {"kind": found.kind.value, "text": found.text}
