"""Runs without approval are on record before their first step, and reviewed by another person."""

from django.db import migrations, models

import migrator.models
from accord.guards import OnPostgres
from migrator.governance.guards import BREAKS


class Migration(migrations.Migration):
    dependencies = [
        ("migrator", "0009_yeses"),
    ]

    operations = [
        migrations.CreateModel(
            name="BreakGlass",
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
                            ("forget", "forget"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("direction", models.CharField(max_length=10, verbose_name="direction")),
                ("words", models.JSONField(verbose_name="flags")),
                ("digest", models.CharField(max_length=64, verbose_name="plan digest")),
                ("steps", models.JSONField(verbose_name="steps")),
                ("run_id", models.CharField(max_length=40, verbose_name="first run")),
                ("reason", models.TextField(verbose_name="reason")),
                ("account_ref", models.CharField(max_length=32, verbose_name="reference of who had it run")),
                ("account_key", models.CharField(max_length=64, verbose_name="account that had it run")),
                ("broken_at", models.DateTimeField(verbose_name="went ahead")),
                ("reviewed_at", models.DateTimeField(null=True, verbose_name="reviewed")),
                (
                    "reviewer_ref",
                    models.CharField(blank=True, max_length=32, verbose_name="reference of who reviewed it"),
                ),
                (
                    "reviewer_key",
                    models.CharField(blank=True, max_length=64, verbose_name="account that reviewed it"),
                ),
                ("review_reason", models.TextField(blank=True, verbose_name="what the review says")),
            ],
            options={
                "verbose_name": "run without approval",
                "verbose_name_plural": "runs without approval",
                "ordering": ("-broken_at", "-id"),
                "permissions": (("break_glass", "Can have a plan run without approval"),),
                "default_permissions": ("view",),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reviewer_key", models.F("account_key")), _negated=True),
                        name="migrator_break_reviewed_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reviewed_at__isnull", True),
                            models.Q(
                                models.Q(("reviewer_ref", ""), _negated=True),
                                models.Q(("reviewer_key", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="migrator_break_has_reviewer",
                    ),
                ],
            },
        ),
        OnPostgres(BREAKS.install, BREAKS.remove),
    ]
