"""The suite's own tables, each with the reason why no person's data are in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.apps import apps

from gdpr.datamap.actions import Nothing
from gdpr.datamap.entries import Entry

REASONS: Mapping[str, str] = {
    "accord.AuditEvent": "Words from lists, numbers and random references; constraints refuse anything else.",
    "accord.AuditCheckpoint": "Hashes and signatures.",
    "accord.AuditSeal": "Numbers of events and keyed hashes.",
    "accord.TrailMark": "A random number of the database, and why there is a further one.",
    "accord.Tombstone": "Keyed hashes of erased people's keys, kept so that no write brings them back.",
    "accord.BatchJob": "What is done in batches, and how far it is.",
    "accord.BatchSlice": "Numbers, and the keys where batches begin and end, which go when the job is done.",
    "migrator.Run": "What migrations did.",
    "migrator.StepRun": "What migrations did.",
    "migrator.PlanApproval": "Digests, and who of the staff approved.",
    "migrator.PlanYes": "Digests, and who of the staff approved or took it back.",
    "migrator.BreakGlass": "Digests, and who of the staff had what run without approval and who reviewed it.",
    "migrator.Attestation": "Digests and signatures of runs.",
    "migrator.Tag": "Names of moments, and keys of steps.",
    "gdpr.ErasureRequest": "A keyed tag; the keys are sealed and destroyed when the request is closed.",
    "gdpr.RequestKey": "Random keys, encrypted; that of a request is destroyed when the request is closed.",
    "gdpr.ErasurePlan": "Entries and numbers.",
    "gdpr.Approval": "Digests and numbers of staff.",
    "gdpr.ErasureStep": "Entries and numbers; collected keys are sealed with the request's.",
    "gdpr.LegalHold": "A keyed tag and a reason from a list.",
    "gdpr.Receipt": "Entries, numbers and a signature.",
    "gdpr.InactiveNotice": "A keyed tag, and days.",
    "gdpr.RetentionRun": "Entries and numbers.",
    "gdpr.RetentionPlan": "Entries and numbers, and who of the staff decided; a reason is sealed.",
    "gdpr.KeptExport": "A keyed tag; the file is encrypted for its reader, and deleted after some days.",
    "gdpr.RecipientNotice": "Who was told of what; whom it was about is sealed until then.",
    "gdpr.Restriction": "A keyed tag and a letter of Art. 18(1).",
    "gdpr.RegisterMark": "Where the register of erasures ends, which repeats them after a restore.",
    "gdpr.RightsRequest": "A keyed tag; who asked and for what is sealed, and destroyed when it is answered.",
    "gdpr.ConsentNotice": "The texts that people were shown.",
    "gdpr.ConsentEvent": "A keyed tag and what was agreed to: the proof that Art. 7(1) asks for.",
}

BOOKS: Mapping[str, str] = {
    "accord_lease": "Who migrates at the moment: a process.",
    "accord_ledger": "Which steps are applied.",
    "accord_object": "The texts of functions and views that were made.",
    "accord_backfill": "How far operations in batches came; a key of a row while one is under way.",
    "accord_fence": "The highest fencing token that was seen.",
    "accord_mark": "What the database keeps about itself: which environment it belongs to.",
    "accord_import": "How far imports in bulk are: numbers, and digests of files.",
    "accord_ledger_alembic": "Which revisions are applied.",
    "accord_fence_alembic": "The highest fencing token that was seen.",
    "accord_mark_alembic": "As accord_mark, of an Alembic history.",
}
"""The suite's books: tables without a model, in every database that it migrates; they need no entry."""


REGISTER = re.compile(r"accord_erasure_register(_[0-9a-f]{16}|_[0-9a-f]{32})?(_note)?")
"""Tables of the register of erasures in another database: sealed keys, destroyed in their time."""

KEPT = re.compile(r"accord_before_[0-9a-f]{16}")
"""Values of before that a backfill keeps: the server lets one go with its row, or when that changes."""


def stands_beside(table: str) -> bool:
    """Return whether a table is one that the suite makes by itself and that needs no entry."""
    return bool(REGISTER.fullmatch(table) or KEPT.fullmatch(table))


def suite(store: str = "default") -> list[Entry]:
    """
    Classify the suite's own tables.

    A model that has come since is not in the list, and `gdpr_datamap check` says so.

    Args:
        store: Alias of the coordinating database.
    """
    known = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    return [
        Entry(
            id=label.replace(".", "-").lower(),
            store=store,
            target=label,
            action=Nothing(reason),
            export=False,
        )
        for label, reason in REASONS.items()
        if label in known
    ]
