"""
Recommendations, made anew all the time and forgotten when they are old.

They come from the neighbours of a track's embedding and from the devices that a listener uses.
"""

from __future__ import annotations

import mongo_migrations as mongo

RECOMMENDATION = {
    "bsonType": "object",
    "required": ["listener_id", "track_ids", "expires_at"],
    "properties": {
        "listener_id": {"bsonType": ["int", "long"]},
        "track_ids": {"bsonType": "array", "maxItems": 200, "items": {"bsonType": ["int", "long"]}},
        "expires_at": {"bsonType": "date"},
    },
}


class Migration(mongo.Migration):
    dependencies = [("streaming", "0004_editorial_playlists")]
    cross_dependencies = [
        ("search", "streaming", "0003_track_embeddings"),
        ("documents", "streaming_documents", "0001_devices"),
    ]
    operations = [
        mongo.CreateCollection("recommendations", validator={"$jsonSchema": RECOMMENDATION}),
        mongo.CreateIndexes(
            "recommendations",
            [
                mongo.Index([("listener_id", 1)], name="listener", unique=True),
                mongo.Index([("expires_at", 1)], name="forget", expire_after_seconds=0),
            ],
        ),
    ]
