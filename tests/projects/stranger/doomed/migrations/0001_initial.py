"""An administrator ends the session in the middle of it."""

from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL("SELECT pg_terminate_backend(pg_backend_pid())", migrations.RunSQL.noop),
    ]
