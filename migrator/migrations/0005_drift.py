"""Drift can be accepted, as a kind of approval."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migrator", "0004_tags"),
    ]

    operations = [
        migrations.AlterField(
            model_name="planapproval",
            name="kind",
            field=models.CharField(
                choices=[
                    ("apply", "apply"),
                    ("revert", "revert"),
                    ("baseline", "baseline"),
                    ("fake", "fake"),
                    ("forget", "forget"),
                    ("drift", "drift"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
    ]
