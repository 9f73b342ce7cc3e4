"""Approvals of plans, guarded by the database, and attestations."""

from django.db import migrations, models

import migrator.models
from accord.guards import OnPostgres
from migrator.governance.guards import INSTALL, REMOVE


class Migration(migrations.Migration):
    dependencies = [
        ("migrator", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attestation",
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
                        default=migrator.models.random_reference,
                        max_length=32,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                ("environment", models.CharField(max_length=60, verbose_name="environment")),
                ("run_id", models.CharField(blank=True, max_length=40, verbose_name="run")),
                (
                    "content",
                    models.CharField(max_length=64, unique=True, verbose_name="digest of what it says"),
                ),
                ("document", models.JSONField(verbose_name="document")),
                ("signer", models.CharField(max_length=200, verbose_name="signed by")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("kept_at", models.DateTimeField(auto_now_add=True, verbose_name="kept since")),
            ],
            options={
                "verbose_name": "attestation",
                "verbose_name_plural": "attestations",
                "ordering": ("-made_at", "-id"),
                "default_permissions": ("add", "view"),
                "required_db_vendor": "postgresql",
            },
        ),
        migrations.CreateModel(
            name="PlanApproval",
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
                        default=migrator.models.random_reference,
                        max_length=32,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                ("project", models.CharField(max_length=200, verbose_name="project")),
                ("environment", models.CharField(max_length=60, verbose_name="environment")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("apply", "apply"),
                            ("revert", "revert"),
                            ("baseline", "baseline"),
                            ("fake", "fake"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("direction", models.CharField(max_length=10, verbose_name="direction")),
                ("target", models.CharField(blank=True, max_length=500, verbose_name="target")),
                ("digest", models.CharField(max_length=64, verbose_name="plan digest")),
                ("steps", models.JSONField(verbose_name="steps")),
                ("remaining", models.JSONField(verbose_name="steps that may still run")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "waits for approval"),
                            ("approved", "approved"),
                            ("rejected", "rejected"),
                            ("expired", "expired"),
                            ("used", "used"),
                        ],
                        default="requested",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                ("requester_ref", models.CharField(max_length=32, verbose_name="reference of who asked")),
                ("requester_key", models.CharField(max_length=64, verbose_name="account that asked")),
                ("requested_at", models.DateTimeField(verbose_name="requested")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                (
                    "approver_ref",
                    models.CharField(blank=True, max_length=32, verbose_name="reference of who decided"),
                ),
                (
                    "approver_key",
                    models.CharField(blank=True, max_length=64, verbose_name="account that decided"),
                ),
                ("decision_reason", models.TextField(blank=True, verbose_name="reason of the decision")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                ("run_id", models.CharField(blank=True, max_length=40, verbose_name="last run")),
                ("used_at", models.DateTimeField(null=True, verbose_name="used up")),
            ],
            options={
                "verbose_name": "plan approval",
                "verbose_name_plural": "plan approvals",
                "ordering": ("-requested_at", "-id"),
                "permissions": (("approve_planapproval", "Can approve or reject plans of others"),),
                "default_permissions": ("add", "view"),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("approver_ref", models.F("requester_ref")), _negated=True),
                        name="migrator_approval_by_another_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("approver_key", models.F("requester_key")), _negated=True),
                        name="migrator_approval_by_another_account",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("requester_ref", ""), _negated=True),
                            models.Q(("requester_key", ""), _negated=True),
                        ),
                        name="migrator_approval_has_requester",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("approved", "rejected", "used")), _negated=True),
                            models.Q(
                                models.Q(("approver_ref", ""), _negated=True),
                                models.Q(("approver_key", ""), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="migrator_approval_has_approver",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["requested", "approved", "rejected", "expired", "used"])
                        ),
                        name="migrator_approval_state_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("requested", "approved"))),
                        fields=("project", "environment", "kind", "digest"),
                        name="migrator_approval_open_once",
                    ),
                ],
            },
        ),
        OnPostgres(INSTALL, REMOVE),
    ]
