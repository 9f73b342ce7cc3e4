"""Elasticsearch 8 and 9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from searchindex.engines.base import Engine, View, translate, version_of
from searchindex.fields import VectorField
from searchindex.transport import Transport, at

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

    @property
    def whole_documents(self) -> Mapping[str, Any]:
        hides = version_of(self.version) >= _HIDES_VECTORS
        return {"_source": {"exclude_vectors": False}} if hides else {}

    def open_view(self, transport: Transport, index: str, keep_alive: str) -> View:
        answer = transport.request("POST", f"{at(index, '_pit')}?keep_alive={keep_alive}").body
        return View(id=str(answer["id"]), shards=int(answer.get("_shards", {}).get("total", 1)))

    def parts(self, view: View) -> Sequence[Mapping[str, Any]]:
        return ({"sort": ["_shard_doc"]},)

    def close_view(self, transport: Transport, view: View) -> None:
        transport.request("DELETE", "/_pit", {"id": view.id}, accept=(404,))
