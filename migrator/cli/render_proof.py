"""What a look in the stores came to, as text and as JSON documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.color import Style

from accord.seam.types import Origin, StepKey
from accord.words import counted
from migrator.cli.render_json import drift_documents, plan_document, step_document
from migrator.engine.plan import Plan
from migrator.engine.situation import Situation
from migrator.engine.verdicts import Proof, StepVerdict
from migrator.engine.verification import Verification


def baseline_lines(plan: Plan, found: Sequence[StepVerdict], style: Style) -> Iterator[str]:
    """Show what a baseline would do with each step, and why."""
    if not found:
        yield "Nothing to record."
        return
    yield style.MIGRATE_HEADING(f"{counted(len(found), 'step')} to record ({_sums(found)}):")
    width = len(str(len(found)))
    for position, verdict in enumerate(found, start=1):
        key = style.MIGRATE_LABEL(str(verdict.step.key))
        yield f"  {position:>{width}}. {key}  {_painted(verdict, style)}"
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


def verification_lines(found: Verification, situation: Situation, style: Style) -> Iterator[str]:
    """Tell which recorded steps are proved, which can't be, and what differs."""
    for proof in (Proof.UNPROVABLE, Proof.DIFFERENT):
        for verdict in found.of(proof):
            yield f"{verdict.step.key}  {_painted(verdict, style)}{_how(situation, verdict.step.key)}"
            yield from (f"  {line}" for line in verdict.why)
    others = [verdict for verdict in found.of(Proof.PROVED) if verdict.differences]
    for verdict in others:
        yield f"{verdict.step.key}  proved; beside it:"
        yield from (f"  {line}" for line in verdict.differences)
    what = f"{counted(len(found.verdicts), 'recorded step')} looked at"
    line = f"{what}: {_sums(found.verdicts)}." if found.verdicts else f"{what}."
    yield style.ERROR(line) if found.exit_code else style.SUCCESS(line)


def _sums(found: Sequence[StepVerdict]) -> str:
    numbers = Counter(verdict.proof for verdict in found)
    return ", ".join(f"{numbers[proof]} {proof.value}" for proof in Proof if numbers[proof])


def _painted(verdict: StepVerdict, style: Style) -> str:
    paint = {Proof.DIFFERENT: style.ERROR, Proof.UNPROVABLE: style.WARNING}.get(verdict.proof, style.SUCCESS)
    return str(paint(verdict.proof.value))


def _how(situation: Situation, key: StepKey) -> str:
    entry = situation.applied.get(key)
    return "" if entry is None or entry.how is Origin.APPLIED else f"  ({entry.how.value})"


def baseline_document(plan: Plan, found: Sequence[StepVerdict], situation: Situation) -> dict[str, Any]:
    """Describe what a baseline would record (`accord.plan/1`, with what was found of each step)."""
    document = plan_document(plan, situation)
    proofs = [{**step, **_proof(verdict)} for step, verdict in zip(document["steps"], found, strict=True)]
    return {**document, "steps": proofs}


def verification_document(found: Verification, situation: Situation) -> dict[str, Any]:
    """Describe what recorded steps are (`accord.baseline_verification/1`)."""
    return {
        "schema": "accord.baseline_verification/1",
        "exit_code": int(found.exit_code),
        "steps": [
            {**step_document(verdict.step), **_proof(verdict), **_record(situation, verdict.step.key)}
            for verdict in found.verdicts
        ],
        "begun": sorted(map(str, situation.begun)),
        "drift": drift_documents(situation),
    }


def _proof(verdict: StepVerdict) -> dict[str, Any]:
    return {
        "proof": verdict.proof.name.lower(),
        "differences": list(verdict.differences),
        "unproved": list(verdict.unproved),
    }


def _record(situation: Situation, key: StepKey) -> dict[str, Any]:
    """Tell how a step came to its ledger; nothing is known of a squashed one whose parts are there."""
    entry = situation.applied.get(key)
    return {
        "origin": entry.how.value if entry else None,
        "checksum_recorded": bool(entry and entry.checksum),
    }
