"""Journal of runs and their steps."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="run"),
                ),
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
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("succeeded", "succeeded"),
                            ("failed", "failed"),
                            ("skipped", "skipped"),
                            ("interrupted", "interrupted"),
                        ],
                        default="running",
                        max_length=12,
                        verbose_name="outcome",
                    ),
                ),
                ("environment", models.CharField(max_length=60, verbose_name="environment")),
                ("digest", models.CharField(max_length=64, verbose_name="plan digest")),
                ("fence", models.BigIntegerField(verbose_name="fencing token")),
                ("owner", models.CharField(max_length=200, verbose_name="process")),
                ("planned", models.PositiveIntegerField(verbose_name="steps planned")),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("error_code", models.CharField(blank=True, max_length=10, verbose_name="error code")),
                ("error", models.TextField(blank=True, verbose_name="error")),
            ],
            options={
                "verbose_name": "run",
                "verbose_name_plural": "runs",
                "ordering": ("-started_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="StepRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="position")),
                ("store", models.CharField(max_length=60, verbose_name="store")),
                ("app", models.CharField(max_length=100, verbose_name="app")),
                ("name", models.CharField(max_length=255, verbose_name="step")),
                ("direction", models.CharField(max_length=10, verbose_name="direction")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("succeeded", "succeeded"),
                            ("failed", "failed"),
                            ("skipped", "skipped"),
                            ("interrupted", "interrupted"),
                        ],
                        default="running",
                        max_length=12,
                        verbose_name="outcome",
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("seconds", models.FloatField(null=True, verbose_name="seconds")),
                ("changed", models.BigIntegerField(default=0, verbose_name="changed")),
                ("detail", models.TextField(blank=True, verbose_name="detail")),
                ("error_code", models.CharField(blank=True, max_length=10, verbose_name="error code")),
                ("error", models.TextField(blank=True, verbose_name="error")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="migrator.run",
                        verbose_name="run",
                    ),
                ),
            ],
            options={
                "verbose_name": "step of a run",
                "verbose_name_plural": "steps of a run",
                "ordering": ("run", "position"),
                "constraints": [
                    models.UniqueConstraint(fields=("run", "position"), name="migrator_steprun_position_once")
                ],
            },
        ),
    ]
