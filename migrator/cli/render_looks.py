"""
What a look at what is recorded came to, as text and as JSON.

The one look is told in two ways: `--baseline --verify` step by step, `--check-live` thing by thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.core.management.color import Style

from accord.seam.differences import DifferenceKind
from accord.seam.types import Origin, StepKey
from accord.words import counted
from migrator.cli.render_json import drift_documents, step_document
from migrator.cli.render_proof import difference_document, painted, proof_document, sums
from migrator.engine.live import LiveDifference, LiveLook
from migrator.engine.situation import Situation
from migrator.engine.verdicts import Proof
from migrator.engine.verification import Verification

_NEXT = (
    "Undo what was done by hand, or write it as a migration and record that by "
    "migrate_all --baseline --step STEP."
)


def live_lines(found: LiveLook, style: Style) -> Iterator[str]:
    """Tell what differs store by store, then what could not be looked at."""
    for store, differences in groupby(found.differences, key=lambda one: one.store):
        yield style.MIGRATE_HEADING(store)
        yield from (f"  {one.difference.text}{_declared(one)}" for one in differences)
    if found.undeclared:
        yield style.WARNING("Undeclared:")
        yield from (f"  {store}: {one.text}" for store, one in found.undeclared)
    if found.unknown or found.unasked:
        yield style.WARNING("Unknown:")
        yield from (f"  {key}: {line}" for key, line in found.unknown)
        yield from (f"  {alias}: the store can't be asked." for alias in found.unasked)
    yield from _in_short(found, style)


def _in_short(found: LiveLook, style: Style) -> Iterator[str]:
    if not (found.looked or found.differences or found.unasked):
        yield style.WARNING("No step is applied here: there is nothing to compare.")
        return
    differ = counted(len(found.differences), "difference") if found.differences else "no difference"
    left = len(found.unknown) + len(found.unasked)
    more = [f"{counted(len(found.undeclared), 'thing')} that no step declares"] if found.undeclared else []
    more += [f"and {counted(left, 'thing')} could not be looked at"] if left else []
    said = ", ".join([differ, *more]) if found.differences or more else "the stores are as they describe"
    paint = style.ERROR if found.differences else style.WARNING if more else style.SUCCESS
    yield paint(_looked_at(found.looked, "applied step", said))
    if found.differences:
        yield f"  {_NEXT}"


def _looked_at(number: int, noun: str, said: str) -> str:
    what = f"{counted(number, noun)} looked at"
    return f"{what}: {said}." if said else f"{what}."


def _declared(one: LiveDifference) -> str:
    # What a snapshot tells belongs to no step.
    return "" if one.difference.kind is DifferenceKind.EXTRA or not one.keys else f"  ({one.keys[-1]})"


def live_document(found: LiveLook) -> dict[str, Any]:
    """Describe it (`accord.live/1`)."""
    return {
        "schema": "accord.live/1",
        "exit_code": int(found.exit_code),
        "looked": found.looked,
        "differences": [
            {"store": one.store, **difference_document(one.difference), "keys": list(map(str, one.keys))}
            for one in found.differences
        ],
        "undeclared": [
            {"store": store, "what": one.what, "thing": one.thing, "text": one.text}
            for store, one in found.undeclared
        ],
        "unknown": [{"key": str(key), "text": line} for key, line in found.unknown],
        "unasked": list(found.unasked),
    }


# --- step by step ----------------------------------------------------------------------------------


def verification_lines(found: Verification, situation: Situation, style: Style) -> Iterator[str]:
    """Tell which recorded steps are proved, which can't be, and what differs."""
    for proof in (Proof.UNPROVABLE, Proof.DIFFERENT):
        for verdict in found.of(proof):
            yield f"{verdict.step.key}  {painted(verdict, style)}{_how(situation, verdict.step.key)}"
            yield from (f"  {line}" for line in verdict.why)
    others = [verdict for verdict in found.of(Proof.PROVED) if verdict.differences]
    for verdict in others:
        yield f"{verdict.step.key}  proved; beside it:"
        yield from (f"  {one.text}" for one in verdict.differences)
    paint = style.ERROR if found.exit_code else style.SUCCESS
    yield paint(_looked_at(len(found.verdicts), "recorded step", sums(found.verdicts)))


def _how(situation: Situation, key: StepKey) -> str:
    entry = situation.applied.get(key)
    return "" if entry is None or entry.how is Origin.APPLIED else f"  ({entry.how.value})"


def verification_document(found: Verification, situation: Situation) -> dict[str, Any]:
    """Describe what recorded steps are (`accord.baseline_verification/1`)."""
    return {
        "schema": "accord.baseline_verification/1",
        "exit_code": int(found.exit_code),
        "steps": [
            {**step_document(verdict.step), **proof_document(verdict), **_record(situation, verdict.step.key)}
            for verdict in found.verdicts
        ],
        "begun": sorted(map(str, situation.begun)),
        "drift": drift_documents(situation),
    }


def _record(situation: Situation, key: StepKey) -> dict[str, Any]:
    """Tell how a step came to its ledger; nothing is known of a squashed one whose parts are there."""
    entry = situation.applied.get(key)
    return {
        "origin": entry.how.value if entry else None,
        "checksum_recorded": bool(entry and entry.checksum),
    }
