"""
Listeners: people with an account.

Everything else that a person leaves in any store points here by this table's key.
"""

from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Listener",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("display_name", models.CharField(max_length=80)),
                ("country", models.CharField(help_text="ISO 3166-1 alpha-2.", max_length=2)),
                ("birth_year", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [models.Index(fields=["country", "joined_at"], name="listener_country_joined")],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(birth_year__isnull=True) | Q(birth_year__range=(1900, 2100)),
                        name="listener_birth_year_plausible",
                    )
                ],
            },
        ),
    ]
