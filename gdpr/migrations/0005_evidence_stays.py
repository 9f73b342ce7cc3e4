"""Requests, decisions, receipts, consents and holds can't be emptied: no trigger for a row sees TRUNCATE."""

from django.db import migrations

from accord.guards import OnPostgres
from gdpr.guards import EMPTYING


class Migration(migrations.Migration):
    dependencies = [("gdpr", "0004_open_first")]

    operations = [OnPostgres(EMPTYING.install, EMPTYING.remove)]
