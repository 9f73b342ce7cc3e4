"""Changing a store's environment can be approved."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migrator", "0007_attestations_stay"),
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
                    ("identity", "environment"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
    ]
