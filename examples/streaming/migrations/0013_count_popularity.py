"""
How often each track was played, counted by MongoDB and written down here.

The numbers are set, not added, so that a second run after a kill gives the same.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from examples.streaming import popularity


def count(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Write the number of plays of every track that was played."""
    popularity.count(apps.get_model("streaming", "Track").objects.using(schema_editor.connection.alias))


def forget(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Set all numbers back to zero."""
    tracks = apps.get_model("streaming", "Track").objects.using(schema_editor.connection.alias)
    tracks.exclude(popularity=0).update(popularity=0)


class Migration(migrations.Migration):
    phase = "backfill"
    dependencies = [("streaming", "0012_fill_listener_language")]
    cross_dependencies = [("mongodb", "streaming", "0003_plays")]

    operations = [migrations.RunPython(count, forget)]
