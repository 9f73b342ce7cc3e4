"""Listening sessions: from pressing play to falling asleep."""

from __future__ import annotations

import django.db.models.deletion
import django_mongodb_backend.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming_documents", "0001_devices")]

    operations = [
        migrations.CreateModel(
            name="ListeningSession",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("listener_id", models.BigIntegerField(help_text="Listener in PostgreSQL.")),
                ("started_at", models.DateTimeField()),
                ("seconds", models.PositiveIntegerField(default=0)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="streaming_documents.deviceprofile",
                    ),
                ),
            ],
            options={"db_table": "listening_session"},
        ),
        migrations.AddIndex(
            model_name="listeningsession",
            index=models.Index(fields=["listener_id", "-started_at"], name="session_listener_newest"),
        ),
    ]
