"""Code of this release relies on the counts."""

import os

from django.db import migrations

from migrator.operations import RequireBatches


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("batched", "0002_begin_count")]
    operations = [RequireBatches("count", here=int(os.environ.get("BATCHED_HERE", "10000")))]
