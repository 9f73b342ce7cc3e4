"""Each yes to a plan is a row of its own, and can be taken back; the plan waits for approval again then."""

import django.db.models.deletion
from django.db import migrations, models

from accord.guards import OnPostgres
from migrator.governance.guards import WAITED_NEVER_AGAIN, WAITS_AGAIN, YESES


class Migration(migrations.Migration):
    dependencies = [
        ("migrator", "0008_environments"),
    ]

    operations = [
        migrations.CreateModel(
            name="PlanYes",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64, verbose_name="plan digest")),
                ("account_ref", models.CharField(max_length=32, verbose_name="reference of who approved")),
                ("account_key", models.CharField(max_length=64, verbose_name="account that approved")),
                ("reason", models.TextField(verbose_name="reason")),
                ("given_at", models.DateTimeField(verbose_name="approved")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="taken back")),
                (
                    "revoker_ref",
                    models.CharField(blank=True, max_length=32, verbose_name="reference of who took it back"),
                ),
                (
                    "revoker_key",
                    models.CharField(blank=True, max_length=64, verbose_name="account that took it back"),
                ),
                ("revoked_because", models.TextField(blank=True, verbose_name="taken back because")),
                (
                    "approval",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="yeses",
                        to="migrator.planapproval",
                        verbose_name="plan approval",
                    ),
                ),
            ],
            options={
                "verbose_name": "yes to a plan",
                "verbose_name_plural": "yes-es to plans",
                "ordering": ("id",),
                "default_permissions": (),
                "required_db_vendor": "postgresql",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at__isnull", True)),
                        fields=("approval", "account_key"),
                        name="migrator_yes_once_an_account",
                    )
                ],
            },
        ),
        OnPostgres(WAITS_AGAIN.install, WAITED_NEVER_AGAIN.install),
        OnPostgres(YESES.install, YESES.remove),
    ]
