"""
Titles also as they are typed, letter by letter, for suggestions; that takes a new index.

Runs once the popularity is counted, so that the copy is the last one for a while.
"""

from __future__ import annotations

import searchindex as search

ANALYZERS = {"en": "english", "fr": "french", "de": "german", "ar": "arabic", "ja": "cjk"}
TRACKS = {
    "dynamic": "strict",
    "properties": {
        "isrc": {"type": "keyword"},
        "title": {
            "properties": {
                language: {
                    "type": "text",
                    "analyzer": analyzer,
                    "fields": {"typed": {"type": "search_as_you_type"}},
                }
                for language, analyzer in ANALYZERS.items()
            }
        },
        "artist": {"type": "text", "fields": {"exact": {"type": "keyword"}}},
        "genre": {"type": "keyword"},
        "duration": {"type": "integer"},
        "released_on": {"type": "date"},
        "popularity": {"type": "integer"},
    },
}


class Migration(search.Migration):
    phase = "backfill"
    dependencies = [("streaming", "0006_track_popularity")]
    cross_dependencies = [("default", "streaming", "0013_count_popularity")]
    operations = [search.Reindex("tracks", mappings=TRACKS)]
