"""Plans of retention: what has run out, for a second person to approve."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import gdpr.fields
from accord.guards import OnPostgres
from gdpr.guards import RETENTION_PLANS, RETENTION_RUNS


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0022_other_notices_checked"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="retentionrun",
            name="plan",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=32, verbose_name="plan of retention"
            ),
        ),
        migrations.CreateModel(
            name="RetentionPlan",
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
                ("entry", models.CharField(blank=True, max_length=200, verbose_name="entry")),
                ("day", models.DateField(verbose_name="has run out by")),
                ("document", models.JSONField(verbose_name="content")),
                ("digest", models.CharField(max_length=64, verbose_name="plan digest")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting for a second person"),
                            ("approved", "approved, for the next run"),
                            ("done", "carried out"),
                            ("rejected", "rejected, nothing goes"),
                            ("void", "void"),
                        ],
                        default="waiting",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                ("planned_at", models.DateTimeField(verbose_name="planned")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                ("sealed_reason", models.BinaryField(null=True, verbose_name="reason")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
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
                "verbose_name": "plan of retention",
                "verbose_name_plural": "plans of retention",
                "ordering": ("-planned_at", "-id"),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("waiting", "approved"))),
                        fields=("entry",),
                        name="gdpr_retentionplan_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("planned_by__isnull", True),
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("planned_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="gdpr_retentionplan_two_persons",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("approved", "done", "rejected")), _negated=True),
                            ("decided_by__isnull", False),
                            _connector="OR",
                        ),
                        name="gdpr_retentionplan_decided_by",
                    ),
                ],
            },
        ),
        OnPostgres(RETENTION_PLANS.install, RETENTION_PLANS.remove),
        OnPostgres(RETENTION_RUNS.install, RETENTION_RUNS.remove),
    ]
