"""An index for the newest tracks of a genre, built while the table stays open for writing."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # PostgreSQL refuses CREATE INDEX CONCURRENTLY inside a transaction.
    atomic = False
    dependencies = [("streaming", "0007_venues")]

    operations = [
        AddIndexConcurrently(
            model_name="track",
            index=models.Index(fields=["genre", "-released_on"], name="track_genre_newest"),
        ),
    ]
