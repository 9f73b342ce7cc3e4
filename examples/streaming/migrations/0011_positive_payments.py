"""Payments must be above zero: checked for new rows from now on, and for old ones later."""

from __future__ import annotations

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("streaming", "0010_track_popularity")]

    operations = [
        AddConstraintNotValid(
            model_name="labelpayment",
            constraint=models.CheckConstraint(condition=Q(amount__gt=0), name="label_payment_positive"),
        ),
    ]
