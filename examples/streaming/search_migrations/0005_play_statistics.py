"""A template for the daily indexes of play statistics, whose fields are those of a play."""

from __future__ import annotations

import searchindex as search

STATISTICS = {
    "dynamic": "strict",
    "properties": {
        "track_id": {"type": "long"},
        "country": {"type": "keyword"},
        "day": {"type": "date"},
        "plays": {"type": "long"},
    },
}


class Migration(search.Migration):
    dependencies = [("streaming", "0004_one_search_box")]
    cross_dependencies = [("mongodb", "streaming", "0003_plays")]
    operations = [
        search.PutTemplate(
            "play-statistics",
            ["play-statistics-*"],
            {"mappings": STATISTICS, "settings": {"number_of_shards": 1, "number_of_replicas": 0}},
        )
    ]
