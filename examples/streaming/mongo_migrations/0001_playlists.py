"""Playlists of listeners, in a collection that refuses documents without owner, name and tracks."""

from __future__ import annotations

import mongo_migrations as mongo

PLAYLIST = {
    "bsonType": "object",
    "required": ["owner_id", "name", "track_ids", "created_at"],
    "properties": {
        "owner_id": {"bsonType": ["int", "long"], "description": "Listener in PostgreSQL."},
        "name": {"bsonType": "string", "minLength": 1, "maxLength": 120},
        "track_ids": {"bsonType": "array", "maxItems": 10_000, "items": {"bsonType": ["int", "long"]}},
        "created_at": {"bsonType": "date"},
    },
}


class Migration(mongo.Migration):
    # Owners and tracks are rows of PostgreSQL.
    cross_dependencies = [("default", "streaming", "0003_catalogue")]
    operations = [mongo.CreateCollection("playlists", validator={"$jsonSchema": PLAYLIST})]
