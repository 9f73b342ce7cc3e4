"""Tracks, searched by title in five languages, each with the grammar of its own."""

from __future__ import annotations

import searchindex as search

ANALYZERS = {"en": "english", "fr": "french", "de": "german", "ar": "arabic", "ja": "cjk"}
TRACKS = {
    "dynamic": "strict",
    "properties": {
        "isrc": {"type": "keyword"},
        "title": {
            "properties": {
                language: {"type": "text", "analyzer": analyzer} for language, analyzer in ANALYZERS.items()
            }
        },
        "artist": {"type": "text", "fields": {"exact": {"type": "keyword"}}},
        "genre": {"type": "keyword"},
        "duration": {"type": "integer"},
        "released_on": {"type": "date"},
    },
}


class Migration(search.Migration):
    # Titles come from there.
    cross_dependencies = [("default", "streaming", "0004_track_titles")]
    operations = [
        search.CreateIndex(
            "tracks", mappings=TRACKS, settings={"number_of_shards": 1, "number_of_replicas": 0}
        )
    ]
