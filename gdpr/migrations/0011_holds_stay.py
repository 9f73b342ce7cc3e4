"""A legal hold stays as it was placed, and can be released once."""

from django.db import migrations

from accord.guards import OnPostgres
from gdpr.guards import HOLDS


class Migration(migrations.Migration):
    dependencies = [("gdpr", "0010_export_permission")]

    operations = [OnPostgres(HOLDS.install, HOLDS.remove)]
