"""A permission to see the health of the project."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accord", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(
            name="auditevent",
            options={
                "default_permissions": ("view",),
                "ordering": ("-seq",),
                "permissions": (
                    ("verify_audit", "Can verify the audit trail"),
                    ("view_health", "Can see the health of the project"),
                ),
                "required_db_vendor": "postgresql",
                "verbose_name": "audit event",
                "verbose_name_plural": "audit trail",
            },
        ),
    ]
