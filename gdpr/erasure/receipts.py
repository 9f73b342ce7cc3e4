"""
Receipts: what was read back from the stores, signed, as JSON and as a page to print.

A receipt holds counts, words of the data map, and digests. It names no person: no key, no tag,
no account. Whoever has the public key can check it without this project.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from accord import clock, conf
from accord.errors import SignatureError
from accord.secrets import signing
from accord.wording import say
from gdpr.documents import KeptLine, PlanDocument, PlanLine, ReceiptDocument, ReceiptStep, RecipientLine
from gdpr.erasure import outbox, planning, remains
from gdpr.erasure.verdicts import Verdict, Verdicts
from gdpr.errors import ReceiptInvalid
from gdpr.fields import random_reference
from gdpr.models import Approval, ErasurePlan, ErasureRequest, ErasureStep, Receipt
from gdpr.states import Decision
from gdpr.stores.lookups import Values

SCHEMA = "accord.receipt/2"
READ = ("accord.receipt/1", SCHEMA)
"""Receipts of earlier versions stay as good as they were."""


def make(held: Sequence[ErasureRequest], kind: Receipt.Kind, verdicts: Verdicts) -> list[Receipt]:
    """
    Write and sign a receipt of each request whose row is held and whose steps hold what was read.

    Args:
        held: The requests.
        kind: What the receipts attest.
        verdicts: What the stores said, and which servers.
    """
    sources, declared = _sources(held), remains.load()
    return Receipt.objects.bulk_create(
        [
            _signed(one, kind, _document(one, kind, sources[one.pk], verdicts[one.pk], declared))
            for one in held
        ]
    )


def _signed(held: ErasureRequest, kind: Receipt.Kind, document: ReceiptDocument) -> Receipt:
    payload = payload_of(document)
    return Receipt(
        reference=document["receipt"],
        request=held,
        kind=kind,
        document=document,
        digest=hashlib.sha256(payload).hexdigest(),
        signature=signing.sign(payload, purpose=SCHEMA),
        made_at=clock.now(),
    )


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What a receipt is written from, beside its request."""

    plan: ErasurePlan
    steps: Sequence[Any]  # rows with the attributes of ErasureStep; many requests have tens of thousands
    approved_at: datetime | None
    recipients: list[RecipientLine]


def _sources(held: Sequence[ErasureRequest]) -> Mapping[int, _Source]:
    keys = [one.pk for one in held]
    newest = planning.current_among(keys)
    steps: dict[int, list[Any]] = {key: [] for key in keys}
    rows = ErasureStep.objects.filter(request__among=Values(keys)).order_by("request_id", "position")
    for step in rows.values_list(named=True):
        steps[step.request_id].append(step)
    standing = Approval.objects.filter(
        request__among=Values(keys), decision=Decision.APPROVED, voided_at__isnull=True
    )
    approved = dict(standing.values_list("request_id", "decided_at"))
    told = outbox.lines(held)
    return {
        key: _Source(
            plan=newest[key], steps=steps[key], approved_at=approved.get(key), recipients=told.get(key, [])
        )
        for key in keys
    }


def signed_document(receipt: Receipt) -> Mapping[str, Any]:
    """Return a receipt as it leaves the house: the document, and what proves it."""
    proof = {"digest": receipt.digest, "signature": receipt.signature, "public_key": signing.public_key()}
    return {**receipt.document, "signed": proof}


def verify_receipt(document: Mapping[str, Any]) -> str:
    """
    Check a receipt that is presented.

    Args:
        document: What :func:`signed_document` gave.

    Returns:
        Who signed it: `self`, or the name of a trusted key.

    Raises:
        ReceiptInvalid: It is no receipt, it was changed, or no trusted key signed it.
    """
    proof = document.get("signed")
    schema = document.get("schema")
    if schema not in READ or not isinstance(proof, Mapping):
        raise ReceiptInvalid(
            "This is no signed receipt.", hint=say("A receipt has the schema {schema}.", schema=SCHEMA)
        )
    payload = payload_of({name: value for name, value in document.items() if name != "signed"})
    if hashlib.sha256(payload).hexdigest() != proof.get("digest"):
        raise ReceiptInvalid(
            "The receipt was changed after it was signed.", hint="Ask whoever issued it for the original."
        )
    try:
        return signing.verify(payload, str(proof.get("signature")), purpose=str(schema))
    except SignatureError as exc:
        raise ReceiptInvalid(
            say("The receipt's signature does not hold: {message}", message=exc.message), hint=exc.hint
        ) from exc


