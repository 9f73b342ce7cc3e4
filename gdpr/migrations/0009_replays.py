"""Replays: requests that repeat an erasure after a restore, for whose approval the register vouches."""

from django.db import migrations, models

from accord.guards import RemoveWords


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0008_consent_terms"),
    ]

    operations = [
        # Where it comes back, replays that are there break it.
        RemoveWords(
            model_name="erasurerequest",
            name="gdpr_request_runs_only_approved",
        ),
        # lint: waive column-required for good (accord): released before there was lint
        migrations.AddField(
            model_name="erasurerequest",
            name="replays",
            field=models.CharField(
                blank=True, editable=False, max_length=32, verbose_name="repeats the erasure"
            ),
        ),
        # lint: waive column-required for good (accord): released before there was lint
        migrations.AddField(
            model_name="registermark",
            name="stores",
            field=models.JSONField(default=dict, verbose_name="what other stores know"),
        ),
        migrations.AddField(
            model_name="registermark",
            name="replaying",
            field=models.BigIntegerField(null=True, verbose_name="entry that began a replay"),
        ),
        migrations.AlterField(
            model_name="erasurerequest",
            name="channel",
            field=models.CharField(
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
        migrations.AlterField(
            model_name="receipt",
            name="kind",
            field=models.CharField(
                choices=[
                    ("erasure", "erasure"),
                    ("verification", "second verification"),
                    ("replay", "erasure repeated after a restore"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        # lint: waive check-validating for good (accord): released before there was lint
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
                        models.Q(
                            models.Q(("approved_by__isnull", False), ("filed_by__isnull", False)),
                            models.Q(("replays", ""), _negated=True),
                            _connector="OR",
                        ),
                        models.Q(("plan_digest", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="gdpr_request_runs_only_approved",
            ),
        ),
    ]
