"""What an attestation says stays, and so does the row."""

from django.db import migrations

from accord.guards import OnPostgres
from migrator.governance.guards import ATTESTATIONS


class Migration(migrations.Migration):
    dependencies = [("migrator", "0006_evidence_stays")]

    operations = [OnPostgres(ATTESTATIONS.install, ATTESTATIONS.remove)]
