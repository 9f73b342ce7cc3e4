"""Consents: channels from a list, who spoke for the person, and whether earlier consents stay."""

from django.db import migrations, models

from gdpr.consent import former_channels

_CHANNELS = [
    ("web", "website"),
    ("app", "app"),
    ("counter", "counter"),
    ("phone", "telephone"),
    ("email", "e-mail"),
    ("post", "letter"),
    ("other", "elsewhere"),
    ("clock", "by itself"),
]
_GIVERS = [
    ("self", "the person"),
    ("guardian", "holder of parental responsibility"),
    ("proxy", "somebody with a power of attorney"),
]


class Migration(migrations.Migration):
    dependencies = [("gdpr", "0007_request_keys")]

    operations = [
        # lint: waive column-required for good (accord): released before there was lint
        migrations.AddField(
            model_name="consentnotice",
            name="consents_stay",
            field=models.BooleanField(
                default=True,
                help_text="If not, nobody's consent to an earlier version counts any more.",
                verbose_name="consents to earlier versions stay",
            ),
        ),
        # lint: waive column-required for good (accord): released before there was lint
        migrations.AddField(
            model_name="consentevent",
            name="given_by",
            field=models.CharField(choices=_GIVERS, default="self", max_length=10, verbose_name="given by"),
        ),
        # lint: waive rows-under-lock for good (accord): released before there was lint
        migrations.RunPython(former_channels.replace, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="consentevent",
            name="channel",
            field=models.CharField(choices=_CHANNELS, max_length=40, verbose_name="channel"),
        ),
        # lint: waive check-validating for good (accord): released before there was lint
        migrations.AddConstraint(
            model_name="consentevent",
            constraint=models.CheckConstraint(
                condition=models.Q(channel__in=[value for value, _ in _CHANNELS]),
                name="gdpr_consent_channel_known",
            ),
        ),
        # lint: waive check-validating for good (accord): released before there was lint
        migrations.AddConstraint(
            model_name="consentevent",
            constraint=models.CheckConstraint(
                condition=models.Q(given_by__in=[value for value, _ in _GIVERS]),
                name="gdpr_consent_giver_known",
            ),
        ),
    ]
