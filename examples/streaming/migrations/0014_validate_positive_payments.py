"""Payments must be above zero: the rows from before the rule are checked, without a lock on writes."""

from __future__ import annotations

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    phase = "contract"
    dependencies = [("streaming", "0013_count_popularity")]

    operations = [ValidateConstraint(model_name="labelpayment", name="label_payment_positive")]
