"""Notices to recipients (Art. 19): an outbox, and evidence of who was told."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accord.guards import OnPostgres
from gdpr.guards import NOTICES


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0012_kept_exports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RecipientNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reference",
                    models.CharField(editable=False, max_length=32, unique=True, verbose_name="reference"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("erasure", "erasure")], max_length=20, verbose_name="what happened"
                    ),
                ),
                ("cause", models.CharField(db_index=True, max_length=32, verbose_name="request")),
                ("recipient", models.CharField(max_length=100, verbose_name="recipient")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("informed", "informed"),
                            ("by_hand", "a person has to act"),
                        ],
                        default="waiting",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("sealed_person", models.BinaryField(null=True, verbose_name="sealed keys")),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("next_attempt_at", models.DateTimeField(null=True, verbose_name="next attempt")),
                (
                    "trouble",
                    models.CharField(
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
                        ],
                        max_length=20,
                        verbose_name="last trouble",
                    ),
                ),
                ("answer", models.PositiveSmallIntegerField(null=True, verbose_name="last answer (HTTP)")),
                ("entered_at", models.DateTimeField(verbose_name="entered")),
                ("informed_at", models.DateTimeField(null=True, verbose_name="informed")),
                (
                    "digest",
                    models.CharField(blank=True, max_length=64, verbose_name="digest of what was sent"),
                ),
                (
                    "informed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="informed by hand by",
                    ),
                ),
            ],
            options={
                "verbose_name": "notice to a recipient",
                "verbose_name_plural": "notices to recipients",
                "ordering": ("-entered_at", "-id"),
                "default_permissions": ("view",),
                "required_db_vendor": "postgresql",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["next_attempt_at"],
                        name="gdpr_notice_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("cause", "kind", "recipient"), name="gdpr_notice_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "informed"), _negated=True),
                            models.Q(("informed_at__isnull", False), ("sealed_person__isnull", True)),
                            _connector="OR",
                        ),
                        name="gdpr_notice_informed_keeps_no_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "informed", "by_hand"])),
                        name="gdpr_notice_state_known",
                    ),
                ],
            },
        ),
        OnPostgres(NOTICES.install, NOTICES.remove),
    ]
