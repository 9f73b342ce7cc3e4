"""The events that were there before are proved to have known words, while everybody goes on."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accord", "0020_words_of_partitions"),
    ]

    operations = [
        ValidateConstraint(model_name="auditevent", name="accord_auditevent_event"),
        ValidateConstraint(model_name="auditevent", name="accord_auditevent_object_kind"),
    ]
