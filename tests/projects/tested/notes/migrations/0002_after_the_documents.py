"""Needs a revision of MongoDB, of which Django knows nothing."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    cross_dependencies = [("mongodb", "notes", "0002_first")]
    operations = [migrations.RunSQL("SELECT 1", "SELECT 1")]
