"""Requests, plans, decisions, steps, holds, receipts and consent."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import gdpr.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("purpose", models.CharField(max_length=100, verbose_name="purpose")),
                ("version", models.CharField(max_length=40, verbose_name="version")),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("text", models.TextField(verbose_name="text")),
                ("text_hash", models.CharField(max_length=64, verbose_name="hash of the text")),
                ("published_at", models.DateTimeField(verbose_name="published")),
            ],
            options={
                "verbose_name": "consent notice",
                "verbose_name_plural": "consent notices",
                "ordering": ("purpose", "language", "-published_at"),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("purpose", "version", "language"), name="gdpr_notice_version_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="gdpr_notice_has_text"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ErasureRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        default=gdpr.fields.random_reference,
                        editable=False,
                        max_length=32,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                ("subject_kind", models.CharField(max_length=100, verbose_name="kind of person")),
                ("subject_tag", models.CharField(db_index=True, max_length=200, verbose_name="subject tag")),
                ("sealed_keys", models.BinaryField(null=True, verbose_name="sealed keys")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "received"),
                            ("identity_check", "identity check"),
                            ("planned", "planned, awaiting approval"),
                            ("approved", "approved"),
                            ("fenced", "fenced"),
                            ("executing", "erasing"),
                            ("retry_wait", "waiting to retry"),
                            ("blocked_hold", "blocked by a legal hold"),
                            ("needs_operator", "needs a person"),
                            ("verifying", "verifying"),
                            ("completed", "completed"),
                            ("completed_with_retention", "completed, some data kept"),
                            ("rejected", "rejected"),
                            ("cancelled", "cancelled"),
                            ("duplicate", "duplicate"),
                        ],
                        default="received",
                        max_length=30,
                        verbose_name="state",
                    ),
                ),
                (
                    "held_in",
                    models.CharField(blank=True, max_length=30, verbose_name="state before the hold"),
                ),
                (
                    "ground",
                    models.CharField(
                        choices=[
                            ("17(1)(a)", "no longer necessary"),
                            ("17(1)(b)", "consent withdrawn"),
                            ("17(1)(c)", "objection"),
                            ("17(1)(d)", "unlawful processing"),
                            ("17(1)(e)", "legal obligation to erase"),
                            ("17(1)(f)", "collected from a child"),
                        ],
                        max_length=10,
                        verbose_name="ground",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("command", "command line"),
                            ("admin", "admin"),
                            ("api", "API"),
                            ("retention", "retention rule"),
                        ],
                        max_length=10,
                        verbose_name="received by",
                    ),
                ),
                (
                    "idempotency_key",
                    models.CharField(max_length=64, null=True, unique=True, verbose_name="idempotency key"),
                ),
                (
                    "identity_method",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("account", "signed in to the account"),
                            ("one_time_code", "code sent to a known address"),
                            ("document", "document seen, not kept"),
                            ("staff", "vouched for by the one who filed it"),
                        ],
                        max_length=20,
                        verbose_name="identity",
                    ),
                ),
                (
                    "rejection_ground",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("12(2)", "the person can't be identified"),
                            ("12(5)", "manifestly unfounded or excessive"),
                            ("17(3)(a)", "freedom of expression and information"),
                            ("17(3)(b)", "legal obligation or public task"),
                            ("17(3)(c)", "public health"),
                            ("17(3)(d)", "archiving or research"),
                            ("17(3)(e)", "legal claims"),
                        ],
                        max_length=10,
                        verbose_name="refused because",
                    ),
                ),
                ("plan_digest", models.CharField(blank=True, max_length=64, verbose_name="plan digest")),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("extended_at", models.DateTimeField(null=True, verbose_name="extended")),
                (
                    "extension_reason",
                    models.CharField(
                        blank=True,
                        choices=[("complexity", "complexity"), ("number", "number of requests")],
                        max_length=20,
                        verbose_name="extended because",
                    ),
                ),
                ("approval_expires_at", models.DateTimeField(null=True, verbose_name="approval expires")),
                ("fenced_at", models.DateTimeField(null=True, verbose_name="fenced")),
                ("completed_at", models.DateTimeField(null=True, verbose_name="completed")),
                ("verify_again_at", models.DateTimeField(null=True, verbose_name="second verification due")),
                ("next_attempt_at", models.DateTimeField(null=True, verbose_name="next attempt")),
                ("reopened", models.PositiveIntegerField(default=0, verbose_name="times reopened")),
                ("trouble", models.CharField(blank=True, max_length=10, verbose_name="last trouble")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                (
                    "canonical",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duplicates",
                        to="gdpr.erasurerequest",
                        verbose_name="counts as",
                    ),
                ),
                (
                    "filed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="filed by",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="planned by",
                    ),
                ),
            ],
            options={
                "verbose_name": "erasure request",
                "verbose_name_plural": "erasure requests",
                "ordering": ("due_at", "id"),
                "permissions": (
                    ("approve_erasurerequest", "Can approve or reject erasure plans of others"),
                    ("execute_erasurerequest", "Can start and continue approved erasures"),
                ),
                "required_db_vendor": "postgresql",
            },
        ),
        migrations.CreateModel(
            name="ErasurePlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("digest", models.CharField(max_length=64, verbose_name="digest")),
                ("map_digest", models.CharField(max_length=64, verbose_name="digest of the data map")),
                ("document", models.JSONField(verbose_name="plan")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="gdpr.erasurerequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "erasure plan",
                "verbose_name_plural": "erasure plans",
                "ordering": ("request", "-number"),
                "required_db_vendor": "postgresql",
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("plan_digest", models.CharField(max_length=64, verbose_name="plan digest")),
                (
                    "decision",
                    models.CharField(
                        choices=[("approved", "approved"), ("rejected", "rejected")],
                        max_length=10,
                        verbose_name="decision",
                    ),
                ),
                ("decided_at", models.DateTimeField(verbose_name="decided")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="expires")),
                ("voided_at", models.DateTimeField(null=True, verbose_name="void since")),
                ("sealed_reason", models.BinaryField(null=True, verbose_name="reason")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "filed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="filed by",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to="gdpr.erasurerequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "approval",
                "verbose_name_plural": "approvals",
                "ordering": ("-decided_at", "-id"),
                "required_db_vendor": "postgresql",
            },
        ),
        migrations.CreateModel(
            name="ErasureStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="position")),
                ("entry", models.CharField(max_length=200, verbose_name="entry")),
                ("again", models.BooleanField(default=False, verbose_name="second pass")),
                ("store", models.CharField(max_length=60, verbose_name="store")),
                ("target", models.CharField(max_length=200, verbose_name="target")),
                ("action", models.CharField(max_length=20, verbose_name="action")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("running", "running"),
                            ("retry_wait", "waiting to retry"),
                            ("manual", "a person has to act"),
                            ("failed", "failed"),
                            ("done", "done"),
                        ],
                        default="pending",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("attempt", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failures in a row")),
                ("fence", models.BigIntegerField(default=0, verbose_name="fencing token")),
                ("owner", models.CharField(blank=True, max_length=300, verbose_name="process")),
                ("lease_until", models.DateTimeField(null=True, verbose_name="leased until")),
                ("next_attempt_at", models.DateTimeField(null=True, verbose_name="next attempt")),
                ("found", models.BigIntegerField(default=0, verbose_name="found")),
                ("affected", models.BigIntegerField(default=0, verbose_name="changed")),
                ("batches", models.PositiveIntegerField(default=0, verbose_name="batches")),
                ("residue", models.BigIntegerField(null=True, verbose_name="left")),
                ("kept", models.BigIntegerField(default=0, verbose_name="kept")),
                ("error_code", models.CharField(blank=True, max_length=10, verbose_name="error code")),
                ("server", models.CharField(blank=True, max_length=200, verbose_name="server")),
                ("sealed_keys", models.BinaryField(null=True, verbose_name="sealed keys")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="confirmed by",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="gdpr.erasurerequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "step of an erasure",
                "verbose_name_plural": "steps of an erasure",
                "ordering": ("request", "position"),
                "required_db_vendor": "postgresql",
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        default=gdpr.fields.random_reference,
                        editable=False,
                        max_length=32,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                ("subject_kind", models.CharField(max_length=100, verbose_name="kind of person")),
                ("subject_tag", models.CharField(db_index=True, max_length=200, verbose_name="subject tag")),
                (
                    "entry",
                    models.CharField(
                        blank=True, help_text="Empty: everything.", max_length=200, verbose_name="entry"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("17(3)(e)", "legal claims"),
                            ("17(3)(b)", "legal obligation"),
                            ("authority", "ordered by an authority"),
                            ("investigation", "internal investigation"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                ("placed_at", models.DateTimeField(verbose_name="placed")),
                ("review_at", models.DateTimeField(verbose_name="review due")),
                ("released_at", models.DateTimeField(null=True, verbose_name="released")),
                (
                    "placed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="placed by",
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="released by",
                    ),
                ),
            ],
            options={
                "verbose_name": "legal hold",
                "verbose_name_plural": "legal holds",
                "ordering": ("review_at", "id"),
                "required_db_vendor": "postgresql",
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        default=gdpr.fields.random_reference,
                        editable=False,
                        max_length=32,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("erasure", "erasure"), ("verification", "second verification")],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("document", models.JSONField(verbose_name="document")),
                ("digest", models.CharField(max_length=64, verbose_name="digest")),
                ("signature", models.TextField(verbose_name="signature")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="gdpr.erasurerequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt",
                "verbose_name_plural": "receipts",
                "ordering": ("-made_at", "-id"),
                "required_db_vendor": "postgresql",
            },
        ),
        migrations.CreateModel(
            name="ConsentEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        default=gdpr.fields.random_reference,
                        editable=False,
                        max_length=32,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                ("subject_kind", models.CharField(max_length=100, verbose_name="kind of person")),
                ("subject_tag", models.CharField(max_length=200, verbose_name="subject tag")),
                ("purpose", models.CharField(max_length=100, verbose_name="purpose")),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("given", "given"),
                            ("refused", "refused"),
                            ("withdrawn", "withdrawn"),
                            ("renewed", "renewed"),
                            ("expired", "expired"),
                        ],
                        max_length=10,
                        verbose_name="event",
                    ),
                ),
                ("explicit", models.BooleanField(default=False, verbose_name="explicit (Art. 9)")),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("checkbox", "checkbox"),
                            ("api", "API"),
                            ("paper", "paper"),
                            ("spoken", "spoken"),
                            ("system", "system"),
                        ],
                        max_length=10,
                        verbose_name="method",
                    ),
                ),
                ("channel", models.CharField(max_length=40, verbose_name="channel")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("valid_until", models.DateTimeField(null=True, verbose_name="valid until")),
                ("previous_hash", models.CharField(blank=True, max_length=64, verbose_name="hash before")),
                ("hash", models.CharField(max_length=64, verbose_name="hash")),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="recorded by",
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="gdpr.consentnotice",
                        verbose_name="notice",
                    ),
                ),
            ],
            options={
                "verbose_name": "consent event",
                "verbose_name_plural": "consent events",
                "ordering": ("subject_tag", "purpose", "number"),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject_tag", "purpose", "number"), name="gdpr_consent_number_once"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="erasurerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by__isnull", True),
                    models.Q(("approved_by", models.F("filed_by")), _negated=True),
                    _connector="OR",
                ),
                name="gdpr_request_approver_is_not_filer",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasurerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by__isnull", True),
                    ("planned_by__isnull", True),
                    models.Q(("approved_by", models.F("planned_by")), _negated=True),
                    _connector="OR",
                ),
                name="gdpr_request_approver_is_not_planner",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasurerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "state__in",
                            (
                                "approved",
                                "fenced",
                                "executing",
                                "retry_wait",
                                "needs_operator",
                                "verifying",
                                "completed",
                                "completed_with_retention",
                            ),
                        ),
                        _negated=True,
                    ),
                    models.Q(
                        ("approved_by__isnull", False),
                        ("filed_by__isnull", False),
                        models.Q(("plan_digest", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="gdpr_request_runs_only_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasurerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "received",
                            "identity_check",
                            "planned",
                            "approved",
                            "fenced",
                            "executing",
                            "retry_wait",
                            "blocked_hold",
                            "needs_operator",
                            "verifying",
                            "completed",
                            "completed_with_retention",
                            "rejected",
                            "cancelled",
                            "duplicate",
                        ],
                    )
                ),
                name="gdpr_request_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasurerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ("rejected", "cancelled", "duplicate", "completed", "completed_with_retention"),
                    ),
                    _negated=True,
                ),
                fields=("subject_tag",),
                name="gdpr_request_one_open_a_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasureplan",
            constraint=models.UniqueConstraint(fields=("request", "number"), name="gdpr_plan_number_once"),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", False),
                    ("filed_by__isnull", False),
                    models.Q(("decided_by", models.F("filed_by")), _negated=True),
                ),
                name="gdpr_approval_two_persons",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasurestep",
            constraint=models.UniqueConstraint(
                fields=("request", "entry", "again"), name="gdpr_step_entry_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="erasurestep",
            constraint=models.UniqueConstraint(
                fields=("request", "position"), name="gdpr_step_position_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("released_at__isnull", True),
                    models.Q(
                        ("placed_by__isnull", False),
                        ("released_by__isnull", False),
                        models.Q(("released_by", models.F("placed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="gdpr_hold_released_by_another",
            ),
        ),
    ]
