"""Devices of a listener, as documents: each kind has settings of its own."""

from __future__ import annotations

import django.utils.timezone
import django_mongodb_backend.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    # A device is its listener's, whose key PostgreSQL gives out.
    cross_dependencies = [("default", "streaming", "0001_listeners")]

    operations = [
        migrations.CreateModel(
            name="DeviceProfile",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("listener_id", models.BigIntegerField(help_text="Listener in PostgreSQL.")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("phone", "Phone"),
                            ("desktop", "Desktop"),
                            ("speaker", "Speaker"),
                            ("car", "Car"),
                        ],
                        max_length=10,
                    ),
                ),
                ("model_name", models.CharField(max_length=80)),
                ("settings", models.JSONField(default=dict, help_text="Volume, quality, equalizer.")),
                ("last_seen", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "db_table": "device_profile",
                "indexes": [models.Index(fields=["listener_id", "-last_seen"], name="device_listener_seen")],
            },
        ),
    ]
