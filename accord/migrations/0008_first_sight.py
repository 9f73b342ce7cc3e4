"""When the trail first saw an account is told by the server's clock, and never changes."""

from django.db import migrations

from accord.guards import REFERENCES, OnPostgres

# Whoever acted before this counts as known ever since: nobody wrote down who else could have decided.
_KNOWN = """
UPDATE accord_actorreference SET made_at = trail.began
FROM (SELECT min(at) AS began FROM accord_auditevent) AS trail WHERE trail.began < made_at
"""


class Migration(migrations.Migration):
    dependencies = [("accord", "0007_access_tokens")]

    operations = [
        OnPostgres(_KNOWN, ""),
        OnPostgres(REFERENCES.install, REFERENCES.remove),
    ]
