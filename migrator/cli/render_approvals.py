"""Approvals and attestations as text, and as the JSON documents of docs/reference/json.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.color import Style

from accord.approvals.quorum import Standing
from accord.cli.printable import one_line
from accord.clock import aware, local
from accord.words import counted
from migrator.governance import people
from migrator.governance.acceptances import NO_END, Acceptance
from migrator.governance.approvals import Approvals
from migrator.governance.requests import OPEN
from migrator.models import DRIFT, IDENTITY, Attestation, BreakGlass, PlanApproval


def approval_document(approval: PlanApproval, approvals: Approvals) -> dict[str, Any]:
    """Describe a request (`accord.approval/1`); people are random references in it."""
    standing = _standing([approval], approvals).get(approval.pk)
    return {"schema": "accord.approval/1", **_facts(approval, approvals, standing)}


def _standing(found: Iterable[PlanApproval], approvals: Approvals) -> dict[int, Standing]:
    """Say how far the yes-es are to requests that are open still."""
    return approvals.standing(*(one for one in found if approvals.state_of(one) in OPEN))


def listing_document(
    found: Iterable[PlanApproval], approvals: Approvals, unreviewed: Sequence[BreakGlass] = ()
) -> dict[str, Any]:
    """Describe requests (`accord.approvals/1`)."""
    rows = list(found)
    standing = _standing(rows, approvals)
    return {
        "schema": "accord.approvals/1",
        "approvals": [_facts(one, approvals, standing.get(one.pk)) for one in rows],
        "unreviewed": [break_document(one) for one in unreviewed],
    }


def break_document(row: BreakGlass) -> dict[str, Any]:
    """Describe a run without approval (`accord.break/1`); people are random references in it."""
    return {
        "schema": "accord.break/1",
        "reference": row.reference,
        "environment": row.environment,
        "kind": row.kind,
        "direction": row.direction,
        "digest": row.digest,
        "steps": [key for key, _phase, _checksum in row.steps],
        "run": row.run_id,
        "reason": row.reason,
        "by": row.account_ref,
        "at": row.broken_at.isoformat(),
        "reviewed_by": row.reviewer_ref or None,
        "reviewed_at": row.reviewed_at.isoformat() if row.reviewed_at else None,
        "review": row.review_reason,
    }


def accepted_words(acceptance: Acceptance) -> str:
    """Tell people who accepted a drift, until when and why."""
    by = _name(acceptance.by_key)
    return f"Accepted by {by} {acceptance.until} ({acceptance.reference}): {one_line(acceptance.reason)}"


def _facts(approval: PlanApproval, approvals: Approvals, standing: Standing | None) -> dict[str, Any]:
    drifts = [{"key": key, "drift": kind, "digest": digest} for key, kind, digest in approval.steps]
    planned = approval.kind not in (DRIFT, IDENTITY)
    return {
        "reference": approval.reference,
        "state": approvals.state_of(approval).value,
        "environment": approval.environment,
        "kind": approval.kind,
        "direction": approval.direction,
        "target": approval.target,
        "digest": approval.digest,
        "steps": [
            {"key": key, "phase": phase, "checksum": checksum}
            for key, phase, checksum in (approval.steps if planned else ())
        ],
        "remaining": approval.remaining if approval.kind != DRIFT else [],
        "drift": drifts if approval.kind == DRIFT else [],
        "environments": [
            {"store": alias, "change": change, "id": store_id}
            for alias, change, store_id in (approval.steps if approval.kind == IDENTITY else ())
        ],
        "reason": approval.reason,
        "requested_by": approval.requester_ref,
        "requested_at": approval.requested_at.isoformat(),
        "expires_at": approval.expires_at.isoformat(),
        "approvals": standing
        and {"given": standing.given, "needed": standing.needed, "missing": list(standing.lacking)},
        "decided_by": approval.approver_ref or None,
        "decided_at": approval.decided_at.isoformat() if approval.decided_at else None,
        "decision_reason": approval.decision_reason,
        "run": approval.run_id or None,
    }


def _so_far(standing: Standing | None) -> str:
    """Tell how far the yes-es are, where one alone would not do."""
    return f"{standing.words}, asked " if standing and standing.needed > 1 else ""


_UNITS = {DRIFT: "drift", IDENTITY: "store"}


def listing_lines(
    found: Sequence[PlanApproval],
    approvals: Approvals,
    style: Style,
    unreviewed: Sequence[BreakGlass] = (),
) -> Iterator[str]:
    """List what ran without approval and waits for its review, then requests, a line each."""
    for row in unreviewed:
        by = f"{_time(row.broken_at)} by {_name(row.account_key)}"
        yield style.ERROR(
            f"{row.short}  ran without approval, waits for its review  {by}: {one_line(row.reason)}"
        )
    if not found:
        yield "There are no requests for an approval here."
    standing = _standing(found, approvals)
    for approval in found:
        state = approvals.state_of(approval).value
        steps = counted(len(approval.steps), _UNITS.get(approval.kind, "step"))
        asked = f"{_time(approval.requested_at)} by {_name(approval.requester_key)}"
        label, reason = style.MIGRATE_LABEL(approval.short), one_line(approval.reason)
        so_far = _so_far(standing.get(approval.pk))
        yield f"{label}  {state:<9}  {steps:>9}  {so_far}{asked}: {reason}"


def approval_lines(approval: PlanApproval, approvals: Approvals, style: Style) -> Iterator[str]:
    """Show a request whole."""
    state = approvals.state_of(approval).value
    yield style.MIGRATE_HEADING(f"Approval {approval.reference} is {state}")
    yield f"  environment  {approval.environment}"
    kind = "" if approval.kind == DRIFT else f"{approval.kind} "
    yield f"  {'plan' if kind else 'drift':<12} {kind}{_size(approval)}, digest {approval.digest}"
    yield f"  asked by     {_name(approval.requester_key)} at {_time(approval.requested_at)}"
    yield f"  because      {one_line(approval.reason)}"
    yield f"  expires      {_time(approval.expires_at) if _ends(approval) else 'when ledger or file changes'}"
    for standing in _standing([approval], approvals).values():
        yield f"  approvals    {standing.words}"
        if standing.flaw:
            yield f"               one doesn't count: {standing.flaw}"
    if approval.decided_at:
        yield f"  decided by   {_name(approval.approver_key)} at {_time(approval.decided_at)}"
        yield f"  because      {one_line(approval.decision_reason)}"
    if approval.kind == DRIFT:
        yield "  may stay"
        yield from (f"   {key}  {kind}  {digest}" for key, kind, digest in approval.steps)
        return
    if approval.run_id:
        yield f"  last run     {approval.run_id}"
    yield "  steps        (x: done under this approval)"
    for key, phase, _checksum in approval.steps:
        yield f"   [{' ' if key in approval.remaining else 'x'}] {key}  {phase.replace('>', ' becomes ')}"


def review_lines(findings: Sequence[str], losses: Sequence[str], style: Style) -> Iterator[str]:
    """Tell what the page of the admin tells before somebody decides, lint among it."""
    if losses:
        yield "  goes with what it holds"
        yield from (f"   {style.WARNING(one_line(loss))}" for loss in losses)
    yield "  findings" if findings else "  findings     none"
    yield from (f"   {one_line(finding)}" for finding in findings)


def asked_lines(approval: PlanApproval, *, counts_alone: bool = False) -> Iterator[str]:
    """
    Describe what becomes of a new request.

    Args:
        approval: The request.
        counts_alone: It is about drift, and nobody else has to say yes.
    """
    size = _size(approval)
    yield f"Request {approval.short}: {size} for “{approval.environment}”, digest {approval.digest}"
    if counts_alone:
        yield _counting(approval)
        return
    before = f" before {_time(approval.expires_at)}" if _ends(approval) else ""
    yield f"Another person approves it{before}, in the admin or with"
    yield f"  manage.py migration_approval approve {approval.short} --as USERNAME --reason TEXT"


def decided_lines(approval: PlanApproval, approvals: Approvals) -> Iterator[str]:
    """Describe what was decided."""
    if approval.state == "requested":
        words = approvals.standing(approval)[approval.pk].words
        yield f"Your yes to request {approval.short} is on record. It has {words}; it waits for the rest."
        return
    yield f"Approval {approval.short} is {approval.state}."
    if approval.state == "approved" and approval.kind == DRIFT:
        yield _counting(approval)
    elif approval.state == "approved":
        command = f"manage.py migrate_all {approval.target}".rstrip()
        if approval.kind == IDENTITY:
            command = "manage.py accord_environment change --reason TEXT"
        yield f"It counts until {_time(approval.expires_at)} for this plan alone: {command}"


def revoked_lines(approval: PlanApproval, approvals: Approvals) -> Iterator[str]:
    """Describe what became of a request of which a yes was taken back."""
    words = approvals.standing(approval)[approval.pk].words
    yield f"Taken back. Request {approval.short} is {approval.state}: it has {words}."
    if approval.run_id:
        yield f"Run {approval.run_id} began under it: if it still goes on, it stops before its next step."
        yield "What it has done stays done."


def attested_lines(attestation: Attestation, path: Path, public_key: str) -> Iterator[str]:
    """Describe where an attestation was written to, and what makes it count elsewhere."""
    yield f"{counted(len(attestation.document['steps']), 'step')} attested in {path}."
    yield f"Who relies on it needs this public key in TRUSTED_KEYS: {public_key}"


def accepted_lines(attestation: Attestation) -> Iterator[str]:
    """Describe what was accepted."""
    steps = counted(len(attestation.document["steps"]), "step")
    run = attestation.run_id or "no run"
    yield f"Accepted: “{attestation.environment}” ran {steps} ({run}); signed by {attestation.signer}."


def _size(approval: PlanApproval) -> str:
    if approval.kind != DRIFT:
        return counted(len(approval.steps), _UNITS.get(approval.kind, "step"))
    return f"{counted(len(approval.steps), 'disagreement')} of files and ledgers"


def _ends(approval: PlanApproval) -> bool:
    return aware(approval.expires_at) < NO_END


def _counting(approval: PlanApproval) -> str:
    """Tell until when an acceptance counts."""
    until = f"until {_time(approval.expires_at)}, or " if _ends(approval) else ""
    return f"Accepted: it stops no run {until}until ledger or file changes."


def _time(moment: Any) -> str:
    return f"{local(moment):%Y-%m-%d %H:%M %Z}"


def _name(key: str) -> str:
    return one_line(people.name_of(key))
