"""The permission to look at the data map. No table: the map is declared in code."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gdpr", "0002_guards")]

    operations = [
        migrations.CreateModel(
            name="DataMap",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "data map",
                "verbose_name_plural": "data map",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
    ]
