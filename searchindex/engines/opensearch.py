"""OpenSearch 2 and 3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from searchindex.engines.base import Engine, translate
from searchindex.fields import VectorField
from searchindex.transport import ServerResponse, Transport, at

SIMILARITIES: Mapping[str, str] = {
    "cosine": "cosinesimil",
    "euclidean": "l2",
    "max_inner_product": "innerproduct",
}


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

    def open_view(self, transport: Transport, index: str, keep_alive: str) -> str:
        answer = transport.request("POST", f"{at(index, '_search', 'point_in_time')}?keep_alive={keep_alive}")
        return str(answer.body["pit_id"])

    def read_view(
        self, transport: Transport, view: str, keep_alive: str, size: int, after: object
    ) -> ServerResponse:
        # `_shard_doc` is unknown before 3.3; the id sorts everywhere.
        body: dict[str, Any] = {
            "size": size,
            "sort": [{"_id": "asc"}],
            "pit": {"id": view, "keep_alive": keep_alive},
            "track_total_hits": False,
            "version": True,
        }
        if after is not None:
            body["search_after"] = after
        return transport.request("POST", "/_search", body)

    def close_view(self, transport: Transport, view: str) -> None:
        transport.request("DELETE", "/_search/point_in_time", {"pit_id": [view]}, accept=(404,))
