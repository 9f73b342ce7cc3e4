"""Venues, searched by distance."""

from __future__ import annotations

import searchindex as search

VENUES = {
    "dynamic": "strict",
    "properties": {
        "name": {"type": "text"},
        "city": {"type": "keyword"},
        "country": {"type": "keyword"},
        "location": {"type": "geo_point"},
        "capacity": {"type": "integer"},
    },
}


class Migration(search.Migration):
    dependencies = [("streaming", "0001_tracks")]
    cross_dependencies = [("default", "streaming", "0007_venues")]
    operations = [
        search.CreateIndex(
            "venues", mappings=VENUES, settings={"number_of_shards": 1, "number_of_replicas": 0}
        )
    ]
