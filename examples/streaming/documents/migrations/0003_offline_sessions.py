"""Sessions say whether the device was offline; those from before were not."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming_documents", "0002_sessions")]

    operations = [
        migrations.AddField(
            model_name="listeningsession",
            name="offline",
            field=models.BooleanField(default=False),
        ),
    ]
