"""What the suite asks of a search engine. Ask a feature, never the vendor's name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accord.errors import InvalidRevision
from searchindex.fields import VectorField
from searchindex.transport import ServerResponse, Transport


@dataclass(frozen=True, kw_only=True)
class EngineFeatures:
    """What one server can do; found out once a connection."""

    # Does the server copy documents from index to index by itself?
    server_side_reindex: bool
    # Can all documents be read in one frozen view by a client?
    readable_view: bool


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

    @abstractmethod
    def open_view(self, transport: Transport, index: str, keep_alive: str) -> str:
        """Open a frozen view of an index and give its id."""

    @abstractmethod
    def read_view(
        self, transport: Transport, view: str, keep_alive: str, size: int, after: object
    ) -> ServerResponse:
        """
        Read a page of a view.

        Args:
            transport: Connection.
            view: Id of the view.
            keep_alive: How long the server shall keep it from now on.
            size: Documents in the page.
            after: Sort values of the last document of the page before; None for the first.

        Returns:
            The answer to a search; each document with its version.
        """

    @abstractmethod
    def close_view(self, transport: Transport, view: str) -> None:
        """Close a view."""


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
