"""What the suite asks of a search engine. Ask a feature, never the vendor's name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.errors import InvalidRevision
from searchindex.fields import VectorField
from searchindex.transport import Transport


@dataclass(frozen=True, kw_only=True)
class EngineFeatures:
    """What one server can do; found out once a connection."""

    # Does the server copy documents from index to index by itself?
    server_side_reindex: bool


@dataclass(frozen=True, kw_only=True)
class View:
    """
    A frozen view of an index.

    Attributes:
        id: The server's name for it.
        shards: How many it is made of.
    """

    id: str
    shards: int


@dataclass(frozen=True, kw_only=True)
class Engine(ABC):
    """
    One server's engine.

    Attributes:
        version: As the server says it.
        features: What it can do.
    """

    version: str
    features: EngineFeatures

    @property
    @abstractmethod
    def kind(self) -> str:
        """The product's own name."""

    @property
    @abstractmethod
    def vector_settings(self) -> Mapping[str, Any]:
        """Index settings without which vectors can't be searched."""

    @abstractmethod
    def vector(self, field: VectorField) -> Mapping[str, Any]:
        """
        Render a vector field in the engine's words.

        Raises:
            InvalidRevision: The engine has no word for what it asks.
        """

    @property
    def whole_documents(self) -> Mapping[str, Any]:
        """What a search has to say so that nothing is left out of documents."""
        return {}

    @abstractmethod
    def open_view(self, transport: Transport, index: str, keep_alive: str) -> View:
        """
        Open a frozen view of an index.

        Raises:
            RequestRefused: Not every shard takes part.
        """

    @abstractmethod
    def parts(self, view: View) -> Sequence[Mapping[str, Any]]:
        """
        Name the searches that read a view once, all together.

        Returns:
            For each what it adds to a search: an order in which no two documents are equal, so that pages
            can be read behind one another, and of which documents.
        """

    @abstractmethod
    def close_view(self, transport: Transport, view: View) -> None:
        """Close a view."""

    def bears_scrolls(self, settings: Mapping[str, Any]) -> bool:
        """
        Tell whether an index still answers once something scrolled through it.

        What copies, deletes or changes by a query does so within the server.

        Args:
            settings: Of the index, flat.
        """
        return True


def translate(word: str, table: Mapping[str, str], what: str, kind: str) -> str:
    """
    Look a word up in a closed table.

    Args:
        word: What a revision says.
        table: The suite's words to the engine's.
        what: What the word is, for the message.
        kind: The engine, for the message.

    Raises:
        InvalidRevision: The table has no such word; nothing is ever guessed.
    """
    if word not in table:
        raise InvalidRevision(
            f"{kind} has no {what} “{word}”.", hint=f"It has these: {', '.join(sorted(table))}."
        )
    return table[word]


def version_of(text: str) -> tuple[int, ...]:
    """Return major and minor number of a version."""
    return tuple(int(part) for part in text.split(".")[:2])
