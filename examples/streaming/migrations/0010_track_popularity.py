"""A column for how often a track is played, 0 until somebody counts."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming", "0009_listener_language")]

    operations = [
        # With a default in the database the column costs no rewrite, and old code may go on inserting.
        migrations.AddField(
            model_name="track",
            name="popularity",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Plays, counted by MongoDB."
            ),
        ),
    ]
