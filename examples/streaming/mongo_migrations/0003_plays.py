"""Plays: who heard what and when, with the indexes that history and counting need."""

from __future__ import annotations

import mongo_migrations as mongo

PLAY = {
    "bsonType": "object",
    "required": ["listener_id", "track_id", "played_at", "seconds"],
    "properties": {
        "listener_id": {"bsonType": ["int", "long"]},
        "track_id": {"bsonType": ["int", "long"]},
        "played_at": {"bsonType": "date"},
        "seconds": {"bsonType": ["int", "long"], "minimum": 0},
    },
}


class Migration(mongo.Migration):
    dependencies = [("streaming", "0002_playlists_by_owner")]
    operations = [
        mongo.CreateCollection("plays", validator={"$jsonSchema": PLAY}),
        mongo.CreateIndexes(
            "plays",
            [
                mongo.Index([("listener_id", 1), ("played_at", -1)], name="listener_newest"),
                mongo.Index([("track_id", 1), ("played_at", -1)], name="track_newest"),
            ],
        ),
    ]
