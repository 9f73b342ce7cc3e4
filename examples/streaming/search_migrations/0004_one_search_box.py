"""One alias over tracks and venues, for the search box that asks for everything."""

from __future__ import annotations

import searchindex as search


class Migration(search.Migration):
    dependencies = [("streaming", "0003_track_embeddings")]
    operations = [search.AddAlias("everything", to="tracks"), search.AddAlias("everything", to="venues")]
