"""Restrictions of processing (Art. 18)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import gdpr.fields
from accord.guards import OnPostgres
from gdpr.guards import RESTRICTIONS


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0017_inactive"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="erasurerequest",
            name="state",
            field=models.CharField(
                choices=[
                    ("received", "received"),
                    ("identity_check", "identity check"),
                    ("planned", "planned, awaiting approval"),
                    ("approved", "approved"),
                    ("fenced", "fenced"),
                    ("executing", "erasing"),
                    ("retry_wait", "waiting to retry"),
                    ("blocked_hold", "blocked by a hold or a restriction"),
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
        migrations.CreateModel(
            name="Restriction",
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
                    "reason",
                    models.CharField(
                        choices=[
                            ("18(1)(a)", "accuracy contested"),
                            ("18(1)(b)", "unlawful, and the person opposes erasure"),
                            ("18(1)(c)", "the person needs them for legal claims"),
                            ("18(1)(d)", "an objection is being looked at"),
                        ],
                        max_length=10,
                        verbose_name="reason",
                    ),
                ),
                ("restricted_at", models.DateTimeField(verbose_name="restricted")),
                ("told_at", models.DateTimeField(null=True, verbose_name="person told")),
                ("lifted_at", models.DateTimeField(null=True, verbose_name="lifted")),
                (
                    "lifted_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="lifted by",
                    ),
                ),
                (
                    "restricted_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="restricted by",
                    ),
                ),
            ],
            options={
                "verbose_name": "restriction of processing",
                "verbose_name_plural": "restrictions of processing",
                "ordering": ("-restricted_at", "-id"),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("subject_tag", "reason"),
                        name="gdpr_restriction_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lifted_at__isnull", True), ("told_at__isnull", False), _connector="OR"
                        ),
                        name="gdpr_restriction_told_before_lifted",
                    ),
                ],
            },
        ),
        OnPostgres(RESTRICTIONS.install, RESTRICTIONS.remove),
    ]
