"""The rows that were there before are proved to fit, while everybody goes on."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0021_other_notices"),
    ]

    operations = [
        ValidateConstraint(model_name="recipientnotice", name="gdpr_notice_state_known"),
    ]
