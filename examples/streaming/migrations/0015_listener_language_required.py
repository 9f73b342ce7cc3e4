"""Every listener has a language, and it is one that the service speaks."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    phase = "contract"
    dependencies = [("streaming", "0014_validate_positive_payments")]

    operations = [
        # lint: waive column-not-null for good (sample): a few thousand listeners are read in milliseconds
        migrations.AlterField(
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
            ),
        ),
        # lint: waive check-validating for good (sample): a few thousand listeners are read in milliseconds
        migrations.AddConstraint(
            model_name="listener",
            constraint=models.CheckConstraint(
                condition=Q(language__in=["en", "fr", "de", "ar", "ja"]), name="listener_language_known"
            ),
        ),
    ]
