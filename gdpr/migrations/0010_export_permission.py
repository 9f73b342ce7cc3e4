"""Making an export of a person takes a permission of its own."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0009_replays"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="datamap",
            options={
                "default_permissions": ("view",),
                "managed": False,
                "permissions": (("export_person", "Can export everything that is kept of a person"),),
                "verbose_name": "data map",
                "verbose_name_plural": "data map",
            },
        ),
    ]
