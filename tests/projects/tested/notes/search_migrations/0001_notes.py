"""Notes, to be searched."""

from __future__ import annotations

import searchindex as search


class Migration(search.Migration):
    cross_dependencies = [("mongodb", "notes", "0001_notes")]
    operations = [
        search.CreateIndex(
            "notes",
            mappings={"dynamic": "strict", "properties": {"text": {"type": "text"}}},
            settings={"number_of_shards": 1, "number_of_replicas": 0},
        ),
        search.PutTemplate("notes", ["notes-of-*"], template={"mappings": {"dynamic": "strict"}}),
    ]
