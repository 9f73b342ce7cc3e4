"""Requests for other rights than erasure, with their deadlines."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import gdpr.fields
from accord.guards import OnPostgres
from gdpr.guards import RIGHTS


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0013_notices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RightsRequest",
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
                        choices=[
                            ("correction", "correction (Art. 16)"),
                            ("objection", "objection (Art. 21)"),
                        ],
                        max_length=12,
                        verbose_name="right",
                    ),
                ),
                ("subject_kind", models.CharField(max_length=100, verbose_name="kind of person")),
                ("subject_tag", models.CharField(db_index=True, max_length=200, verbose_name="subject tag")),
                ("sealed_keys", models.BinaryField(null=True, verbose_name="sealed keys and words")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "received"),
                            ("in_work", "in work"),
                            ("answered", "answered"),
                            ("refused", "refused"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="received",
                        max_length=10,
                        verbose_name="state",
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
                            ("replay", "replay after a restore"),
                        ],
                        max_length=10,
                        verbose_name="received by",
                    ),
                ),
                (
                    "refusal_ground",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("12(2)", "the person can't be identified"),
                            ("12(5)", "manifestly unfounded or excessive"),
                            ("16", "the data are accurate and complete"),
                            ("21(1)", "compelling legitimate grounds, or legal claims"),
                        ],
                        max_length=10,
                        verbose_name="refused because",
                    ),
                ),
                ("sealed_note", models.BinaryField(null=True, verbose_name="note")),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="answered by",
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
                    "taken_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="taken up by",
                    ),
                ),
            ],
            options={
                "verbose_name": "request of a right",
                "verbose_name_plural": "requests of rights",
                "ordering": ("due_at", "id"),
                "default_permissions": ("add", "change", "view"),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("state__in", ("received", "in_work"))),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("sealed_keys__isnull", True),
                                ("state__in", ("answered", "refused", "withdrawn")),
                            ),
                            _connector="OR",
                        ),
                        name="gdpr_right_over_is_closed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "refused"), models.Q(("refusal_ground", ""), _negated=True)),
                            models.Q(models.Q(("state", "refused"), _negated=True), ("refusal_ground", "")),
                            _connector="OR",
                        ),
                        name="gdpr_right_refused_on_a_ground",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["correction", "objection"])),
                        name="gdpr_right_kind_known",
                    ),
                ],
            },
        ),
        OnPostgres(RIGHTS.install, RIGHTS.remove),
    ]
