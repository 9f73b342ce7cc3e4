"""Warnings of inactive people."""

from django.db import migrations, models

import gdpr.fields


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0016_self_service"),
    ]

    operations = [
        migrations.CreateModel(
            name="InactiveNotice",
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
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sending", "being sent"),
                            ("warned", "warned"),
                            ("returned", "came back, or is gone"),
                            ("filed", "erasure asked for"),
                        ],
                        default="sending",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                ("entered_at", models.DateTimeField(verbose_name="entered")),
                ("warned_on", models.DateField(null=True, verbose_name="warned on")),
                ("ask_on", models.DateField(null=True, verbose_name="last day to come back")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
            ],
            options={
                "verbose_name": "warning of an inactive person",
                "verbose_name_plural": "warnings of inactive people",
                "ordering": ("-entered_at", "-id"),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("sending", "warned"))),
                        fields=("subject_tag",),
                        name="gdpr_inactivenotice_one_open",
                    )
                ],
            },
        ),
    ]
