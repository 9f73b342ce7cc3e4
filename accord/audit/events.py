"""
The vocabulary of the audit trail: every word that an audit event may hold.

PostgreSQL checks the same lists, so a new word needs a migration (`makemigrations accord`).
None of the words says anything about a person.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class EventKind(models.TextChoices):
    """What happened."""

    ERASURE_RECEIVED = "erasure.received", _("erasure request received")
    ERASURE_DUPLICATE = "erasure.duplicate", _("erasure request is a duplicate")
    ERASURE_IDENTITY_CHECKED = "erasure.identity_checked", _("identity checked")
    ERASURE_NEEDS_INPUT = "erasure.needs_input", _("information asked for")
    ERASURE_EXTENDED = "erasure.extended", _("time limit extended")
    ERASURE_PLANNED = "erasure.planned", _("erasure planned")
    ERASURE_APPROVED = "erasure.approved", _("erasure approved")
    ERASURE_REJECTED = "erasure.rejected", _("erasure rejected")
    ERASURE_APPROVAL_VOIDED = "erasure.approval_voided", _("approval of an erasure voided")
    ERASURE_CANCELLED = "erasure.cancelled", _("erasure cancelled")
    ERASURE_FENCED = "erasure.fenced", _("fence raised")
    ERASURE_STARTED = "erasure.started", _("erasure started")
    ERASURE_STEP_DONE = "erasure.step_done", _("erasure step done")
    ERASURE_STEP_FAILED = "erasure.step_failed", _("erasure step failed")
    ERASURE_STEP_RETRIED = "erasure.step_retried", _("erasure step retried")
    ERASURE_BLOCKED = "erasure.blocked", _("erasure blocked by a hold")
    ERASURE_RESUMED = "erasure.resumed", _("erasure resumed")
    ERASURE_NEEDS_OPERATOR = "erasure.needs_operator", _("erasure needs an operator")
    ERASURE_VERIFIED = "erasure.verified", _("erasure verified")
    ERASURE_RESIDUE_FOUND = "erasure.residue_found", _("residue found")
    ERASURE_COMPLETED = "erasure.completed", _("erasure completed")
    ERASURE_REOPENED = "erasure.reopened", _("erasure reopened")
    LETTER_MADE = "letter.made", _("letter to a person made")
    LETTER_SENT = "letter.sent", _("letter to a person sent")
    RECIPIENT_NOTIFIED = "recipient.notified", _("recipient notified")
    RIGHT_RECEIVED = "right.received", _("request of a right received")
    RIGHT_TAKEN = "right.taken", _("request of a right taken up")
    RIGHT_ANSWERED = "right.answered", _("request of a right answered")
    RIGHT_REFUSED = "right.refused", _("request of a right refused")
    RIGHT_WITHDRAWN = "right.withdrawn", _("request of a right withdrawn")
    RECEIPT_ISSUED = "receipt.issued", _("receipt issued")
    HOLD_PLACED = "hold.placed", _("legal hold placed")
    HOLD_RELEASED = "hold.released", _("legal hold released")
    SUBJECT_RESTRICTED = "subject.restricted", _("processing restricted")
    SUBJECT_RELEASED = "subject.released", _("restriction lifted")
    EXPORT_MADE = "export.made", _("access export made")
    EXPORT_DOWNLOADED = "export.downloaded", _("access export downloaded")
    EXPORT_DELETED = "export.deleted", _("access export deleted")
    CONSENT_GIVEN = "consent.given", _("consent given")
    CONSENT_REFUSED = "consent.refused", _("consent refused")
    CONSENT_WITHDRAWN = "consent.withdrawn", _("consent withdrawn")
    CONSENT_RENEWED = "consent.renewed", _("consent renewed")
    CONSENT_EXPIRED = "consent.expired", _("consent expired")
    APPROVAL_REQUESTED = "approval.requested", _("approval requested")
    APPROVAL_GRANTED = "approval.granted", _("approval granted")
    APPROVAL_REJECTED = "approval.rejected", _("approval rejected")
    APPROVAL_EXPIRED = "approval.expired", _("approval expired")
    APPROVAL_VOIDED = "approval.voided", _("approval voided")
    APPROVAL_USED = "approval.used", _("approval used")
    ATTESTATION_WRITTEN = "attestation.written", _("attestation written")
    ATTESTATION_ACCEPTED = "attestation.accepted", _("attestation accepted")
    ATTESTATION_REFUSED = "attestation.refused", _("attestation refused")
    RUN_STARTED = "run.started", _("run started")
    RUN_FINISHED = "run.finished", _("run finished")
    RUN_REFUSED = "run.refused", _("run refused")
    STEP_APPLIED = "step.applied", _("step applied")
    STEP_RECORDED = "step.recorded", _("step recorded, not applied")
    STEP_REVERTED = "step.reverted", _("step undone")
    STEP_FAILED = "step.failed", _("step failed")
    LEDGER_STRUCK = "ledger.struck", _("step struck from a ledger")
    ENVIRONMENT_CHANGED = "environment.changed", _("environment of a store changed")
    REPLAY_STARTED = "replay.started", _("replay after a restore started")
    REPLAY_FINISHED = "replay.finished", _("replay after a restore finished")
    ACCESS_DENIED = "access.denied", _("access denied")
    TOKEN_ISSUED = "token.issued", _("access token issued")
    TOKEN_REVOKED = "token.revoked", _("access token revoked")
    RETENTION_APPLIED = "retention.applied", _("retention applied")
    RETENTION_PLANNED = "retention.planned", _("retention planned")
    RETENTION_APPROVED = "retention.approved", _("retention approved")
    RETENTION_REJECTED = "retention.rejected", _("retention rejected")
    RETENTION_VOIDED = "retention.voided", _("plan of retention voided")
    RETENTION_DONE = "retention.done", _("plan of retention carried out")
    REGISTER_RENEWED = "register.renewed", _("register of erasures begun anew")
    HEADS_RENEWED = "heads.renewed", _("signed heads begun anew")
    ERASURE_REVOKED = "erasure.revoked", _("approval of an erasure taken back")
    APPROVAL_REVOKED = "approval.revoked", _("approval taken back")
    BREAK_GLASS = "policy.break_glass", _("policy overridden in an emergency")
    BREAK_GLASS_REVIEWED = "policy.reviewed", _("run without approval reviewed")
    BATCHES_STARTED = "batches.started", _("job in batches begun")
    BATCHES_PAUSED = "batches.paused", _("job in batches paused")
    BATCHES_RESUMED = "batches.resumed", _("job in batches resumed")
    BATCHES_STOPPED = "batches.stopped", _("job in batches stopped")
    BATCHES_FINISHED = "batches.finished", _("job in batches finished")
    BULK_EXPORT_STARTED = "bulk.export_started", _("export in bulk started")
    BULK_EXPORT_FINISHED = "bulk.export_finished", _("export in bulk finished")
    BULK_IMPORT_STARTED = "bulk.import_started", _("import in bulk started")
    BULK_IMPORT_FINISHED = "bulk.import_finished", _("import in bulk finished")
    TABLE_CONVERTED = "table.converted", _("table divided into partitions")
    TABLE_REVERTED = "table.reverted", _("divided table put back")
    TABLE_FINISHED = "table.finished", _("old table of a divided one dropped")
    PARTITION_MADE = "partition.made", _("partition made ahead")
    PARTITION_DETACHED = "partition.detached", _("partition detached")
    PARTITION_DROPPED = "partition.dropped", _("partition dropped")


class FormerEventKind(models.TextChoices):
    """Words that earlier versions declared. Nothing writes them any more; whatever did can be read."""

    SUBJECT_REVEALED = "subject.revealed", _("masked subject revealed")
    RECEIPT_VIEWED = "receipt.viewed", _("receipt viewed")
    HOLD_REVIEWED = "hold.reviewed", _("legal hold reviewed")
    CONSENT_INVALIDATED = "consent.invalidated", _("consent invalidated")
    TOMBSTONE_PURGED = "tombstone.purged", _("tombstone purged")
    APPROVAL_CANCELLED = "approval.cancelled", _("approval request cancelled")
    POLICY_REFUSED = "policy.refused", _("policy refused")
    CHAIN_VERIFIED = "chain.verified", _("audit trail verified")
    CHAIN_BROKEN = "chain.broken", _("audit trail found broken")


class ActorKind(models.TextChoices):
    """Who acted."""

    PERSON = "person", _("person")
    SUBJECT = "subject", _("data subject")
    SERVICE = "service", _("other program")
    SYSTEM = "system", _("Accord itself")


class ObjectKind(models.TextChoices):
    """What it was done to."""

    ERASURE_REQUEST = "erasure_request", _("erasure request")
    RIGHTS_REQUEST = "rights_request", _("request of a right")
    ERASURE_STEP = "erasure_step", _("erasure step")
    SUBJECT = "subject", _("data subject")
    RECEIPT = "receipt", _("receipt")
    RECIPIENT = "recipient", _("recipient")
    HOLD = "hold", _("legal hold")
    EXPORT = "export", _("access export")
    CONSENT = "consent", _("consent")
    TOMBSTONE = "tombstone", _("tombstone")
    RETENTION_RULE = "retention_rule", _("retention rule")
    RETENTION_PLAN = "retention_plan", _("plan of retention")
    REPLAY = "replay", _("replay")
    APPROVAL = "approval", _("approval")
    PLAN = "plan", _("migration plan")
    RUN = "run", _("migration run")
    STEP = "step", _("migration step")
    ATTESTATION = "attestation", _("attestation")
    CHAIN = "chain", _("audit trail")
    STORE = "store", _("store")
    PAGE = "page", _("page of the admin or API")
    ACCOUNT = "account", _("account")
    TOKEN = "token", _("access token")
    BATCH_JOB = "batch_job", _("job in batches")
    TABLE = "table", _("table")


class EventOutcome(models.TextChoices):
    """How it ended."""

    DONE = "done", _("done")
    PARTIAL = "partial", _("partial")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")


class Counter(models.TextChoices):
    """What may be counted."""

    FOUND = "found", _("found")
    MATCHED = "matched", _("matched")
    AFFECTED = "affected", _("affected")
    DELETED = "deleted", _("deleted")
    ANONYMISED = "anonymised", _("anonymised")
    DETACHED = "detached", _("detached")
    RETAINED = "retained", _("retained")
    RESIDUE = "residue", _("residue")
    SKIPPED = "skipped", _("skipped")
    FAILED = "failed", _("failed")
    PENDING = "pending", _("pending")
    DONE = "done", _("done")
    TOTAL = "total", _("total")
    ENTRIES = "entries", _("entries")
    STORES = "stores", _("stores")
    STEPS = "steps", _("steps")
    POSITION = "position", _("place in the plan")
    FINDINGS = "findings", _("findings")
    HOLDS = "holds", _("holds")
    ATTEMPT = "attempt", _("attempt")
    APPROVALS = "approvals", _("approvals")
    REQUIRED = "required", _("required")
    DAYS = "days", _("days")
    SECONDS = "seconds", _("seconds")
    EVENTS = "events", _("events")
    EXIT_CODE = "exit_code", _("exit code")


BIGGEST = 9_999_999_999
"""The highest number that a counter may hold."""
