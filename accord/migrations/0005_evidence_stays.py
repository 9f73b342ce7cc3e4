"""Tombstones can't be deleted or emptied: no trigger for a row sees TRUNCATE."""

from django.db import migrations

from accord.guards import TOMBSTONES, OnPostgres


class Migration(migrations.Migration):
    dependencies = [("accord", "0004_steps_in_the_trail")]

    operations = [OnPostgres(TOMBSTONES.install, TOMBSTONES.remove)]
