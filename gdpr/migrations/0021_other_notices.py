"""Recipients are told of corrections and restrictions, too (Art. 19)."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0020_steps_in_place"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="registermark",
            options={
                "required_db_vendor": "postgresql",
                "verbose_name": "mark of the register of erasures",
                "verbose_name_plural": "Restore centre",
            },
        ),
        migrations.AlterModelOptions(
            name="retentionrun",
            options={
                "ordering": ("-started_at", "-id"),
                "required_db_vendor": "postgresql",
                "verbose_name": "run of retention",
                "verbose_name_plural": "Retention",
            },
        ),
        migrations.RemoveConstraint(
            model_name="recipientnotice",
            name="gdpr_notice_state_known",
        ),
        migrations.AlterField(
            model_name="recipientnotice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("erasure", "erasure"),
                    ("rectification", "correction of data"),
                    ("restriction", "restriction of processing"),
                    ("lifting", "end of a restriction"),
                ],
                max_length=20,
                verbose_name="what happened",
            ),
        ),
        migrations.AlterField(
            model_name="recipientnotice",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "waiting"),
                    ("informed", "informed"),
                    ("by_hand", "a person has to act"),
                    ("later", "later"),
                    ("needless", "nothing to tell"),
                ],
                default="waiting",
                max_length=12,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="recipientnotice",
            name="trouble",
            field=models.CharField(
                blank=True,
                choices=[
                    ("no_key", "the person has no key that the recipient knows"),
                    ("key_lost", "the key of the notice is lost"),
                    ("undeclared", "the data map declares this recipient no more"),
                    ("no_secret", "the setting with its secret is missing"),
                    ("unreachable", "not reached"),
                    ("untrusted", "its certificate isn't trusted"),
                    ("timeout", "no answer in time"),
                    ("refused", "it answered with an error"),
                    ("mail", "the mail wasn't taken"),
                    ("store", "a store can't be asked whether it got data"),
                ],
                max_length=20,
                verbose_name="last trouble",
            ),
        ),
        AddConstraintNotValid(
            model_name="recipientnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "informed", "by_hand", "later", "needless"])),
                name="gdpr_notice_state_known",
            ),
        ),
    ]
