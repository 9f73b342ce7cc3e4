"""
How often each track was played, counted by MongoDB and written down here.

The numbers are set, not added, so that a second run after a kill gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Case, Value, When

from examples.streaming.batches import in_batches
from examples.streaming.stores import collections

BATCH = 500


def count(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Write the number of plays of every track that was played."""
    tracks = apps.get_model("streaming", "Track").objects.using(schema_editor.connection.alias)
    for batch in in_batches(plays_by_track(), BATCH):
        numbers = {found["_id"]: found["plays"] for found in batch}
        number = Case(*(When(pk=pk, then=Value(plays)) for pk, plays in numbers.items()))
        tracks.filter(pk__in=numbers).update(popularity=number)


def forget(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Set all numbers back to zero."""
    tracks = apps.get_model("streaming", "Track").objects.using(schema_editor.connection.alias)
    tracks.exclude(popularity=0).update(popularity=0)


def plays_by_track() -> Iterator[Mapping[str, Any]]:
    """Let MongoDB count."""
    group = {"$group": {"_id": "$track_id", "plays": {"$sum": 1}}}
    yield from collections()["plays"].aggregate([group, {"$sort": {"_id": 1}}])


class Migration(migrations.Migration):
    phase = "backfill"
    dependencies = [("streaming", "0012_fill_listener_language")]
    cross_dependencies = [("mongodb", "streaming", "0003_plays")]

    operations = [migrations.RunPython(count, forget)]