def render_html(receipt: Receipt) -> str:
    """Write a receipt as a page to print, with the outcome of checking its signature."""
    document = signed_document(receipt)
    try:
        signer, fault = verify_receipt(document), ""
    except ReceiptInvalid as exc:
        signer, fault = "", exc.message
    context = {"receipt": document, "signer": signer, "fault": fault, "summary": summary(receipt.document)}
    return render_to_string("gdpr/receipt.html", context)


def latest(request: ErasureRequest) -> Receipt | None:
    """Return the newest receipt of a request."""
    return request.receipts.order_by("-made_at", "-pk").first()


def _document(
    held: ErasureRequest,
    kind: Receipt.Kind,
    source: _Source,
    verdict: Verdict,
    declared: remains.Declared,
) -> ReceiptDocument:
    plan: PlanDocument = source.plan.document
    lines = {line["entry"]: line for line in plan["entries"]}
    until = {reading.entry: reading.until for reading in verdict.readings}
    settings = conf.load()
    lines_of_backups, undeclared = remains.backups(declared, verdict.servers, verdict.at)
    document: ReceiptDocument = {
        "schema": SCHEMA,
        "receipt": random_reference(),
        "kind": str(kind),
        "request": held.reference,
        "project": settings.project,
        "environment": settings.environment,
        "subject_kind": held.subject_kind,
        "ground": held.ground,
        "received_at": _iso(held.received_at),
        "due_at": _iso(held.due_at),
        "approved_at": _iso(source.approved_at),
        "fenced_at": _iso(held.fenced_at),
        "completed_at": _iso(held.completed_at),
        "verified_at": _iso(verdict.at),
        "in_time": held.completed_at is not None and held.completed_at <= held.due_at,
        "map_digest": source.plan.map_digest,
        "plan_digest": held.plan_digest,
        "servers": dict(verdict.servers),
        "steps": [_step(step) for step in source.steps],
        "kept": [
            _kept(step, lines[step.entry], until.get(step.entry, ""))
            for step in source.steps
            if step.kept and not step.again
        ],
        "not_applicable": [
            {"entry": line["entry"], "store": line["store"], "reason": line["reason"]}
            for line in plan["entries"]
            if "reason" in line
        ],
        "open_findings": plan.get("open_findings"),
        "backups": lines_of_backups,
        "backups_until": max((line["until"] for line in lines_of_backups), default=None),
        "backups_undeclared": undeclared,
    }
    if source.recipients:
        document["recipients"] = source.recipients
    return document


def _step(step: Any) -> ReceiptStep:
    return {
        "entry": step.entry,
        "store": step.store,
        "target": step.target,
        "action": step.action,
        "pass": 2 if step.again else 1,
        "found": step.found,
        "changed": step.affected,
        "residue": step.residue,
        "kept": step.kept,
        "batches": step.batches,
        "attempts": step.attempt,
        "by_hand": step.confirmed_by_id is not None,
        "started_at": _iso(step.started_at),
        "finished_at": _iso(step.finished_at),
    }


def _kept(step: Any, line: PlanLine, until: str) -> KeptLine:
    return {
        "entry": step.entry,
        "store": step.store,
        "target": step.target,
        "count": step.kept,
        "article": line["article"],
        "basis": line["basis"],
        # As it was read back; a row may have come since the plan.
        "until": until or line["until"],
    }


def summary(document: ReceiptDocument) -> list[dict[str, Any]]:
    """Add the steps up by store, in the order of the receipt."""
    totals: dict[str, dict[str, Any]] = {}
    for step in document["steps"]:
        total = totals.setdefault(
            step["store"],
            {"store": step["store"], "server": document["servers"].get(step["store"], ""), "entries": 0}
            | dict.fromkeys(("found", "changed", "kept", "residue"), 0),
        )
        total["changed"] += step["changed"]
        if step["pass"] == 1:
            total["entries"] += 1
            for name in ("found", "kept", "residue"):
                total[name] += step[name] or 0
    return list(totals.values())


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def payload_of(document: Mapping[str, Any]) -> bytes:
    """Write a document in its canonical form: the bytes that are signed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
