"""
Public playlists, found by their title or by who made them.

The only index that holds data of listeners: a copy of what MongoDB and PostgreSQL hold, which
an erasure must not forget. `examples/streaming/privacy.py` says how it is found.
"""

from __future__ import annotations

import searchindex as search

PUBLIC_PLAYLISTS = {
    "dynamic": "strict",
    "properties": {
        # Matched exactly, never searched by people: a keyword, although it is a number elsewhere.
        "owner_id": {"type": "keyword"},
        "owner_name": {"type": "text"},
        "title": {"type": "text"},
        "track_ids": {"type": "long"},
    },
}


class Migration(search.Migration):
    dependencies = [("streaming", "0007_titles_as_typed")]
    # Which playlists are public is known since then.
    cross_dependencies = [("mongodb", "streaming", "0006_public_playlists")]
    operations = [
        search.CreateIndex(
            "public-playlists",
            mappings=PUBLIC_PLAYLISTS,
            settings={"number_of_shards": 1, "number_of_replicas": 0},
        )
    ]
