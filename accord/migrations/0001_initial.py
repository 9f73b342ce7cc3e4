"""The audit trail with what protects it, and the tombstones."""

from django.db import migrations, models

import accord.conditions
from accord.guards import INSTALL, REMOVE, OnPostgres


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ActorReference",
            fields=[
                (
                    "ref",
                    models.CharField(
                        max_length=32, primary_key=True, serialize=False, verbose_name="reference"
                    ),
                ),
                ("kind", models.CharField(max_length=100, verbose_name="kind")),
                ("key", models.CharField(max_length=200, verbose_name="key")),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="made")),
            ],
            options={
                "verbose_name": "reference",
                "verbose_name_plural": "references",
                "default_permissions": ("view", "delete"),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "key"), name="accord_actorreference_once"),
                    models.CheckConstraint(
                        condition=models.Q(("ref__regex", "^[0-9a-f]{32}$")), name="accord_actorreference_ref"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__regex", "^[a-z][a-z0-9_.:]{0,99}$")),
                        name="accord_actorreference_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="events")),
                ("hash", models.CharField(max_length=64, verbose_name="hash of the last one")),
                ("signature", models.CharField(max_length=120, verbose_name="signature")),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="made")),
            ],
            options={
                "verbose_name": "head of the audit trail",
                "verbose_name_plural": "heads of the audit trail",
                "ordering": ("-size",),
                "default_permissions": ("view",),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size__gte", 1)), name="accord_auditcheckpoint_size"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hash__regex", "^[0-9a-f]{64}$")),
                        name="accord_auditcheckpoint_hash",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("signature__regex", "^ed25519:[0-9a-f]{16}:[A-Za-z0-9+/]{86}==$")
                        ),
                        name="accord_auditcheckpoint_signature",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="number")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("erasure.received", "erasure request received"),
                            ("erasure.duplicate", "erasure request is a duplicate"),
                            ("erasure.identity_checked", "identity checked"),
                            ("erasure.needs_input", "information asked for"),
                            ("erasure.extended", "time limit extended"),
                            ("erasure.planned", "erasure planned"),
                            ("erasure.approved", "erasure approved"),
                            ("erasure.rejected", "erasure rejected"),
                            ("erasure.approval_voided", "approval of an erasure voided"),
                            ("erasure.cancelled", "erasure cancelled"),
                            ("erasure.fenced", "fence raised"),
                            ("erasure.started", "erasure started"),
                            ("erasure.step_done", "erasure step done"),
                            ("erasure.step_failed", "erasure step failed"),
                            ("erasure.step_retried", "erasure step retried"),
                            ("erasure.blocked", "erasure blocked by a hold"),
                            ("erasure.resumed", "erasure resumed"),
                            ("erasure.needs_operator", "erasure needs an operator"),
                            ("erasure.verified", "erasure verified"),
                            ("erasure.residue_found", "residue found"),
                            ("erasure.completed", "erasure completed"),
                            ("erasure.reopened", "erasure reopened"),
                            ("subject.revealed", "masked subject revealed"),
                            ("subject.restricted", "processing restricted"),
                            ("subject.released", "restriction lifted"),
                            ("receipt.issued", "receipt issued"),
                            ("receipt.viewed", "receipt viewed"),
                            ("recipient.notified", "recipient notified"),
                            ("hold.placed", "legal hold placed"),
                            ("hold.released", "legal hold released"),
                            ("hold.reviewed", "legal hold reviewed"),
                            ("export.made", "access export made"),
                            ("export.downloaded", "access export downloaded"),
                            ("export.deleted", "access export deleted"),
                            ("consent.given", "consent given"),
                            ("consent.refused", "consent refused"),
                            ("consent.withdrawn", "consent withdrawn"),
                            ("consent.renewed", "consent renewed"),
                            ("consent.expired", "consent expired"),
                            ("consent.invalidated", "consent invalidated"),
                            ("tombstone.purged", "tombstone purged"),
                            ("retention.applied", "retention applied"),
                            ("replay.started", "replay after a restore started"),
                            ("replay.finished", "replay after a restore finished"),
                            ("approval.requested", "approval requested"),
                            ("approval.granted", "approval granted"),
                            ("approval.rejected", "approval rejected"),
                            ("approval.expired", "approval expired"),
                            ("approval.voided", "approval voided"),
                            ("approval.cancelled", "approval request cancelled"),
                            ("approval.used", "approval used"),
                            ("attestation.written", "attestation written"),
                            ("attestation.accepted", "attestation accepted"),
                            ("attestation.refused", "attestation refused"),
                            ("policy.refused", "policy refused"),
                            ("policy.break_glass", "policy overridden in an emergency"),
                            ("run.started", "run started"),
                            ("run.finished", "run finished"),
                            ("run.refused", "run refused"),
                            ("chain.verified", "audit trail verified"),
                            ("chain.broken", "audit trail found broken"),
                            ("access.denied", "access denied"),
                        ],
                        max_length=40,
                        verbose_name="event",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("done", "done"),
                            ("partial", "partial"),
                            ("refused", "refused"),
                            ("failed", "failed"),
                        ],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[
                            ("person", "person"),
                            ("subject", "data subject"),
                            ("service", "other program"),
                            ("system", "Accord itself"),
                        ],
                        max_length=10,
                        verbose_name="who",
                    ),
                ),
                ("actor_ref", models.CharField(blank=True, max_length=32, verbose_name="reference of who")),
                (
                    "object_kind",
                    models.CharField(
                        choices=[
                            ("erasure_request", "erasure request"),
                            ("erasure_step", "erasure step"),
                            ("subject", "data subject"),
                            ("receipt", "receipt"),
                            ("recipient", "recipient"),
                            ("hold", "legal hold"),
                            ("export", "access export"),
                            ("consent", "consent"),
                            ("tombstone", "tombstone"),
                            ("retention_rule", "retention rule"),
                            ("replay", "replay"),
                            ("approval", "approval"),
                            ("plan", "migration plan"),
                            ("run", "migration run"),
                            ("attestation", "attestation"),
                            ("chain", "audit trail"),
                            ("page", "page of the admin or API"),
                        ],
                        max_length=20,
                        verbose_name="what",
                    ),
                ),
                ("object_ref", models.CharField(blank=True, max_length=32, verbose_name="reference of what")),
                ("request_ref", models.CharField(blank=True, max_length=32, verbose_name="request")),
                ("counters", models.JSONField(default=dict, verbose_name="numbers")),
                ("plan_digest", models.CharField(blank=True, max_length=64, verbose_name="plan digest")),
                ("prev_hash", models.CharField(max_length=64, verbose_name="hash of the event before")),
                ("hash", models.CharField(max_length=64, verbose_name="hash")),
            ],
            options={
                "verbose_name": "audit event",
                "verbose_name_plural": "audit trail",
                "ordering": ("-seq",),
                "permissions": (("verify_audit", "Can verify the audit trail"),),
                "default_permissions": ("view",),
                "required_db_vendor": "postgresql",
                "indexes": [
                    models.Index(fields=["at"], name="accord_audit_at"),
                    models.Index(fields=["actor_ref"], name="accord_audit_actor_ref"),
                    models.Index(fields=["object_ref"], name="accord_audit_object_ref"),
                    models.Index(fields=["request_ref"], name="accord_audit_request_ref"),
                    models.Index(fields=["plan_digest"], name="accord_audit_plan_digest"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("seq__gte", 1)), name="accord_auditevent_seq"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "event__in",
                                [
                                    "erasure.received",
                                    "erasure.duplicate",
                                    "erasure.identity_checked",
                                    "erasure.needs_input",
                                    "erasure.extended",
                                    "erasure.planned",
                                    "erasure.approved",
                                    "erasure.rejected",
                                    "erasure.approval_voided",
                                    "erasure.cancelled",
                                    "erasure.fenced",
                                    "erasure.started",
                                    "erasure.step_done",
                                    "erasure.step_failed",
                                    "erasure.step_retried",
                                    "erasure.blocked",
                                    "erasure.resumed",
                                    "erasure.needs_operator",
                                    "erasure.verified",
                                    "erasure.residue_found",
                                    "erasure.completed",
                                    "erasure.reopened",
                                    "subject.revealed",
                                    "subject.restricted",
                                    "subject.released",
                                    "receipt.issued",
                                    "receipt.viewed",
                                    "recipient.notified",
                                    "hold.placed",
                                    "hold.released",
                                    "hold.reviewed",
                                    "export.made",
                                    "export.downloaded",
                                    "export.deleted",
                                    "consent.given",
                                    "consent.refused",
                                    "consent.withdrawn",
                                    "consent.renewed",
                                    "consent.expired",
                                    "consent.invalidated",
                                    "tombstone.purged",
                                    "retention.applied",
                                    "replay.started",
                                    "replay.finished",
                                    "approval.requested",
                                    "approval.granted",
                                    "approval.rejected",
                                    "approval.expired",
                                    "approval.voided",
                                    "approval.cancelled",
                                    "approval.used",
                                    "attestation.written",
                                    "attestation.accepted",
                                    "attestation.refused",
                                    "policy.refused",
                                    "policy.break_glass",
                                    "run.started",
                                    "run.finished",
                                    "run.refused",
                                    "chain.verified",
                                    "chain.broken",
                                    "access.denied",
                                ],
                            )
                        ),
                        name="accord_auditevent_event",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["done", "partial", "refused", "failed"])),
                        name="accord_auditevent_outcome",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actor_kind__in", ["person", "subject", "service", "system"])),
                        name="accord_auditevent_actor_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "object_kind__in",
                                [
                                    "erasure_request",
                                    "erasure_step",
                                    "subject",
                                    "receipt",
                                    "recipient",
                                    "hold",
                                    "export",
                                    "consent",
                                    "tombstone",
                                    "retention_rule",
                                    "replay",
                                    "approval",
                                    "plan",
                                    "run",
                                    "attestation",
                                    "chain",
                                    "page",
                                ],
                            )
                        ),
                        name="accord_auditevent_object_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actor_ref__regex", "^([0-9a-f]{32})?$")),
                        name="accord_auditevent_actor_ref",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("object_ref__regex", "^([0-9a-f]{32})?$")),
                        name="accord_auditevent_object_ref",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("request_ref__regex", "^([0-9a-f]{32})?$")),
                        name="accord_auditevent_request_ref",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("plan_digest__regex", "^([0-9a-f]{64})?$")),
                        name="accord_auditevent_plan_digest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("prev_hash__regex", "^[0-9a-f]{64}$")),
                        name="accord_auditevent_prev_hash",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hash__regex", "^[0-9a-f]{64}$")), name="accord_auditevent_hash"
                    ),
                    models.CheckConstraint(
                        condition=accord.conditions.OnlyCounters(
                            models.F("counters"),
                            "found,matched,affected,deleted,anonymised,detached,retained,residue,skipped,failed,pending,done,total,entries,stores,steps,findings,holds,attempt,approvals,required,days,seconds,events,exit_code",
                            9999999999,
                        ),
                        name="accord_auditevent_counters",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=100, verbose_name="kind")),
                ("tag", models.CharField(max_length=64, verbose_name="tag")),
                ("key_id", models.CharField(max_length=16, verbose_name="key")),
                ("fenced_at", models.DateTimeField(verbose_name="fenced")),
                ("erased_at", models.DateTimeField(null=True, verbose_name="erased")),
            ],
            options={
                "verbose_name": "tombstone",
                "verbose_name_plural": "tombstones",
                "default_permissions": ("view",),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "tag"), name="accord_tombstone_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__regex", "^[a-z][a-z0-9_.:]{0,99}$")),
                        name="accord_tombstone_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tag__regex", "^[0-9a-f]{64}$")), name="accord_tombstone_tag"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("key_id__regex", "^[0-9a-f]{16}$")),
                        name="accord_tombstone_key_id",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("erased_at__isnull", True),
                            ("erased_at__gte", models.F("fenced_at")),
                            _connector="OR",
                        ),
                        name="accord_tombstone_fence_first",
                    ),
                ],
            },
        ),
        OnPostgres(tuple(INSTALL), tuple(REMOVE)),
    ]
