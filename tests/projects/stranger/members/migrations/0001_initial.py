"""Members, one of them there from the start."""

from typing import Any

from django.db import migrations, models
from django.utils import timezone


def add_one(apps: Any, _schema_editor: Any) -> None:
    apps.get_model("members", "Member").objects.create(email="eve@example.org", joined=timezone.now())


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("joined", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(add_one, migrations.RunPython.noop),
    ]
