"""
Embeddings of tracks, searched for the nearest neighbours.

Eight numbers are few for music and enough for a sample; they lie in an index of their own
because a model is exchanged more often than a title.
"""

from __future__ import annotations

import searchindex as search

DIMENSIONS = 8
EMBEDDINGS = {
    "dynamic": "strict",
    "properties": {
        "track_id": {"type": "long"},
        "genre": {"type": "keyword"},
        "embedding": search.vector_field(DIMENSIONS, "cosine"),
    },
}


class Migration(search.Migration):
    dependencies = [("streaming", "0002_venues")]
    operations = [
        search.CreateIndex(
            "track-embeddings",
            mappings=EMBEDDINGS,
            settings={"number_of_shards": 1, "number_of_replicas": 0},
        )
    ]
