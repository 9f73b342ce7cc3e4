"""Vector fields in the words of two engines."""

from __future__ import annotations

import pytest

from accord.errors import InvalidRevision
from searchindex import vector_field
from searchindex.engines.base import Engine, EngineFeatures
from searchindex.engines.elasticsearch import Elasticsearch
from searchindex.engines.opensearch import OpenSearch
from searchindex.fields import holds_vector, render

FEATURES = EngineFeatures(server_side_reindex=True)
ELASTICSEARCH = Elasticsearch(version="8.19.3", features=FEATURES)
OPENSEARCH = OpenSearch(version="3.5.0", features=FEATURES)


@pytest.mark.parametrize(
    ("engine", "similarity", "word"),
    [
        (ELASTICSEARCH, "cosine", "cosine"),
        (ELASTICSEARCH, "euclidean", "l2_norm"),
        (ELASTICSEARCH, "dot_product", "dot_product"),
        (ELASTICSEARCH, "max_inner_product", "max_inner_product"),
        (OPENSEARCH, "cosine", "cosinesimil"),
        (OPENSEARCH, "euclidean", "l2"),
        (OPENSEARCH, "max_inner_product", "innerproduct"),
    ],
)
def test_similarity_is_translated_by_a_closed_table(engine: Engine, similarity: str, word: str) -> None:
    """Each engine is told its own word, never a default."""
    rendered = engine.vector(vector_field(8, similarity))

    assert word in (rendered.get("similarity"), rendered.get("method", {}).get("space_type"))


def test_unknown_similarity_is_refused_and_never_guessed() -> None:
    """Neither the helper nor an engine falls back on another similarity."""
    with pytest.raises(InvalidRevision):
        vector_field(8, "manhattan")
    with pytest.raises(InvalidRevision, match="OpenSearch has no similarity"):
        OPENSEARCH.vector(vector_field(8, "dot_product"))


@pytest.mark.parametrize("dims", [0, -1, 5000])
def test_impossible_dimensions_are_refused(dims: int) -> None:
    """A server would refuse them too, later."""
    with pytest.raises(InvalidRevision):
        vector_field(dims)


def test_vectors_are_rendered_wherever_they_stand() -> None:
    """Inside nested fields too; the rest of a mapping passes through as it is."""
    mapping = {"properties": {"a": {"properties": {"v": vector_field(4)}}, "t": {"type": "text"}}}

    rendered = render(mapping, OPENSEARCH)

    assert holds_vector(mapping)
    assert not holds_vector(rendered)
    assert rendered["properties"]["a"]["properties"]["v"]["type"] == "knn_vector"
    assert rendered["properties"]["t"] == {"type": "text"}
    assert render(mapping, None)["properties"]["a"]["properties"]["v"]["type"] == "vector"
