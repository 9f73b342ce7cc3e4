"""Runs of retention, one row for each term that was applied."""

from django.db import migrations, models

import gdpr.fields


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0014_rights"),
    ]

    operations = [
        migrations.CreateModel(
            name="RetentionRun",
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
                    "run",
                    models.CharField(
                        db_index=True, default=gdpr.fields.random_reference, max_length=32, verbose_name="run"
                    ),
                ),
                ("entry", models.CharField(max_length=200, verbose_name="entry")),
                ("store", models.CharField(max_length=100, verbose_name="store")),
                (
                    "kind",
                    models.CharField(
                        choices=[("rows", "everybody"), ("kept", "erased people")],
                        max_length=10,
                        verbose_name="of whom",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "at work"),
                            ("done", "nothing is left"),
                            ("stopped", "stopped before the end"),
                            ("failed", "failed"),
                            ("interrupted", "killed"),
                        ],
                        default="running",
                        max_length=20,
                        verbose_name="state",
                    ),
                ),
                ("changed", models.BigIntegerField(default=0, verbose_name="gone or changed")),
                ("held", models.BigIntegerField(default=0, verbose_name="kept by a hold")),
                ("trouble", models.CharField(blank=True, max_length=20, verbose_name="trouble")),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
            ],
            options={
                "verbose_name": "run of retention",
                "verbose_name_plural": "runs of retention",
                "ordering": ("-started_at", "-id"),
                "required_db_vendor": "postgresql",
            },
        ),
    ]
