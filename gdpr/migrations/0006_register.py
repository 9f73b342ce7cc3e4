"""The mark of the register of erasures. Its id is made here: every later backup knows its register."""

from django.db import migrations, models

import gdpr.fields
from accord.guards import OnPostgres
from gdpr.guards import REGISTER

_ID = (
    "INSERT INTO gdpr_registermark (id, register, position, head) "
    "SELECT 1, replace(gen_random_uuid()::text, '-', ''), 0, ''"
)


class Migration(migrations.Migration):
    dependencies = [("gdpr", "0005_evidence_stays")]

    operations = [
        migrations.AddField(
            model_name="erasurerequest",
            name="registered",
            field=models.BigIntegerField(editable=False, null=True, verbose_name="entry in the register"),
        ),
        migrations.CreateModel(
            name="RegisterMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "register",
                    models.CharField(
                        default=gdpr.fields.random_reference, max_length=32, verbose_name="register"
                    ),
                ),
                ("position", models.BigIntegerField(default=0, verbose_name="last entry")),
                ("head", models.CharField(blank=True, max_length=64, verbose_name="hash of the last entry")),
            ],
            options={
                "verbose_name": "mark of the register of erasures",
                "verbose_name_plural": "marks of the register of erasures",
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="gdpr_register_mark_once")
                ],
            },
        ),
        OnPostgres(_ID, migrations.RunSQL.noop),
        OnPostgres(REGISTER.install, REGISTER.remove),
    ]
