"""Revisions that use every everyday operation once, on some thousands of documents."""

from __future__ import annotations

from collections.abc import Mapping

_CREATE = '''"""Tracks and a template."""

import searchindex as search


class Migration(search.Migration):
    operations = [
        search.PutTemplate("plays", ["plays-*"], {"mappings": {"properties": {"at": {"type": "date"}}}}),
        search.CreateIndex(
            "tracks",
            mappings={"properties": {"title": {"type": "text"}, "plays": {"type": "integer"}}},
            settings={"index": {"number_of_shards": 2, "number_of_replicas": 0}},
        ),
        search.AddAlias("songs", "tracks", {"filter": {"range": {"plays": {"gte": 10}}}}),
    ]
'''

_FILL = '''"""Three thousand tracks."""

import searchindex as search

COUNT = 3000


def fill(context):
    for start in range(0, COUNT, 500):
        context.check()
        lines = []
        for number in range(start, start + 500):
            head = {"_index": context.index("tracks"), "_id": str(number), "routing": str(number % 5)}
            lines.append({"index": head})
            lines.append({"title": f"Göteborg {number}", "plays": number % 100})
        assert not context.client.bulk(operations=lines)["errors"]
        context.progress(start + 500, COUNT)
    return COUNT


class Migration(search.Migration):
    dependencies = [("APP", "0001_tracks")]
    operations = [
        search.PutMapping("tracks", {"properties": {"mood": {"type": "keyword"}}}, leave_on_revert=True),
        search.RunPython(fill, search.RunPython.nothing),
        search.PutSettings("tracks", {"index.refresh_interval": "7s"}),
    ]
'''

_REINDEX = '''"""Titles can be sorted."""

import searchindex as search


class Migration(search.Migration):
    dependencies = [("APP", "0002_fill")]
    operations = [
        search.Reindex(
            "tracks",
            mappings={
                "properties": {
                    "title": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
                    "plays": {"type": "long"},
                    "mood": {"type": "keyword"},
                }
            },
        ),
        search.CreateIndex("venues", mappings={"properties": {"place": {"type": "geo_point"}}}),
        search.SwitchAlias("catalog", "venues"),
    ]
'''

_SWITCH = '''"""The catalog is the tracks."""

import searchindex as search


class Migration(search.Migration):
    dependencies = [("APP", "0003_sortable")]
    operations = [
        search.SwitchAlias("catalog", "tracks"),
        search.PutTemplate("plays", ["plays-*", "charts-*"], {}, priority=600),
        search.PutSettings("tracks", {"index.refresh_interval": None, "max_result_window": 20000}),
        search.RemoveAlias("songs"),
    ]
'''

CATALOG: Mapping[str, str] = {
    "0001_tracks": _CREATE,
    "0002_fill": _FILL,
    "0003_sortable": _REINDEX,
    "0004_catalog": _SWITCH,
}
