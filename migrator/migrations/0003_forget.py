"""Striking an entry of a ledger is a kind of run."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migrator", "0002_approvals"),
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
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="kind",
            field=models.CharField(
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
    ]
