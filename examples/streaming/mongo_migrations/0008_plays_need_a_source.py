"""Plays without a source are refused from now on."""

from __future__ import annotations

import mongo_migrations as mongo

PLAY = {
    "bsonType": "object",
    "required": ["listener_id", "track_id", "played_at", "seconds", "source"],
    "properties": {
        "listener_id": {"bsonType": ["int", "long"]},
        "track_id": {"bsonType": ["int", "long"]},
        "played_at": {"bsonType": "date"},
        "seconds": {"bsonType": ["int", "long"], "minimum": 0},
        "source": {"enum": ["playlist", "choice", "recommendation", "radio"]},
    },
}


class Migration(mongo.Migration):
    phase = "contract"
    dependencies = [("streaming", "0007_source_of_plays")]
    operations = [mongo.SetValidator("plays", {"$jsonSchema": PLAY})]
