"""Venues: places where artists play, with coordinates for the search by distance."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("streaming", "0006_consents")]

    operations = [
        migrations.CreateModel(
            name="Venue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("city", models.CharField(max_length=80)),
                ("country", models.CharField(max_length=2)),
                ("latitude", models.FloatField()),
                ("longitude", models.FloatField()),
                ("capacity", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(latitude__range=(-90, 90)) & Q(longitude__range=(-180, 180)),
                        name="venue_on_earth",
                    )
                ],
            },
        ),
    ]
