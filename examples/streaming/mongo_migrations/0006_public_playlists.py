"""Playlists may be public; an index of the public ones alone, for the charts."""

from __future__ import annotations

import mongo_migrations as mongo


class Migration(mongo.Migration):
    dependencies = [("streaming", "0005_recommendations")]
    operations = [
        mongo.CreateIndex(
            "playlists",
            [("public", 1), ("created_at", -1)],
            name="public_newest",
            partial_filter={"public": True},
        )
    ]
