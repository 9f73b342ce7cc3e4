"""Elasticsearch 8 and 9."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from searchindex.engines.base import Engine, translate
from searchindex.fields import VectorField
from searchindex.transport import ServerResponse, Transport, at

SIMILARITIES: Mapping[str, str] = {
    "cosine": "cosine",
    "euclidean": "l2_norm",
    "dot_product": "dot_product",
    "max_inner_product": "max_inner_product",
}
# From this version on, vectors are left out of a returned source unless they are asked for.
_HIDES_VECTORS = (9, 2)


@dataclass(frozen=True, kw_only=True)
class Elasticsearch(Engine):
    """The engine of Elastic."""

    @property
    def kind(self) -> str:
        return "Elasticsearch"

    @property
    def vector_settings(self) -> Mapping[str, Any]:
        return {}

    def vector(self, field: VectorField) -> Mapping[str, Any]:
        # Written out, because the default index options quantise, and differ between versions.
        options = {"type": "hnsw", "m": field.m, "ef_construction": field.ef_construction}
        return {
            "type": "dense_vector",
            "dims": field.dims,
            "index": True,
            "similarity": translate(field.similarity, SIMILARITIES, "similarity", self.kind),
            "index_options": options,
        }

    def open_view(self, transport: Transport, index: str, keep_alive: str) -> str:
        answer = transport.request("POST", f"{at(index, '_pit')}?keep_alive={keep_alive}")
        return str(answer.body["id"])

    def read_view(
        self, transport: Transport, view: str, keep_alive: str, size: int, after: object
    ) -> ServerResponse:
        body: dict[str, Any] = {
            "size": size,
            "sort": ["_shard_doc"],
            "pit": {"id": view, "keep_alive": keep_alive},
            "track_total_hits": False,
            "version": True,
        }
        if after is not None:
            body["search_after"] = after
        if tuple(int(part) for part in self.version.split(".")[:2]) >= _HIDES_VECTORS:
            body["_source"] = {"exclude_vectors": False}
        return transport.request("POST", "/_search", body)

    def close_view(self, transport: Transport, view: str) -> None:
        transport.request("DELETE", "/_pit", {"id": view}, accept=(404,))
