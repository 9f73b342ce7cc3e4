"""Fields that the engines call by different words: declared once here, a revision runs on both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from accord.errors import InvalidRevision

SIMILARITIES = frozenset({"cosine", "euclidean", "dot_product", "max_inner_product"})
_MOST_DIMENSIONS = 4096


@dataclass(frozen=True, kw_only=True)
class VectorField:
    """
    A vector that is searched for its nearest neighbours.

    Attributes:
        dims: How many numbers a vector has: exactly as many as the model gives.
        similarity: `cosine`, `euclidean`, `max_inner_product`, or `dot_product` (unit vectors,
            Elasticsearch alone).
        m: Links of a node in the graph.
        ef_construction: How many neighbours are looked at while the graph is built.
    """

    dims: int
    similarity: str = "cosine"
    m: int = 16
    ef_construction: int = 100

    def neutral(self) -> Mapping[str, Any]:
        """Render it for people when no server is there to say which engine it is."""
        return {"type": "vector", "dims": self.dims, "similarity": self.similarity}


def vector_field(
    dims: int, similarity: str = "cosine", *, m: int = 16, ef_construction: int = 100
) -> VectorField:
    """
    Declare a vector field: `dense_vector` on Elasticsearch, `knn_vector` on OpenSearch.

    Args:
        dims: See :class:`VectorField`.
        similarity: See :class:`VectorField`.
        m: See :class:`VectorField`.
        ef_construction: See :class:`VectorField`.

    Raises:
        InvalidRevision: The similarity is none of the known, or the number of dimensions can't be.
    """
    if similarity not in SIMILARITIES:
        raise InvalidRevision(
            f"A vector field has no similarity “{similarity}”.",
            hint=f"Known: {', '.join(sorted(SIMILARITIES))}.",
        )
    if not 1 <= dims <= _MOST_DIMENSIONS:
        raise InvalidRevision(
            f"A vector field can't have {dims} dimensions.",
            hint=f"Both engines take 1 to {_MOST_DIMENSIONS}.",
        )
    return VectorField(dims=dims, similarity=similarity, m=m, ef_construction=ef_construction)


class SpeaksVector(Protocol):
    """Whoever can put a vector field into an engine's words."""

    def vector(self, field: VectorField) -> Mapping[str, Any]:
        """Render a vector field."""
        ...


def render(value: Any, engine: SpeaksVector | None) -> Any:
    """
    Replace every vector field inside a mapping by the engine's words.

    Args:
        value: A mapping or a part of one.
        engine: None renders for people.
    """
    if isinstance(value, VectorField):
        return value.neutral() if engine is None else engine.vector(value)
    if isinstance(value, Mapping):
        return {key: render(inner, engine) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [render(inner, engine) for inner in value]
    return value


def holds_vector(value: Any) -> bool:
    """Return whether a mapping holds a vector field anywhere."""
    if isinstance(value, VectorField):
        return True
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(map(holds_vector, inner))
