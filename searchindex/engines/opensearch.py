"""OpenSearch 2 and 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from searchindex.engines.base import Engine, View, translate, version_of
from searchindex.fields import VectorField
from searchindex.transport import Transport, at

SIMILARITIES: Mapping[str, str] = {
    "cosine": "cosinesimil",
    "euclidean": "l2",
    "max_inner_product": "innerproduct",
}
# From this version on, a search can be ordered by shard and place in it.
_ORDERS_ACROSS_SHARDS = (3, 3)


@dataclass(frozen=True, kw_only=True)
class OpenSearch(Engine):
    """The engine of the OpenSearch project."""

    @property
    def kind(self) -> str:
        return "OpenSearch"

    @property
    def vector_settings(self) -> Mapping[str, Any]:
        return {"index.knn": True}

    def vector(self, field: VectorField) -> Mapping[str, Any]:
        # Engine and space are always written: their defaults changed between 2.x and 3.x.
        method = {
            "name": "hnsw",
            "engine": "lucene",
            "space_type": translate(field.similarity, SIMILARITIES, "similarity", self.kind),
            "parameters": {"m": field.m, "ef_construction": field.ef_construction},
        }
        return {"type": "knn_vector", "dimension": field.dims, "method": method}

    def open_view(self, transport: Transport, index: str, keep_alive: str) -> View:
        path = at(index, "_search", "point_in_time")
        wanted = f"keep_alive={keep_alive}&allow_partial_pit_creation=false"
        answer = transport.request("POST", f"{path}?{wanted}").body
        return View(id=str(answer["pit_id"]), shards=int(answer["_shards"]["total"]))

    def parts(self, view: View) -> Sequence[Mapping[str, Any]]:
        if version_of(self.version) >= _ORDERS_ACROSS_SHARDS:
            return ({"sort": ["_shard_doc"]},)
        if view.shards == 1:
            return ({"sort": ["_doc"]},)
        # Documents of two shards may bear the same number. As many slices as shards are the shards.
        slices = ({"id": shard, "max": view.shards} for shard in range(view.shards))
        return [{"sort": ["_doc"], "slice": each} for each in slices]

    def close_view(self, transport: Transport, view: View) -> None:
        transport.request("DELETE", "/_search/point_in_time", {"pit_id": [view.id]}, accept=(404,))

    def bears_scrolls(self, settings: Mapping[str, Any]) -> bool:
        # Since 3.0 set in every new index with vectors; see searchindex/views.py for what happens.
        return str(settings.get("index.knn.derived_source.enabled")) != "true"
