"""Titles of a track in each language that it has one in."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming", "0003_catalogue")]

    operations = [
        migrations.CreateModel(
            name="TrackTitle",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[
                            ("en", "English"),
                            ("fr", "Français"),
                            ("de", "Deutsch"),
                            ("ar", "العربية"),
                            ("ja", "日本語"),
                        ],
                        max_length=2,
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                (
                    "track",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="titles",
                        to="streaming.track",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["track", "language"], name="track_title_one_a_language")
                ],
            },
        ),
    ]
