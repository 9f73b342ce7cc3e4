"""Consents: what a listener agreed to or took back, one line for each time."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming", "0005_label_payments")]

    operations = [
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("recommendations", "Recommendations"),
                            ("statistics", "Statistics"),
                            ("newsletter", "Newsletter"),
                        ],
                        max_length=20,
                    ),
                ),
                ("given", models.BooleanField(help_text="Off means withdrawn.")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "listener",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="streaming.listener",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["listener", "purpose", "-at"], name="consent_newest")],
            },
        ),
    ]
