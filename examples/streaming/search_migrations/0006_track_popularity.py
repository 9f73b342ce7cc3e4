"""A field for the popularity of a track, so that what everybody hears can come first."""

from __future__ import annotations

import searchindex as search


class Migration(search.Migration):
    dependencies = [("streaming", "0005_play_statistics")]
    cross_dependencies = [("default", "streaming", "0010_track_popularity")]
    operations = [
        # No engine takes a field out again; without documents that use it, it costs nothing.
        search.PutMapping("tracks", {"properties": {"popularity": {"type": "integer"}}}, leave_on_revert=True)
    ]
