"""A random key for each request, in a table that no write-ahead log and no base backup holds."""

from django.db import migrations, models

from accord.guards import OnPostgres


class Migration(migrations.Migration):
    dependencies = [("gdpr", "0006_register")]

    operations = [
        migrations.CreateModel(
            name="RequestKey",
            fields=[
                (
                    "reference",
                    models.CharField(
                        max_length=32, primary_key=True, serialize=False, verbose_name="reference"
                    ),
                ),
                ("wrapped", models.BinaryField(verbose_name="encrypted key")),
            ],
            options={
                "default_permissions": (),
                "verbose_name": "key of a request",
                "verbose_name_plural": "keys of requests",
                "required_db_vendor": "postgresql",
            },
        ),
        # Empty still: nothing is copied, and nothing of a key is ever logged.
        OnPostgres("ALTER TABLE gdpr_requestkey SET UNLOGGED", migrations.RunSQL.noop),
    ]
