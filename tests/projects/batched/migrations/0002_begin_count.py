"""The rows are counted, whoever does it."""

from django.db import migrations

from migrator.operations import BeginBatches


class Migration(migrations.Migration):
    dependencies = [("batched", "0001_numbers"), ("accord", "0019_workers_asked")]
    operations = [BeginBatches("count", "batched.counting", {"rows": 40}, workers=2)]
