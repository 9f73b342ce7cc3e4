"""Approvals and attestations can't be emptied: no trigger for a row sees TRUNCATE."""

from django.db import migrations

from accord.guards import OnPostgres
from migrator.governance.guards import EMPTYING


class Migration(migrations.Migration):
    dependencies = [("migrator", "0005_drift")]

    operations = [OnPostgres(EMPTYING.install, EMPTYING.remove)]
