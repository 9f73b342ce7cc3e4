"""A column for the language that the service speaks with a listener, empty at first."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming", "0008_newest_of_a_genre")]

    operations = [
        migrations.AddField(
            model_name="listener",
            name="language",
            field=models.CharField(
                choices=[
                    ("en", "English"),
                    ("fr", "Français"),
                    ("de", "Deutsch"),
                    ("ar", "العربية"),
                    ("ja", "日本語"),
                ],
                max_length=2,
                null=True,
            ),
        ),
    ]
