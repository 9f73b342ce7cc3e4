"""
Answers as JSON documents. Each carries its `schema`; docs/reference/json.md describes them.

Within a schema version, fields are added and never renamed or removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from accord.cli.answer import error_document
from accord.seam.foretelling import NOTHING, Foretold
from accord.seam.types import BegunStep, Direction, Statement, Step, StepKey
from migrator.cli.render_foretold import foretold_document
from migrator.cli.render_recovery import recovery_document
from migrator.engine.plan import Plan
from migrator.engine.recovery import recovery_of
from migrator.engine.request import RunReport
from migrator.engine.situation import Situation
from migrator.models import Tag

if TYPE_CHECKING:
    from migrator.governance.acceptances import Acceptance


def dump(document: dict[str, Any]) -> str:
    """Write a document."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def plan_document(plan: Plan, situation: Situation) -> dict[str, Any]:
    """Describe a plan (`accord.plan/1`)."""
    return {
        "schema": "accord.plan/1",
        "direction": plan.direction.value,
        "digest": plan.digest,
        "steps": [{**step_document(step), "origin": _how(situation, step)} for step in plan.steps],
        "waiting": [str(step.key) for step in plan.waiting],
        "left": sorted(map(str, plan.left)),
        "begun": [_begun(situation.begun[key]) for key in sorted(situation.begun)],
        "half_reverted": sorted(map(str, situation.half_reverted)),
        "drift": drift_documents(situation),
    }


def _begun(entry: BegunStep) -> dict[str, Any]:
    return {
        "key": str(entry.key),
        "direction": entry.direction.value,
        "operations_done": entry.done,
        "words": entry.words,
    }


def step_document(step: Step) -> dict[str, Any]:
    """Describe a step."""
    return {
        "key": str(step.key),
        "store": step.key.store,
        "app": step.key.app,
        "name": step.key.name,
        "phase": step.phase.value,
        "title": step.title,
        "checksum": step.source.checksum,
        "irreversible": step.irreversible,
        "waits": step.waits,
    }


def drift_documents(situation: Situation) -> list[dict[str, Any]]:
    """Describe what disagrees, tolerable or not."""
    return [
        {
            "key": str(found.key),
            "kind": found.kind.value,
            "tolerable": found.tolerable,
            "accepted": None if found.acceptance is None else _accepted(found.acceptance),
            **error_document(found.error),
        }
        for found in situation.drift
    ]


def _accepted(acceptance: Acceptance) -> dict[str, Any]:
    """Describe what people said to drift; they are random references in it."""
    return {
        "reference": acceptance.reference,
        "by": acceptance.by,
        "until": acceptance.ends_at.isoformat() if acceptance.has_end else None,
        "reason": acceptance.reason,
    }


def dry_run_document(
    plan: Plan,
    rendered: Iterable[tuple[Step, Sequence[Statement]]],
    foretold: Mapping[StepKey, Sequence[Foretold]] = NOTHING,
) -> dict[str, Any]:
    """Describe what a plan would send, and what the servers would say (`accord.dry_run/1`)."""
    steps = [
        {
            **step_document(step),
            "statements": [_statement(item) for item in items],
            "foretold": [foretold_document(item) for item in foretold.get(step.key, ())],
        }
        for step, items in rendered
    ]
    return {
        "schema": "accord.dry_run/1",
        "direction": plan.direction.value,
        "digest": plan.digest,
        "steps": steps,
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {"language": statement.language.value, "text": statement.text, "opaque": statement.opaque}


def run_document(report: RunReport) -> dict[str, Any]:
    """Describe a run (`accord.run/1`)."""
    execution = report.execution
    return {
        "schema": "accord.run/1",
        "run": report.run_id or None,
        "exit_code": int(report.exit_code),
        "direction": report.plan.direction.value,
        "digest": report.plan.digest,
        "seconds": round(report.seconds, 3),
        "done": [
            {
                "key": str(item.key),
                "changed": item.changed,
                "already": item.already,
                "detail": item.detail,
                **({"origin": item.origin.value} if item.direction is Direction.APPLY else {}),
            }
            for item in execution.outcomes
        ],
        "failed": [{"key": str(item.step.key), **error_document(item.error)} for item in execution.failures],
        "skipped": [str(step.key) for step in execution.skipped],
        "waiting": [str(step.key) for step in report.plan.waiting],
        "error": None if report.error is None else error_document(report.error),
        "recovery": recovery_document(recovery_of(report)),
    }


def tags_document(tags: Sequence[Tag]) -> dict[str, Any]:
    """Describe tags (`accord.tags/1`)."""
    return {
        "schema": "accord.tags/1",
        "tags": [
            {
                "tag": tag.name,
                "run": tag.run_id or None,
                "made_at": tag.made_at.isoformat(),
                "steps": tag.steps,
            }
            for tag in tags
        ],
    }


def listing_document(situation: Situation, steps: Sequence[Step]) -> dict[str, Any]:
    """Describe steps with their state (`accord.steps/1`)."""
    return {
        "schema": "accord.steps/1",
        "steps": [{**step_document(step), **_state(situation, step)} for step in steps],
        "drift": drift_documents(situation),
    }


def _state(situation: Situation, step: Step) -> dict[str, Any]:
    entry, begun = situation.applied.get(step.key), situation.begun.get(step.key)
    return {
        "applied": step.key in situation.done,
        "half_reverted": step.key in situation.half_reverted,
        "begun": None if begun is None else _begun(begun),
        "origin": _how(situation, step),
        "applied_at": entry.applied_at.isoformat() if entry and entry.applied_at else None,
        "run": entry.run_id or None if entry else None,
        "needs": sorted(str(parent) for parent in situation.graph.parents.get(step.key, ())),
    }


def _how(situation: Situation, step: Step) -> str | None:
    """Tell how a step came to its ledger; None for one that isn't in it."""
    entry = situation.applied.get(step.key)
    return entry.how.value if entry else None
