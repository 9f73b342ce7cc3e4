"""The shapes of what is kept and signed as JSON: plans and receipts; docs/reference/json.md explains them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict


class PlanLine(TypedDict):
    """
    What would happen to one entry of the data map; numbers are rows, documents or indexed documents.

    `article`, `basis` and `until` stand where something is kept by law, `instructions` where a person
    has to act, `reason` where an entry holds nothing about anybody.
    """

    entry: str
    store: str
    target: str
    action: str
    found: int
    delete: int
    anonymise: int
    keep: int
    again: bool
    article: NotRequired[str]
    basis: NotRequired[str]
    until: NotRequired[str]
    instructions: NotRequired[str]
    reason: NotRequired[str]


class OpenFinding(TypedDict):
    """What the check of the data map found wrong: places and fields that an erasure doesn't cover."""

    id: str
    store: str
    target: str
    entry: str
    message: str


class RestrictedLine(TypedDict):
    """That the person's data must not be used (Art. 18): by which letter of it, and since when."""

    reason: str
    since: str


class PlanDraft(TypedDict):
    """
    A plan before it is bound to a person (`accord.erasure.plan/1`).

    `open_findings` is missing where the policy looks for none, `restricted` where the person isn't.
    """

    schema: str
    map_digest: str
    entries: list[PlanLine]
    open_findings: NotRequired[list[OpenFinding]]
    restricted: NotRequired[list[RestrictedLine]]


class PlanDocument(PlanDraft):
    """A plan: its digest, over the draft and the person's tag, is what an approval names."""

    subject_kind: str
    digest: str


ReceiptStep = TypedDict(
    "ReceiptStep",
    {
        "entry": str,
        "store": str,
        "target": str,
        "action": str,
        "pass": int,  # 1, or 2 for an entry that is erased again last
        "found": int,
        "changed": int,
        "residue": int | None,
        "kept": int,
        "batches": int,
        "attempts": int,
        "by_hand": bool,
        "started_at": str | None,
        "finished_at": str | None,
    },
)
"""What one step of an erasure did. Moments are ISO 8601 with their offset."""


class KeptLine(TypedDict):
    """What is kept by law, on which ground and until when."""

    entry: str
    store: str
    target: str
    count: int
    article: str
    basis: str
    until: str


class NotApplicable(TypedDict):
    """An entry that holds nothing about anybody, and why."""

    entry: str
    store: str
    reason: str


class BackupLine(TypedDict):
    """Until when one kind of backup of a store holds what was erased; the day is an ISO date."""

    store: str
    kind: str
    kept_days: float
    until: str


class RecipientLine(TypedDict):
    """A recipient that got data of the person, and whether it was told by then that they are erased."""

    recipient: str
    state: str
    informed_at: str | None


class ReceiptDocument(TypedDict):
    """
    What a receipt attests (`accord.receipt/2`), without its signature; free of personal data.

    One of `accord.receipt/1` ends before `backups`. `recipients` is missing where no recipient got data.
    """

    schema: str
    receipt: str
    kind: str
    request: str
    project: str
    environment: str
    subject_kind: str
    ground: str
    received_at: str | None
    due_at: str | None
    approved_at: str | None
    fenced_at: str | None
    completed_at: str | None
    verified_at: str | None
    in_time: bool
    map_digest: str
    plan_digest: str
    servers: Mapping[str, str]
    steps: list[ReceiptStep]
    kept: list[KeptLine]
    not_applicable: list[NotApplicable]
    open_findings: list[OpenFinding] | None  # None: nobody looked
    backups: list[BackupLine]
    backups_until: str | None
    backups_undeclared: list[str]
    recipients: NotRequired[list[RecipientLine]]
