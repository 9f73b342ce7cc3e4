"""Things, and a log."""

from typing import Any

from django.db import migrations, models

FIELDS: list[tuple[str, Any]] = [
    ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False))
]


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(name="Thing", fields=FIELDS),
        migrations.CreateModel(name="LogLine", fields=FIELDS),
        migrations.CreateModel(name="Gone", fields=FIELDS),
        migrations.DeleteModel(name="Gone"),
    ]
