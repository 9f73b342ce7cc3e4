"""A listener's playlists by name, each name once; and the playlists that a track is in."""

from __future__ import annotations

import mongo_migrations as mongo


class Migration(mongo.Migration):
    dependencies = [("streaming", "0001_playlists")]
    operations = [
        mongo.CreateIndexes(
            "playlists",
            [
                mongo.Index([("owner_id", 1), ("name", 1)], name="owner_name", unique=True),
                mongo.Index([("track_ids", 1)], name="tracks"),
            ],
        )
    ]
