"""
Payments to labels, each settling a royalty statement.

Statements belong to the royalties' own history, which Alembic keeps, so that one goes first.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming", "0004_track_titles")]
    cross_dependencies = [("alembic", "royalties", "0003_statements")]

    operations = [
        migrations.CreateModel(
            name="LabelPayment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("label", models.CharField(max_length=120)),
                (
                    "statement_id",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Royalty statement that it settles, in Alembic's history.",
                        null=True,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("currency", models.CharField(max_length=3)),
                ("month", models.DateField(help_text="First day of the month.")),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                (
                    "artist",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="streaming.artist",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["label", "artist", "month"], name="label_payment_one_a_month"
                    )
                ],
            },
        ),
    ]
